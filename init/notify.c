/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "probes.h"
#include "str.h"
#include "supervisor.h"

#define DATAGRAM_MAX 4096
#define ASSIGNMENT   "NOTIFY_SOCKET="

/* ---- what a service says ---- */

static void take_status(struct supervisor *sup, struct service *service, const char *text)
{
	if (*text)
		supervisor_reason(sup, service, "%s", text);
}

/* More time, from now, for the start or the stop that is under way. */
static void take_extension(struct supervisor *sup, struct service *service, const char *text)
{
	uint64_t usec;

	if (!service->timer.slot || service->phase == PH_BACKOFF ||
	    !parse_uint(text, UINT64_C(86400) * 1000000, &usec))
		return;
	if (sup->loop.now + usec * 1000 > service->timer.when)
		loop_arm(&sup->loop, &service->timer, sup->loop.now + usec * 1000);
}

static void take_line(struct supervisor *sup, struct service *service, char *line)
{
	struct probe_run *run = service->probes[ROLE_READINESS];

	if (strcmp(line, "READY=1") == 0) {
		if (run && run->config->kind == PROBE_NOTIFY && !run->passed)
			probe_report(sup, run, true, NULL);
	} else if (strncmp(line, "STATUS=", 7) == 0) {
		take_status(sup, service, line + 7);
	} else if (strncmp(line, "EXTEND_TIMEOUT_USEC=", 20) == 0) {
		take_extension(sup, service, line + 20);
	}
}

/* Its main process or one of its session; a sender that is gone can no longer be asked about, and
 * came by the service's own socket. */
static bool sender_is_its_own(const struct service *service, pid_t pid)
{
	pid_t session;

	if (pid <= 0)
		return false;
	if (pid == service->pid || pid == service->hook)
		return true;
	session = getsid(pid);
	return session == service->session || (session < 0 && errno == ESRCH);
}

/* There is room for one control message only, the credentials that the kernel adds. */
static pid_t sender_of(struct msghdr *message)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(message);
	struct ucred credentials;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS)
		return 0;
	memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
	return credentials.pid;
}

static void notify_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct notify_run *run = container_of(source, struct notify_run, source);
	struct service *service = run->service;
	char text[DATAGRAM_MAX + 1];
	/* no room for descriptors: the kernel closes those a sender attaches, which also is how
	 * the barrier of sd_notify_barrier(3) is answered */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} ancillary;
	struct iovec part = {text, DATAGRAM_MAX};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = ancillary.bytes,
				 .msg_controllen = sizeof(ancillary.bytes)};
	ssize_t n = recvmsg(source->fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	pid_t sender;
	char *line, *next;

	(void)events;
	if (n <= 0)
		return;
	sender = sender_of(&message);
	if (!sender_is_its_own(service, sender)) {
		log_warning("%s: a notification from process %d, which is not its own, is ignored",
			    service->config->name, (int)sender);
		return;
	}
	text[n] = '\0';
	for (line = text; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		take_line(sup, service, line);
	}
}

/* ---- the sockets ---- */

/* A path in the runtime directory, or an abstract name. */
static socklen_t make_address(const struct supervisor *sup, struct sockaddr_un *address,
			      unsigned number, bool in_run_dir)
{
	int n;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (in_run_dir) {
		n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/notify-%u",
			     sup->run_dir, number);
		if (n > 0 && (size_t)n < sizeof(address->sun_path))
			return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	}
	n = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "muster-%d-%llx-%u",
		     (int)getpid(), (unsigned long long)sup->boot, number);
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Only the service's user may send. */
static void restrict_socket(const struct service *service, const char *path)
{
	const struct identity_config *identity = service->config->policy->identity;

	chmod(path, 0600);
	if (identity->change_user && chown(path, identity->uid, identity->gid) < 0)
		chmod(path, 0666); /* who sends is checked in any case */
}

/* A directory that takes no socket (read-only by now, full) must not keep a service from starting.
 */
static bool bind_somewhere(const struct supervisor *sup, int fd, struct sockaddr_un *address)
{
	static unsigned counter;
	unsigned number = counter++;
	socklen_t len = make_address(sup, address, number, sup->run_fd >= 0);

	if (address->sun_path[0])
		unlink(address->sun_path);
	if (bind(fd, (struct sockaddr *)address, len) == 0)
		return true;
	len = make_address(sup, address, number, false);
	return bind(fd, (struct sockaddr *)address, len) == 0;
}

bool notify_open(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;
	struct sockaddr_un address;
	int on = 1;
	int fd;

	if (!run || run->source.fd >= 0)
		return true;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	run->source.ready = notify_ready;
	run->source.class = CLASS_FACT;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    !bind_somewhere(sup, fd, &address) ||
	    loop_add(&sup->loop, &run->source, fd, EPOLLIN) < 0) {
		close(fd);
		return false;
	}
	if (address.sun_path[0])
		restrict_socket(service, address.sun_path);
	snprintf(run->variable, sizeof(run->variable), ASSIGNMENT "%s%s",
		 address.sun_path[0] ? "" : "@",
		 address.sun_path[0] ? address.sun_path : address.sun_path + 1);
	return true;
}

void notify_close(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;

	if (!run || run->source.fd < 0)
		return;
	loop_close(&sup->loop, &run->source);
	if (run->variable[sizeof(ASSIGNMENT) - 1] == '/')
		unlink(run->variable + sizeof(ASSIGNMENT) - 1);
}

/* ---- upwards ---- */

void notify_up_open(struct supervisor *sup, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	sup->notify_up = -1;
	if (len < 2 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		log_warning("cannot reach NOTIFY_SOCKET %s: %s", path, strerror(errno));
		close(fd);
		return;
	}
	sup->notify_up = fd;
}

void notify_up_send(const struct supervisor *sup, const char *message)
{
	if (sup->notify_up >= 0)
		send(sup->notify_up, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT);
}
