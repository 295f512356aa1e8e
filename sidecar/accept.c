/* SPDX-License-Identifier: MIT */
#include "accept.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

void spare_open(struct spare *spare)
{
	spare->fd = eventfd(0, EFD_CLOEXEC);
}

void spare_close(struct spare *spare)
{
	if (spare->fd >= 0)
		close(spare->fd);
	spare->fd = -1;
}

static int accept_peer(int listener, union address *peer)
{
	socklen_t size = sizeof(*peer);

	memset(peer, 0, sizeof(*peer));
	return accept4(listener, &peer->any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
}

/* What was wrong with one connection says nothing of the next. */
static bool may_go_on(int error)
{
	return error == ECONNABORTED || error == EINTR || error == EPROTO || error == EPERM;
}

int accept_next(struct spare *spare, int listener, union address *peer)
{
	int fd = accept_peer(listener, peer);

	if (fd >= 0)
		return fd;
	if (may_go_on(errno))
		return ACCEPT_TURNED_AWAY;
	if ((errno != EMFILE && errno != ENFILE) || spare->fd < 0)
		return -1;
	spare_close(spare);
	fd = accept_peer(listener, peer);
	if (fd >= 0)
		close_hard(fd);
	spare_open(spare);
	return fd >= 0 ? ACCEPT_TURNED_AWAY : -1;
}

void close_hard(int fd)
{
	const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}
