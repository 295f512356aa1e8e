/* SPDX-License-Identifier: MIT */
#include "dns_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept.h"
#include "clock.h"
#include "dns.h"
#include "dns_packet.h"
#include "loop.h"
#include "mem.h"

struct dns_stream {
	struct dns_streams *streams;
	struct dns_stream *next;
	struct dns_client client;
	int fd;
	bool waits; /* for its answer: it is not read meanwhile */
	uint64_t since;
	struct loop_timer timer;
	size_t in_size;
	uint8_t in[2 + DNS_QUERY_MOST];
	uint8_t *out; /* what could not be written yet; NULL: nothing */
	size_t out_size, out_done;
};

struct dns_streams {
	struct loop *loop;
	struct dns *dns;
	struct dns_stream *list;
	unsigned count;
	struct spare spare;
};

static void close_stream(struct dns_stream *stream)
{
	struct dns_streams *streams = stream->streams;
	struct dns_stream **at = &streams->list;

	while (*at != stream)
		at = &(*at)->next;
	*at = stream->next;
	streams->count--;
	dns_forget(streams->dns, stream);
	loop_disarm(streams->loop, &stream->timer);
	loop_forget(streams->loop, stream->fd);
	close(stream->fd);
	free(stream->out);
	free(stream);
}

static void too_late(void *data, uint64_t now)
{
	(void)now;
	close_stream(data);
}

static void stream_ready(void *data, int fd, uint32_t events);

/* What it may do next, and until when. */
static void set_watch(struct dns_stream *stream)
{
	struct loop *loop = stream->streams->loop;
	uint32_t events = stream->out ? EPOLLOUT : stream->waits ? 0 : EPOLLIN;

	stream->since = clock_monotonic();
	loop_watch(loop, stream->fd, events, stream_ready, stream);
	loop_arm(loop, &stream->timer, stream->since + DNS_STREAM_SECONDS * NSEC_PER_SEC);
}

/* ---- out ---- */

/* False: the other side is gone. */
static bool write_out(struct dns_stream *stream)
{
	ssize_t n = send(stream->fd, stream->out + stream->out_done,
			 stream->out_size - stream->out_done, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	stream->out_done += (size_t)n;
	if (stream->out_done == stream->out_size) {
		free(stream->out);
		stream->out = NULL;
	}
	return true;
}

static bool put_out(struct dns_stream *stream, const uint8_t *answer, size_t size)
{
	stream->out = mem_alloc(size + 2);
	stream->out_size = size + 2;
	stream->out_done = 0;
	dns_put_two(stream->out, (unsigned)size);
	memcpy(stream->out + 2, answer, size);
	return write_out(stream);
}

/* ---- in ---- */

/* Takes one question out of what was read. False: there is no whole one, or the connection is of
 * no use any more (*good). */
static bool take_question(struct dns_stream *stream, bool *good)
{
	uint8_t answer[DNS_UDP_MOST];
	size_t size, whole;

	whole = stream->in_size < 2 ? 2 : 2 + dns_two(stream->in);
	if (whole > sizeof(stream->in))
		*good = false;
	if (stream->in_size < 2 || whole > stream->in_size)
		return false;
	size = dns_take(stream->streams->dns, stream->in + 2, whole - 2, &stream->client, answer,
			&stream->waits);
	stream->in_size -= whole;
	memmove(stream->in, stream->in + whole, stream->in_size);
	*good = size ? put_out(stream, answer, size) : stream->waits;
	return *good;
}

/* False: close it. */
static bool take_questions(struct dns_stream *stream)
{
	bool good = true;

	while (!stream->out && !stream->waits && take_question(stream, &good))
		;
	return good;
}

static bool read_in(struct dns_stream *stream)
{
	ssize_t n = recv(stream->fd, stream->in + stream->in_size,
			 sizeof(stream->in) - stream->in_size, MSG_DONTWAIT);

	if (n > 0)
		stream->in_size += (size_t)n;
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void stream_ready(void *data, int fd, uint32_t events)
{
	struct dns_stream *stream = data;
	bool good;

	(void)fd;
	if (!stream->out && stream->waits)
		good = !(events & (EPOLLERR | EPOLLHUP));
	else
		good = stream->out ? write_out(stream) : read_in(stream);
	if (good && take_questions(stream))
		set_watch(stream);
	else
		close_stream(stream);
}

void dns_stream_reply(struct dns_stream *stream, const uint8_t *answer, size_t size)
{
	stream->waits = false;
	if (put_out(stream, answer, size) && take_questions(stream))
		set_watch(stream);
	else
		close_stream(stream);
}

/* ---- connections ---- */

static void make_room(struct dns_streams *streams)
{
	struct dns_stream *oldest = streams->list;

	for (struct dns_stream *stream = streams->list; stream; stream = stream->next)
		if (stream->since < oldest->since)
			oldest = stream;
	close_stream(oldest);
}

static void add_stream(struct dns_streams *streams, int fd, int port, const union address *peer)
{
	struct dns_stream *stream;

	if (streams->count == DNS_STREAMS_MAX)
		make_room(streams);
	stream = mem_alloc(sizeof(*stream));
	stream->streams = streams;
	stream->fd = fd;
	stream->client = (struct dns_client){.fd = port, .peer = *peer, .stream = stream};
	stream->timer.call = too_late;
	stream->timer.data = stream;
	stream->next = streams->list;
	streams->list = stream;
	streams->count++;
	set_watch(stream);
}

void dns_streams_accept(struct dns_streams *streams, int fd)
{
	for (int i = 0; i < DNS_STREAMS_MAX; i++) {
		union address peer;
		int one = accept_next(&streams->spare, fd, &peer);

		if (one == -1)
			return;
		if (one >= 0)
			add_stream(streams, one, fd, &peer);
	}
}

struct dns_streams *dns_streams_create(struct loop *loop, struct dns *dns)
{
	struct dns_streams *streams = mem_alloc(sizeof(*streams));

	streams->loop = loop;
	streams->dns = dns;
	spare_open(&streams->spare);
	return streams;
}

void dns_streams_destroy(struct dns_streams *streams)
{
	while (streams->list)
		close_stream(streams->list);
	spare_close(&streams->spare);
	free(streams);
}
