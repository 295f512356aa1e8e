/* SPDX-License-Identifier: MIT */
#include "reach.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "channel.h"
#include "clock.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "snapshot.h"
#include "wire.h"

#define ANSWER_SECONDS 10
#define REFUSAL        128

struct reach {
	struct loop *loop;
	struct channel *channel;
	struct snapshot *snapshot;
	const char *dir;
	int fd;     /* asked, not answered yet; -1 */
	int notify; /* tells when there is another socket in the directory; -1: nobody does */
	struct loop_timer timer;
	uint64_t wait;         /* ns, before the next attempt */
	bool lost;             /* init was there once, and is not now */
	bool same_processes;   /* init sees the processes that we see, under the same numbers */
	char refusal[REFUSAL]; /* said last */
};

int reach_connect(const char *dir)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd, len, error;

	len = snprintf(address.sun_path, sizeof(address.sun_path), "%s/" WIRE_SOCKET, dir);
	errno = ENOENT;
	if (!*dir || len >= (int)sizeof(address.sun_path))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		error = errno;
		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

/* ---- again, later ---- */

static void hang_up(struct reach *reach)
{
	if (reach->fd < 0)
		return;
	loop_forget(reach->loop, reach->fd);
	close(reach->fd);
	reach->fd = -1;
}

static void try_later(struct reach *reach)
{
	const uint64_t most = REACH_SLOW_SECONDS * NSEC_PER_SEC;

	hang_up(reach);
	loop_arm(reach->loop, &reach->timer, loop_now(reach->loop) + reach->wait);
	reach->wait = reach->wait * 2 < most ? reach->wait * 2 : most;
}

/* ---- whether init comes ---- */

static void watch_end(struct reach *reach)
{
	if (reach->notify < 0)
		return;
	loop_forget(reach->loop, reach->notify);
	close(reach->notify);
	reach->notify = -1;
}

static void ask(struct reach *reach);

/* Something has come into the directory, or the directory has gone. */
static void notify_ready(void *data, int fd, uint32_t events)
{
	const uint32_t gone =
		IN_IGNORED | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF | IN_Q_OVERFLOW;
	_Alignas(struct inotify_event) char buffer[4096];
	struct reach *reach = data;
	ssize_t len = read(fd, buffer, sizeof(buffer));
	bool come = false, lost = len <= 0;

	(void)events;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		come |= event->len && strcmp(event->name, WIRE_SOCKET) == 0;
		lost |= (event->mask & gone) != 0;
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if (lost)
		watch_end(reach);
	if ((come || lost) && reach->fd < 0) {
		reach->wait = msec(REACH_FIRST_MS);
		ask(reach);
	}
}

static void watch_begin(struct reach *reach)
{
	const uint32_t what = IN_CREATE | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

	if (reach->notify >= 0 || !*reach->dir)
		return;
	reach->notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (reach->notify >= 0 &&
	    (inotify_add_watch(reach->notify, reach->dir, what) < 0 ||
	     loop_watch(reach->loop, reach->notify, EPOLLIN, notify_ready, reach) < 0))
		watch_end(reach);
}

static void init_has_gone(void *data)
{
	struct reach *reach = data;

	log_info("muster-init has closed the channel: trying to reach it again");
	reach->lost = true;
	reach->refusal[0] = '\0';
	snapshot_set_orphaned(reach->snapshot, true);
	reach->wait = msec(REACH_FIRST_MS);
	try_later(reach);
}

/* ---- the answer ---- */

/* In another PID namespace init's number for itself is not ours for it. */
static bool sees_the_same(struct reach *reach)
{
	const struct view *view = snapshot_refresh(reach->snapshot);
	struct ucred peer = {0};
	socklen_t size = sizeof(peer);

	return view->present && view->header.pid > 0 &&
	       getsockopt(reach->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       peer.pid == view->header.pid;
}

static void take_over(struct reach *reach)
{
	int fd = reach->fd;

	loop_disarm(reach->loop, &reach->timer);
	watch_end(reach);
	reach->lost = false;
	snapshot_set_orphaned(reach->snapshot, false);
	reach->same_processes = sees_the_same(reach);
	reach->fd = -1;
	reach->refusal[0] = '\0';
	log_info("muster-init in %s tells what to probe", reach->dir);
	channel_open(reach->channel, fd, init_has_gone, reach);
}

/* Said once: it is asked again and again. */
static void refused(struct reach *reach, int type, const char *text, size_t size)
{
	char why[sizeof(reach->refusal)];

	if (type == WIRE_REFUSED || type == WIRE_FAILED)
		snprintf(why, sizeof(why), "%.*s", (int)size, text);
	else
		snprintf(why, sizeof(why), "it does not know of sidecars elsewhere");
	if (strcmp(why, reach->refusal) != 0)
		log_info("muster-init in %s lets this program probe nothing: %s", reach->dir, why);
	memcpy(reach->refusal, why, sizeof(why));
	reach->wait = REACH_SLOW_SECONDS * NSEC_PER_SEC;
	try_later(reach);
}

static void answer_ready(void *data, int fd, uint32_t events)
{
	union {
		struct wire_header header; /* for its alignment */
		char bytes[sizeof(struct wire_header) + WIRE_BODY_MAX];
	} packet;
	struct reach *reach = data;
	const void *body;
	size_t size;
	ssize_t len = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT);
	int type;

	(void)events;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	type = len > 0 ? wire_decode(&packet, (size_t)len, &body, &size) : -EPROTO;
	if (type == WIRE_DONE)
		take_over(reach);
	else if (type < 0)
		try_later(reach);
	else
		refused(reach, type, body, size);
}

/* ---- the question ---- */

static void ask(struct reach *reach)
{
	char packet[sizeof(struct wire_header) + WIRE_BODY_MAX];
	size_t len = wire_encode(packet, WIRE_SIDECAR, NULL, 0, NULL, 0);
	bool absent;

	watch_begin(reach);
	reach->fd = reach_connect(reach->dir);
	absent = reach->fd < 0 && errno != EAGAIN;
	/* where nobody listens any more, or the socket of one that was there is gone, init is */
	snapshot_set_orphaned(reach->snapshot, absent && (reach->lost || errno == ECONNREFUSED));
	if (absent && reach->notify >= 0)
		loop_disarm(reach->loop, &reach->timer); /* its socket will be seen */
	else if (reach->fd < 0 || send(reach->fd, packet, len, MSG_NOSIGNAL) != (ssize_t)len ||
		 loop_watch(reach->loop, reach->fd, EPOLLIN, answer_ready, reach) < 0)
		try_later(reach);
	else
		loop_arm(reach->loop, &reach->timer,
			 loop_now(reach->loop) + ANSWER_SECONDS * NSEC_PER_SEC);
}

/* It is time to ask, or the answer has not come. */
static void timer_due(void *data, uint64_t now)
{
	struct reach *reach = data;

	(void)now;
	if (reach->fd >= 0)
		try_later(reach);
	else
		ask(reach);
}

struct reach *reach_create(struct loop *loop, struct channel *channel, struct snapshot *snapshot,
			   const char *dir)
{
	struct reach *reach = mem_alloc(sizeof(*reach));

	reach->loop = loop;
	reach->channel = channel;
	reach->snapshot = snapshot;
	reach->dir = dir;
	reach->fd = reach->notify = -1;
	reach->wait = msec(REACH_FIRST_MS);
	reach->timer.call = timer_due;
	reach->timer.data = reach;
	return reach;
}

void reach_start(struct reach *reach)
{
	ask(reach);
}

void reach_destroy(struct reach *reach)
{
	hang_up(reach);
	watch_end(reach);
	loop_disarm(reach->loop, &reach->timer);
	free(reach);
}

bool reach_same_processes(const struct reach *reach)
{
	return reach->same_processes;
}
