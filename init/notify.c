/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "leftovers.h"
#include "log.h"
#include "notice.h"
#include "probes.h"
#include "str.h"
#include "supervisor.h"

#define ASSIGNMENT     "NOTIFY_SOCKET="
#define ERRNO_KNOWN    133 /* up to here errno has names */
#define MICROSECOND    UINT64_C(1000)
#define PACKETS_A_TURN 16

/* struct notify_run.told */
enum complaint { ABOUT_SENDER = 1, ABOUT_TEXT = 2, ABOUT_PID = 4, ABOUT_STORE = 8 };

/* Once a start: who floods the socket must not flood the log. */
static bool may_complain(struct notify_run *run, enum complaint about)
{
	bool first = !(run->told & about);

	run->told |= (uint8_t)about;
	return first;
}

/* ---- its state ---- */

static bool is_up(const struct service *service)
{
	return service->phase == PH_RUNNING || service->phase == PH_READY ||
	       service->phase == PH_UNHEALTHY;
}

static void take_ready(struct supervisor *sup, struct notify_run *run)
{
	struct service *service = run->service;

	if (run->reloading && is_up(service))
		supervisor_reason(sup, service, "%s", run->status);
	run->reloading = false;
	for (struct probe_run *probe = service->probes[ROLE_READINESS]; probe; probe = probe->next)
		if (probe->config->kind == PROBE_NOTIFY && !probe->passed)
			probe_report(sup, probe, true, NULL);
}

static void take_state(struct supervisor *sup, struct notify_run *run, enum notice_state state)
{
	struct service *service = run->service;

	switch (state) {
	case NOTICE_READY:
		take_ready(sup, run);
		break;
	case NOTICE_RELOADING:
		run->reloading = true;
		if (is_up(service))
			supervisor_reason(sup, service, "reloading");
		break;
	case NOTICE_STOPPING:
		if (is_up(service))
			supervisor_reason(sup, service, "says that it is stopping");
		supervisor_event(sup, service, EV_ENDING);
		break;
	case NOTICE_NONE:
		break;
	}
}

/* Why it is being ended says more than what it says of itself meanwhile. */
static void take_status(struct supervisor *sup, struct notify_run *run, const char *text)
{
	struct service *service = run->service;
	bool failing = service->after != AFTER_INACTIVE && service->after != AFTER_WAITING &&
		       service->after != AFTER_OWN;

	if (!service->pid || (machine_state(service->phase) == STATE_STOPPING && failing))
		return;
	notice_clean(run->status, sizeof(run->status), text);
	supervisor_reason(sup, service, "%s", run->status);
}

static void take_error(struct notify_run *run, const struct notice *notice)
{
	if (notice->error)
		notice_clean(run->error, sizeof(run->error), notice->error);
	if (notice->error_number > 0 && notice->error_number <= ERRNO_KNOWN)
		snprintf(run->error, sizeof(run->error), "%s", strerror((int)notice->error_number));
}

/* ---- time ---- */

static void arm_watchdog(struct supervisor *sup, struct notify_run *run)
{
	bool watched = run->interval && is_up(run->service);

	loop_arm(&sup->loop, &run->watchdog, watched ? sup->loop.now + run->interval : NEVER);
}

static void bark(struct supervisor *sup, struct service *service, const char *why)
{
	if (!is_up(service))
		return;
	supervisor_reason(sup, service, "watchdog: %s", why);
	log_warning("%s: watchdog: %s: ending it by ABRT", service->config->name, why);
	service->aborting = true;
	supervisor_event(sup, service, EV_DEAD);
}

static void watchdog_expired(struct loop *loop, struct loop_timer *timer)
{
	struct notify_run *run = container_of(timer, struct notify_run, watchdog);
	char took[24], why[64];

	snprintf(why, sizeof(why), "no sign of life within %s",
		 format_duration(took, sizeof(took), run->interval));
	bark(supervisor_of(loop), run->service, why);
}

static void extend(struct supervisor *sup, struct loop_timer *timer, uint64_t when)
{
	if (timer->slot && timer->when < when)
		loop_arm(&sup->loop, timer, when);
}

/* More time, from now, for the start or the stop that is under way, or for the next sign of life.
 */
static void take_extension(struct supervisor *sup, struct notify_run *run, uint64_t usec)
{
	uint64_t when = sup->loop.now + usec * MICROSECOND;

	if (run->service->phase != PH_BACKOFF)
		extend(sup, &run->service->timer, when);
	extend(sup, &run->watchdog, when);
}

static void take_watchdog(struct supervisor *sup, struct notify_run *run,
			  const struct notice *notice)
{
	if (notice->watchdog_usec != NOTICE_ABSENT)
		run->interval = notice->watchdog_usec * MICROSECOND;
	if (notice->watchdog_usec != NOTICE_ABSENT || notice->ping)
		arm_watchdog(sup, run);
	if (notice->trigger)
		bark(sup, run->service, "it asked for it");
}

/* ---- its main process ---- */

/* The end of a main process that is no child of ours: how it ended only its parent learns. Of one
 * that is, the reaper tells. */
static void main_gone(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *service = container_of(source, struct notify_run, main)->service;
	siginfo_t info = {0};

	(void)events;
	if (waitid(P_PID, (id_t)service->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		loop_close(loop, source);
	else
		supervisor_main_lost(sup, service);
}

static void watch_main(struct supervisor *sup, struct notify_run *run, pid_t pid, int fd)
{
	struct service *service = run->service;
	struct status_record *record;

	loop_close(&sup->loop, &run->main);
	run->main.ready = main_gone;
	run->main.class = CLASS_CHILD;
	if (loop_add(&sup->loop, &run->main, fd, EPOLLIN) < 0) {
		close(fd);
		return;
	}
	children_take(&sup->children, service->pid); /* from now on it is what a service leaves */
	children_add(&sup->children, pid, CHILD_MAIN, service->slot, 0);
	log_debug("%s: main process is now %d, not %d", service->config->name, (int)pid,
		  (int)service->pid);
	service->pid = pid;
	record = status_record_begin(&sup->page, service->index);
	record->pid = pid;
	status_record_end(&sup->page, service->index);
}

static void take_main(struct supervisor *sup, struct notify_run *run, uint64_t number)
{
	struct service *service = run->service;
	pid_t pid = (pid_t)number;
	int fd;

	if (pid == service->pid || !service->pid || machine_state(service->phase) == STATE_STOPPING)
		return;
	fd = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	/* that it can still be signalled means that it was the one who was looked at */
	if (fd >= 0 && children_has_room(&sup->children) && leftovers_owns(sup, service, pid) &&
	    syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0) {
		watch_main(sup, run, pid, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (may_complain(run, ABOUT_PID))
		log_warning("%s: MAINPID=%d is no process of its own and is ignored",
			    service->config->name, (int)pid);
}

int notify_signal(const struct service *service, int signal)
{
	if (service->notify && service->notify->main.fd >= 0)
		return (int)syscall(SYS_pidfd_send_signal, service->notify->main.fd, signal, NULL,
				    0);
	return kill(service->pid, signal);
}

/* ---- one datagram ---- */

/* Room for one more than a service may store: what does not fit is closed by the kernel, which also
 * fills what is there for alignment alone; so there are as many places as that could make. */
#define CONTROL_SIZE                                                                               \
	(CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE((FDSTORE_MAX + 1) * sizeof(int)))
#define FDS_MAX (CONTROL_SIZE / sizeof(int))

struct packet {
	pid_t pid; /* of the sender, as the kernel has it; 0: not known */
	uid_t uid;
	int fds[FDS_MAX];
	unsigned fd_count;
};

static void take_control(struct packet *packet, const struct cmsghdr *c)
{
	struct ucred credentials;
	size_t size = c->cmsg_len - CMSG_LEN(0);

	if (c->cmsg_level != SOL_SOCKET)
		return;
	if (c->cmsg_type == SCM_CREDENTIALS && size == sizeof(credentials)) {
		memcpy(&credentials, CMSG_DATA(c), sizeof(credentials));
		packet->pid = credentials.pid;
		packet->uid = credentials.uid;
	} else if (c->cmsg_type == SCM_RIGHTS && size <= sizeof(packet->fds)) {
		memcpy(packet->fds, CMSG_DATA(c), size);
		packet->fd_count = (unsigned)(size / sizeof(int));
	}
}

/* The length of the text, more than NOTICE_MAX for one that was cut; or -1. */
static ssize_t receive(int fd, char *text, struct packet *packet)
{
	union {
		struct cmsghdr align;
		char bytes[CONTROL_SIZE];
	} ancillary;
	struct iovec part = {text, NOTICE_MAX};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = ancillary.bytes,
				 .msg_controllen = sizeof(ancillary.bytes)};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*packet = (struct packet){0};
	if (n < 0)
		return -1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* in the macro as musl has it */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		take_control(packet, c);
#pragma GCC diagnostic pop
	return n;
}

/* Its main process or one of its session. A sender that is gone can no longer be asked about: it
 * came by the service's own socket, and its user has to be the service's. */
static bool sender_is_its_own(const struct service *service, const struct packet *packet)
{
	const struct identity_config *identity = service->config->policy->identity;
	pid_t session;

	if (packet->pid <= 0)
		return false;
	if (packet->pid == service->pid || packet->pid == service->hook)
		return true;
	session = getsid(packet->pid);
	if (session < 0)
		return errno == ESRCH &&
		       packet->uid == (identity->change_user ? identity->uid : geteuid());
	return session == service->session || (service->pid > 1 && session == getsid(service->pid));
}

/* Its number may be one that a stored descriptor would get. */
static bool has_fd_probe(const struct service *service)
{
	for (const struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next)
		if (run->config->kind == PROBE_FD)
			return true;
	return false;
}

static void take_fds(struct supervisor *sup, struct notify_run *run, const struct notice *notice,
		     struct packet *packet)
{
	bool ok = true;

	if (notice->store && !has_fd_probe(run->service)) {
		for (unsigned i = 0; i < packet->fd_count; i++)
			ok = fdstore_add(sup, &run->store, packet->fds[i], notice) && ok;
		packet->fd_count = 0;
	} else if (notice->remove && notice->fd_name) {
		fdstore_remove(sup, &run->store, notice->fd_name);
	}
	if (!ok && may_complain(run, ABOUT_STORE))
		log_warning("%s: at most %d descriptors can be stored: the others are closed",
			    run->service->config->name, FDSTORE_MAX);
}

static void take_notice(struct supervisor *sup, struct notify_run *run, const struct notice *notice)
{
	if (notice->main_pid != NOTICE_ABSENT)
		take_main(sup, run, notice->main_pid);
	take_error(run, notice);
	take_state(sup, run, (enum notice_state)notice->state);
	if (notice->status)
		take_status(sup, run, notice->status);
	if (notice->extend_usec != NOTICE_ABSENT)
		take_extension(sup, run, notice->extend_usec);
	take_watchdog(sup, run, notice);
}

static void take_packet(struct supervisor *sup, struct notify_run *run, char *text, size_t size,
			struct packet *packet)
{
	const char *name = run->service->config->name;
	struct notice notice;

	if (!sender_is_its_own(run->service, packet)) {
		if (may_complain(run, ABOUT_SENDER))
			log_warning("%s: a notification from process %d, which is not its own, is "
				    "ignored",
				    name, (int)packet->pid);
	} else if (size > NOTICE_MAX || !notice_read(text, size, &notice)) {
		if (may_complain(run, ABOUT_TEXT))
			log_warning("%s: a notification that is no text of at most %d bytes is "
				    "ignored",
				    name, NOTICE_MAX);
	} else {
		take_fds(sup, run, &notice, packet);
		take_notice(sup, run, &notice);
	}
}

static void notify_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct notify_run *run = container_of(source, struct notify_run, source);
	char text[NOTICE_MAX + 1];
	struct packet packet;

	(void)events;
	/* a bounded number a turn: what comes without end must not keep init busy with it */
	for (unsigned i = 0; i < PACKETS_A_TURN && source->fd >= 0; i++) {
		ssize_t n = receive(source->fd, text, &packet);

		if (n < 0)
			break;
		take_packet(supervisor_of(loop), run, text, (size_t)n, &packet);
		/* those that nobody asked for; and closing is how a barrier is answered, when all
		 * that was sent before has been taken */
		for (unsigned k = 0; k < packet.fd_count; k++)
			close(packet.fds[k]);
	}
}

/* ---- with the life of the service ---- */

void notify_started(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;

	if (!run)
		return;
	loop_close(&sup->loop, &run->main);
	run->told = 0;
	run->reloading = false;
	run->status[0] = run->error[0] = '\0';
	run->interval = msec(service->config->policy->watchdog);
	run->watchdog.expired = watchdog_expired;
}

void notify_ended(struct supervisor *sup, struct service *service)
{
	if (service->notify)
		loop_close(&sup->loop, &service->notify->main);
}

void notify_watch(struct supervisor *sup, struct service *service)
{
	if (service->notify && !service->notify->watchdog.slot)
		arm_watchdog(sup, service->notify);
}

void notify_unwatch(struct supervisor *sup, struct service *service)
{
	if (service->notify)
		loop_disarm(&sup->loop, &service->notify->watchdog);
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
	if (service->config->policy->watchdog)
		snprintf(run->watchdog_variable, sizeof(run->watchdog_variable),
			 "WATCHDOG_USEC=%llu", service->config->policy->watchdog * 1000ULL);
	snprintf(run->variable, sizeof(run->variable), ASSIGNMENT "%s%s",
		 address.sun_path[0] ? "" : "@",
		 address.sun_path[0] ? address.sun_path : address.sun_path + 1);
	return true;
}

void notify_close(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;

	if (!run)
		return;
	fdstore_clear(sup, &run->store);
	loop_close(&sup->loop, &run->main);
	loop_disarm(&sup->loop, &run->watchdog);
	if (run->source.fd < 0)
		return;
	loop_close(&sup->loop, &run->source);
	if (run->variable[sizeof(ASSIGNMENT) - 1] == '/')
		unlink(run->variable + sizeof(ASSIGNMENT) - 1);
}
