/* SPDX-License-Identifier: MIT */
#include "datagram.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"

/* ---- receiving ---- */

static void take_control(struct datagram *packet, const struct cmsghdr *c)
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

ssize_t datagram_receive(int fd, char *text, size_t size, struct datagram *packet)
{
	union {
		struct cmsghdr align;
		char bytes[DATAGRAM_CONTROL];
	} ancillary;
	struct iovec part = {text, size};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = ancillary.bytes,
				 .msg_controllen = sizeof(ancillary.bytes)};
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC | MSG_TRUNC);

	*packet = (struct datagram){0};
	if (n < 0)
		return -1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* in the macro as musl has it */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c))
		take_control(packet, c);
#pragma GCC diagnostic pop
	return n;
}

/* ---- the socket ---- */

/* A path in the directory, or an abstract name. */
static socklen_t make_address(const char *dir, unsigned long long boot, struct sockaddr_un *address,
			      unsigned number)
{
	int n;

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (dir) {
		n = snprintf(address->sun_path, sizeof(address->sun_path), "%s/notify-%u", dir,
			     number);
		if (n > 0 && (size_t)n < sizeof(address->sun_path))
			return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n + 1);
	}
	n = snprintf(address->sun_path + 1, sizeof(address->sun_path) - 1, "muster-%d-%llx-%u",
		     (int)getpid(), boot, number);
	address->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

/* Only this user may send. */
static void restrict_socket(const struct identity_config *identity, const char *path)
{
	chmod(path, 0600);
	if (identity->change_user && chown(path, identity->uid, identity->gid) < 0)
		chmod(path, 0666); /* who sends is checked in any case */
}

/* A directory that takes no socket (read-only by now, full) must not keep a service from starting.
 */
static bool bind_somewhere(int fd, const char *dir, uint64_t boot, struct sockaddr_un *address)
{
	static unsigned counter;
	unsigned number = counter++;
	socklen_t len = make_address(dir, boot, address, number);

	if (address->sun_path[0])
		unlink(address->sun_path);
	if (bind(fd, (struct sockaddr *)address, len) == 0)
		return true;
	len = make_address(NULL, boot, address, number);
	return bind(fd, (struct sockaddr *)address, len) == 0;
}

int datagram_open(const char *dir, uint64_t boot, const struct identity_config *identity,
		  char name[DATAGRAM_NAME])
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;
	struct sockaddr_un address;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    !bind_somewhere(fd, dir, boot, &address)) {
		close(fd);
		return -1;
	}
	if (address.sun_path[0])
		restrict_socket(identity, address.sun_path);
	snprintf(name, DATAGRAM_NAME, "%s%s", address.sun_path[0] ? "" : "@",
		 address.sun_path[0] ? address.sun_path : address.sun_path + 1);
	return fd;
}
