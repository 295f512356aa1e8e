/* SPDX-License-Identifier: MIT */
#include "inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define FIRST 4 /* behind the channel to muster-init */
#define LAST  63

static bool is_bound_to(int fd, const union address *address, int type)
{
	union address own = {0};
	socklen_t size = sizeof(own), type_size = sizeof(int);
	int own_type;

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &own_type, &type_size) == 0 &&
	       own_type == type && getsockname(fd, &own.any, &size) == 0 &&
	       own.any.sa_family == address->any.sa_family && own.v4.sin_port &&
	       memcmp(&own, address, address_size(address)) == 0;
}

/* Its descriptor, which is the caller's then, or -1. */
static int inherited_take(const union address *address, int type)
{
	for (int fd = FIRST; fd <= LAST; fd++) {
		int flags = fcntl(fd, F_GETFD);

		/* what this program has opened itself is closed on exec */
		if (flags < 0 || flags & FD_CLOEXEC || !is_bound_to(fd, address, type))
			continue;
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, O_NONBLOCK);
		return fd;
	}
	return -1;
}

static int bind_new(const union address *address, int type)
{
	int fd = socket(address->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, error;

	if (fd < 0)
		return -errno;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, &address->any, address_size(address)) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

int inherited_or_bound(const union address *address, int type)
{
	int fd = inherited_take(address, type), on = 1, error;

	if (fd < 0)
		fd = bind_new(address, type);
	if (fd < 0 || type != SOCK_STREAM)
		return fd;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)); /* accepted ones have it, too */
	if (listen(fd, SOMAXCONN) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

const char *bind_error_text(int error)
{
	if (error == EACCES || error == EPERM)
		return "only root may have ports below 1024; muster-init opens them when it is "
		       "root, else take one from 1024 on";
	if (error == EADDRINUSE)
		return "the port is in use";
	return strerror(error);
}
