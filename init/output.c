/* SPDX-License-Identifier: MIT */
#include "output.h"

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
#include <sys/uio.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "probes.h"
#include "str.h"
#include "supervisor.h"

#ifndef RWF_NOWAIT
#define RWF_NOWAIT 0x8
#endif

/* ---- the sinks: init's stdout and stderr ---- */

/*
 * O_NONBLOCK belongs to the open file, which services may share with us, so it is never set on
 * what we were given. A pipe or terminal is opened a second time for ourselves; where that is not
 * permitted (a pipe of another user) a write is tried with RWF_NOWAIT, and on kernels without that
 * after poll(2) has promised room for it.
 */
enum sink_method { SINK_WRITE, SINK_SOCKET, SINK_POLLED };

static struct supervisor *own_lines_to; /* log lines have no loop to be found from */

static void sink_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	(void)events;
	/* the flush at the end of this turn writes; being here only ended the waiting */
	loop_remove(loop, source);
}

static void sink_open(struct sink *sink, int fd)
{
	char path[32];
	struct stat st;
	int own;

	sink->fd = fd;
	sink->method = SINK_WRITE;
	sink->source.fd = -1;
	sink->source.ready = sink_ready;
	sink->source.class = CLASS_WISH;
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

static ssize_t write_polled(int fd, const struct iovec *part)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	struct iovec piece = *part;
	/* not every C library knows it; offset -1: where the file stands */
	ssize_t n = syscall(SYS_pwritev2, fd, &piece, 1L, -1L, -1L, RWF_NOWAIT);

	if (n >= 0 || (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL && errno != EPERM))
		return n;
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT)) {
		errno = p.revents & (POLLERR | POLLHUP) ? EPIPE : EAGAIN;
		return -1;
	}
	if (piece.iov_len > PIPE_BUF)
		piece.iov_len = PIPE_BUF; /* what POLLOUT of a pipe promises */
	return write(fd, piece.iov_base, piece.iov_len);
}

static ssize_t sink_try(const struct sink *sink, const struct iovec *parts, int count)
{
	struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)parts,
				 .msg_iovlen = (size_t)count};

	switch ((enum sink_method)sink->method) {
	case SINK_SOCKET:
		return sendmsg(sink->fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	case SINK_POLLED:
		return write_polled(sink->fd, parts);
	case SINK_WRITE:
		break;
	}
	return writev(sink->fd, parts, count);
}

/* The queued bytes as at most two parts. */
static int sink_parts(const struct sink *sink, struct iovec parts[2])
{
	size_t first = SINK_SIZE - sink->head;

	if (first > sink->used)
		first = sink->used;
	parts[0] = (struct iovec){(char *)(uintptr_t)sink->queue + sink->head, first};
	parts[1] = (struct iovec){(char *)(uintptr_t)sink->queue, sink->used - first};
	return parts[1].iov_len ? 2 : 1;
}

static bool sink_append(struct sink *sink, const char *text, size_t len)
{
	size_t at = (sink->head + sink->used) % SINK_SIZE;
	size_t first = SINK_SIZE - at;

	if (len > SINK_SIZE - sink->used)
		return false;
	if (first > len)
		first = len;
	memcpy(sink->queue + at, text, first);
	memcpy(sink->queue, text + first, len - first);
	sink->used += len;
	return true;
}

static void sink_report_drops(struct sink *sink)
{
	char line[128];
	int len;

	if (!sink->dropped || sink->used > SINK_SIZE / 2)
		return;
	len = snprintf(line, sizeof(line),
		       "muster-init: warning: %llu lines of output dropped: their reader stalled\n",
		       (unsigned long long)sink->dropped);
	if (len > 0 && sink_append(sink, line, (size_t)len))
		sink->dropped = 0;
}

/* Writes until nothing is left or the reader stalls. True: stalled. */
static bool sink_write_out(struct sink *sink)
{
	struct iovec parts[2];

	while (sink->used) {
		ssize_t n = sink_try(sink, parts, sink_parts(sink, parts));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) { /* closed, full disk: the lines are lost, init goes on */
			sink->used = 0;
			break;
		}
		sink->head = (sink->head + (size_t)n) % SINK_SIZE;
		sink->used -= (size_t)n;
	}
	sink->head = 0;
	return false;
}

static void sink_flush(struct supervisor *sup, struct sink *sink)
{
	bool stalled;

	if (sink->source.fd >= 0)
		return; /* waiting for the reader */
	stalled = sink_write_out(sink);
	if (!stalled) {
		sink_report_drops(sink);
		stalled = sink_write_out(sink);
	}
	if (stalled) /* a file that epoll does not take never says EAGAIN */
		loop_add(&sup->loop, &sink->source, sink->fd, EPOLLOUT);
}

static void sink_line(struct supervisor *sup, struct sink *sink, const struct iovec *parts,
		      unsigned count)
{
	size_t len = 0;

	for (unsigned i = 0; i < count; i++)
		len += parts[i].iov_len;
	if (len > SINK_SIZE - sink->used)
		sink_flush(sup, sink);
	if (len > SINK_SIZE - sink->used) {
		sink->dropped++;
		sup->output.dropped++;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		sink_append(sink, parts[i].iov_base, parts[i].iov_len);
}

void output_open(struct supervisor *sup)
{
	sink_open(&sup->output.sinks[0], STDOUT_FILENO);
	sink_open(&sup->output.sinks[1], STDERR_FILENO);
	own_lines_to = sup;
	log_set_sink(output_own_line);
}

static void publish_drops(struct supervisor *sup)
{
	struct output *output = &sup->output;

	if (output->dropped == output->published)
		return;
	output->published = output->dropped;
	status_header_begin(&sup->page)->log_dropped = output->dropped;
	status_header_end(&sup->page);
}

void output_flush(struct supervisor *sup)
{
	publish_drops(sup);
	sink_flush(sup, &sup->output.sinks[0]);
	sink_flush(sup, &sup->output.sinks[1]);
}

void output_drain(struct supervisor *sup, int ms)
{
	uint64_t until = clock_monotonic() + msec((uint64_t)ms);

	for (unsigned i = 0; i < 2; i++) {
		struct sink *sink = &sup->output.sinks[i];

		while (sink_write_out(sink) && clock_monotonic() < until) {
			struct pollfd p = {.fd = sink->fd, .events = POLLOUT};

			poll(&p, 1, 10);
		}
	}
}

void output_own_line(const char *line, size_t len)
{
	struct supervisor *sup = own_lines_to;
	static const char erase[] = "\r\033[K";
	struct iovec parts[2] = {{(char *)(uintptr_t)erase, sizeof(erase) - 1},
				 {(char *)(uintptr_t)line, len}};
	bool progress = sup->output.progress;

	sup->output.progress = false;
	sink_line(sup, &sup->output.sinks[1], progress ? parts : parts + 1, progress ? 2 : 1);
}

/* ---- the tail ---- */

static void tail_put(struct tail *tail, const void *data, size_t len)
{
	size_t at = tail->next % TAIL_SIZE;
	size_t first = TAIL_SIZE - at < len ? TAIL_SIZE - at : len;

	memcpy(tail->ring + at, data, first);
	memcpy(tail->ring, (const char *)data + first, len - first);
	tail->next += len;
}

static void tail_get(const struct tail *tail, uint64_t offset, void *data, size_t len)
{
	size_t at = offset % TAIL_SIZE;
	size_t first = TAIL_SIZE - at < len ? TAIL_SIZE - at : len;

	memcpy(data, tail->ring + at, first);
	memcpy((char *)data + first, tail->ring, len - first);
}

static void tail_add(struct tail *tail, const struct tail_entry *entry, const char *text)
{
	uint64_t end = tail->next + sizeof(*entry) + entry->size;

	while (end - tail->oldest > TAIL_SIZE) {
		struct tail_entry gone;

		tail_get(tail, tail->oldest, &gone, sizeof(gone));
		tail->oldest += sizeof(gone) + gone.size;
	}
	tail_put(tail, entry, sizeof(*entry));
	tail_put(tail, text, entry->size);
}

uint64_t tail_read(const struct tail *tail, uint64_t offset, struct tail_entry *entry, char *text,
		   size_t size, bool *lost)
{
	*lost = offset < tail->oldest;
	if (*lost)
		offset = tail->oldest;
	if (offset >= tail->next)
		return 0;
	tail_get(tail, offset, entry, sizeof(*entry));
	if (size)
		tail_get(tail, offset + sizeof(*entry), text,
			 entry->size < size ? entry->size : size);
	return offset + sizeof(*entry) + entry->size;
}

/* ---- lines of services ---- */

/* How many bytes the text takes inside a JSON string, or writes it there when `out` is set. */
static size_t json_escape(char *out, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];
		char escaped[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		size_t size = 1;

		if (c == '"' || c == '\\') {
			escaped[1] = (char)c;
			size = 2;
		} else if (c < 0x20 || c == 0x7f) {
			size = 6;
		} else {
			escaped[0] = (char)c;
		}
		if (out)
			memcpy(out + n, escaped, size);
		n += size;
	}
	return n;
}

static void json_line(struct supervisor *sup, const struct service *service, unsigned which,
		      const char *text, size_t len)
{
	static char body[LINE_MAX_BYTES * 6];
	char head[256], time[32];
	struct iovec parts[3];
	int n;

	n = snprintf(head, sizeof(head),
		     "{\"time\":\"%s\",\"service\":\"%s\",\"stream\":\"%s\",\"message\":\"",
		     format_time(time, sizeof(time), clock_realtime()), service->config->name,
		     which == 1 ? "stdout" : "stderr");
	parts[0] = (struct iovec){head, (size_t)n};
	parts[1] = (struct iovec){body, json_escape(body, text, len)};
	parts[2] = (struct iovec){"\"}\n", 3};
	sink_line(sup, &sup->output.sinks[which - 1], parts, 3);
}

static void prefixed_line(struct supervisor *sup, const struct service *service, unsigned which,
			  const char *text, size_t len)
{
	char head[96];
	int n = snprintf(head, sizeof(head), "%s%-*s | ", sup->output.progress ? "\r\033[K" : "",
			 (int)sup->output.name_width, service->config->name);
	struct iovec parts[3] = {{head, (size_t)n}, {(char *)(uintptr_t)text, len}, {"\n", 1}};

	sup->output.progress = false;
	sink_line(sup, &sup->output.sinks[which - 1], parts, 3);
}

static void stream_line(struct supervisor *sup, struct stream *stream, const char *text, size_t len)
{
	struct service *service = stream->service;
	struct tail_entry entry = {.time_realtime = clock_realtime(),
				   .slot = stream->service->slot,
				   .stream = stream->which,
				   .size = (uint32_t)len};

	if (len && text[len - 1] == '\r')
		len = entry.size = (uint32_t)(len - 1);
	if (service->config->policy->log != LOG_NONE)
		tail_add(&sup->output.tail, &entry, text);
	if (service->config->policy->log == LOG_JSON)
		json_line(sup, service, stream->which, text, len);
	else if (service->config->policy->log == LOG_PREFIX)
		prefixed_line(sup, service, stream->which, text, len);
	probe_log_line(sup, service, text, len);
}

/* Keeps the beginning of a line until the rest comes; passes on what gets too long. */
static void stream_keep(struct supervisor *sup, struct stream *stream, const char *text, size_t len)
{
	while (len) {
		size_t room = LINE_MAX_BYTES - stream->used;
		size_t part = len < room ? len : room;

		memcpy(stream->partial + stream->used, text, part);
		stream->used += (uint32_t)part;
		text += part;
		len -= part;
		if (stream->used == LINE_MAX_BYTES) {
			stream_line(sup, stream, stream->partial, stream->used);
			stream->used = 0;
		}
	}
}

static void stream_take(struct supervisor *sup, struct stream *stream, const char *text, size_t len)
{
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t part = end ? (size_t)(end - text) : len;

		if (!end || stream->used) {
			stream_keep(sup, stream, text, part);
			if (!end)
				return;
			stream_line(sup, stream, stream->partial, stream->used);
			stream->used = 0;
		} else {
			stream_line(sup, stream, text, part);
		}
		text += part + 1;
		len -= part + 1;
	}
}

static ssize_t stream_read(struct supervisor *sup, struct stream *stream)
{
	static char buffer[LINE_MAX_BYTES];
	ssize_t n = read(stream->source.fd, buffer, sizeof(buffer));

	if (n > 0)
		stream_take(sup, stream, buffer, (size_t)n);
	return n;
}

/* One buffer a turn: a service that floods gets no more than its share. */
static void stream_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct stream *stream = container_of(source, struct stream, source);
	ssize_t n = stream_read(supervisor_of(loop), stream);

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		loop_remove(loop, source); /* cannot happen while we hold the other end */
}

static bool stream_open_one(struct supervisor *sup, struct stream *stream)
{
	if (stream->write_end >= 0)
		return true;
	stream->source.ready = stream_ready;
	stream->source.class = CLASS_FACT;
	stream->write_end = loop_add_pipe(&sup->loop, &stream->source);
	return stream->write_end >= 0;
}

bool stream_open(struct supervisor *sup, struct service *service)
{
	if (!service->streams)
		return true;
	return stream_open_one(sup, &service->streams[0]) &&
	       stream_open_one(sup, &service->streams[1]);
}

void stream_finish(struct supervisor *sup, struct service *service)
{
	for (unsigned i = 0; service->streams && i < 2; i++) {
		struct stream *stream = &service->streams[i];

		if (stream->write_end < 0)
			continue;
		/* bounded: something that escaped may still be writing */
		for (unsigned n = 0; n < 64 && stream_read(sup, stream) > 0; n++)
			;
		if (stream->used)
			stream_line(sup, stream, stream->partial, stream->used);
		stream->used = 0;
	}
}

void stream_close(struct supervisor *sup, struct service *service)
{
	stream_finish(sup, service);
	for (unsigned i = 0; service->streams && i < 2; i++) {
		struct stream *stream = &service->streams[i];

		loop_close(&sup->loop, &stream->source);
		if (stream->write_end >= 0)
			close(stream->write_end);
		stream->write_end = -1;
	}
}
