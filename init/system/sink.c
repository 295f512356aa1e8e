/* SPDX-License-Identifier: MIT */
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "str.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

/*
 * O_NONBLOCK belongs to the open file, which services may share with us, so it is never set on
 * what we were given. A pipe or terminal is opened a second time for ourselves; where that is not
 * permitted (a pipe of another user) a write is tried with RWF_NOWAIT, and on kernels without that
 * after poll(2) has promised room for it.
 */
enum sink_method { SINK_WRITE, SINK_SOCKET, SINK_POLLED };

static void sink_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	(void)events;
	/* the flush at the end of this turn writes; being here only ended the waiting */
	loop_remove(loop, source);
}

static void patience_expired(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	container_of(timer, struct sink, patience)->dropping = true;
}

void sink_open(struct sink *sink, int fd)
{
	char path[32];
	struct stat st;
	int own;

	sink->fd = fd;
	sink->method = SINK_WRITE;
	sink->source.fd = -1;
	sink->source.ready = sink_ready;
	sink->source.class = CLASS_WISH;
	sink->patience.expired = patience_expired;
	if (fstat(fd, &st) < 0)
		return;
	if (S_ISSOCK(st.st_mode))
		sink->method = SINK_SOCKET;
	if (!S_ISFIFO(st.st_mode) && !isatty(fd))
		return;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (own >= 0)
		sink->fd = own;
	else
		sink->method = SINK_POLLED;
}

/* ---- writing ---- */

static ssize_t write_polled(int fd, const char *text, size_t len)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct iovec piece = {(char *)(uintptr_t)text, len};
	/* not every C library knows it; offset -1: where the file stands */
	ssize_t n = syscall(SYS_pwritev2, fd, &piece, 1L, -1L, -1L, RWF_NOWAIT);

	if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != EPERM))
		return n;
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		errno = p.revents & (POLLERR | POLLHUP) ? EPIPE : EAGAIN;
		return -1;
	}
	/* what POLLOUT of a pipe promises */
	return write(fd, text, len < PIPE_BUF ? len : PIPE_BUF);
}

static ssize_t sink_try(const struct sink *sink, const char *text, size_t len)
{
	unsigned tries = 0;
	ssize_t n;

	do {
		switch ((enum sink_method)sink->method) {
		case SINK_SOCKET:
			n = send(sink->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
			break;
		case SINK_POLLED:
			n = write_polled(sink->fd, text, len);
			break;
		default:
			n = write(sink->fd, text, len);
			break;
		}
	} while (fd_again(n, &tries));
	return n;
}

/* Closed, a full disk: what is queued is lost, init goes on. */
static void discard(struct sink *sink)
{
	const char *at = sink->queue + sink->head, *end = at + sink->used;
	uint64_t lines = 0;

	while (at < end && (at = memchr(at, '\n', (size_t)(end - at)))) {
		lines++;
		at++;
	}
	if (sink->saying) { /* that line is no loss, but what it says is not said */
		lines--;
		sink->unsaid += sink->saying;
		sink->saying = 0;
	}
	sink->unsaid += lines;
	sink->dropped += lines;
	sink->torn = sink->torn || sink->within;
	sink->within = false;
	sink->failed = true;
	sink->head = sink->used = 0;
}

static void took(struct sink *sink, size_t n)
{
	sink->within = sink->queue[sink->head + n - 1] != '\n';
	sink->head += n;
	sink->used -= n;
	sink->written += n;
	if (sink->saying && sink->written >= sink->said_end)
		sink->saying = 0;
}

/* Writes until nothing is left or the reader stalls. True: stalled. */
static bool write_out(struct sink *sink)
{
	bool stalled = false;

	while (sink->used && !stalled) {
		ssize_t n = sink->torn ? sink_try(sink, "\n", 1)
				       : sink_try(sink, sink->queue + sink->head, sink->used);

		if (n > 0 && sink->torn)
			sink->torn = false;
		else if (n > 0)
			took(sink, (size_t)n);
		else if (n < 0 && errno == EAGAIN)
			stalled = true;
		else
			discard(sink);
	}
	if (!sink->used)
		sink->head = 0;
	if (sink->used <= SINK_HOLD / 2)
		sink->dropping = false;
	return stalled;
}

/* ---- the queue ---- */

static void append(struct sink *sink, const char *text, size_t len)
{
	if (sink->head >= SINK_HOLD || len > SINK_SIZE - sink->head - sink->used) {
		memmove(sink->queue, sink->queue + sink->head, sink->used);
		sink->head = 0;
	}
	memcpy(sink->queue + sink->head + sink->used, text, len);
	sink->used += len;
}

/* Where lines are missing, before those that come after them. */
static void say_dropped(struct sink *sink)
{
	char line[128];
	int len;

	if (!sink->unsaid || sink->saying || sink->dropping || sink->used > SINK_HOLD)
		return;
	len = snprintf(line, sizeof(line),
		       "muster-init: warning: %llu line%s of output dropped: %s\n",
		       (unsigned long long)sink->unsaid, sink->unsaid == 1 ? "" : "s",
		       sink->failed ? "they could not be written" : "their reader stalled");
	append(sink, line, (size_t)len);
	sink->saying = sink->unsaid;
	sink->said_end = sink->written + sink->used;
	sink->unsaid = 0;
}

void sink_line(struct loop *loop, struct sink *sink, const struct iovec *parts, unsigned count,
	       bool own)
{
	size_t len = 256; /* and what may have to be said first */

	for (unsigned i = 0; i < count; i++)
		len += parts[i].iov_len;
	if (sink->dropping || len > SINK_SIZE - sink->used)
		sink_flush(loop, sink);
	if ((sink->dropping && !own) || len > SINK_SIZE - sink->used) {
		sink->dropped++;
		sink->unsaid++;
		return;
	}
	say_dropped(sink);
	sink->failed = false;
	for (unsigned i = 0; i < count; i++)
		append(sink, parts[i].iov_base, parts[i].iov_len);
}

void sink_flush(struct loop *loop, struct sink *sink)
{
	bool stalled;

	if (sink->source.fd >= 0)
		return; /* waiting for the reader */
	stalled = write_out(sink);
	if (!stalled && !sink->failed) {
		say_dropped(sink);
		stalled = write_out(sink);
	}
	if (stalled) /* a file that epoll does not take never says EAGAIN */
		loop_add(loop, &sink->source, sink->fd, EPOLLOUT);
}

void sink_drain(struct sink *sink, uint64_t until)
{
	while (write_out(sink) && clock_monotonic() < until) {
		struct pollfd p = {.fd = sink->fd, .events = POLLOUT};

		poll(&p, 1, 10);
	}
}

bool sink_is_full(struct loop *loop, struct sink *sink)
{
	if (sink->used > SINK_HOLD)
		sink_flush(loop, sink);
	if (sink->used <= SINK_HOLD || sink->dropping)
		return false;
	sink->holding = true;
	if (!sink->patience.slot)
		loop_arm(loop, &sink->patience, loop->now + msec(SINK_PATIENCE_MS));
	return true;
}

bool sink_may_resume(struct loop *loop, struct sink *sink)
{
	if (!sink->holding || (!sink->dropping && sink->used > SINK_HOLD / 2))
		return false;
	sink->holding = false;
	loop_disarm(loop, &sink->patience);
	return true;
}
