/* SPDX-License-Identifier: MIT */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "clock.h"
#include "feed.h"
#include "handlers.h"
#include "loop.h"
#include "mem.h"
#include "server.h"
#include "sidecar.h"
#include "str.h"

#define BLOCK       2048  /* bytes of a piece of the answer */
#define SEND_BUFFER 16384 /* what the kernel may keep for a client that does not read */

struct stream {
	struct feed_reader reader;
	struct stream *next, *previous;
	struct events *events;
	struct MHD_Connection *connection;
	int fd;
	bool local;
	bool resting;
	bool beat; /* a comment is due */
	char opening[192];
	size_t opening_len, opening_at;
};

struct events {
	struct sidecar *sidecar;
	struct stream *streams;
	unsigned count, remote;
	bool stopped;
	struct loop_timer beat;
};

/* ---- rest and waking ---- */

static void stream_wake(struct stream *stream)
{
	if (!stream->resting)
		return;
	stream->resting = false;
	loop_forget(stream->events->sidecar->loop, stream->fd);
	server_wake(stream->connection);
}

static void reader_wake(struct feed_reader *reader)
{
	stream_wake((struct stream *)reader);
}

/* It said that it will not read any more, or is gone. */
static void client_left(void *data, int fd, uint32_t events)
{
	struct stream *stream = data;

	(void)fd;
	(void)events;
	stream_wake(stream);
	server_end(stream->connection);
}

/* While suspended, libmicrohttpd does not look at the connection: we do. */
static void stream_rest(struct stream *stream)
{
	stream->resting = true;
	server_rest(stream->connection);
	loop_watch(stream->events->sidecar->loop, stream->fd, EPOLLRDHUP, client_left, stream);
}

static void beat_due(void *data, uint64_t now)
{
	struct events *events = data;

	for (struct stream *stream = events->streams; stream; stream = stream->next) {
		stream->beat = stream->resting;
		stream_wake(stream);
	}
	loop_arm(events->sidecar->loop, &events->beat, now + BEAT_SECONDS * NSEC_PER_SEC);
}

/* ---- what is sent ---- */

static size_t put_opening(struct stream *stream, char *buffer, size_t size)
{
	size_t len = stream->opening_len - stream->opening_at;

	if (len > size)
		len = size;
	memcpy(buffer, stream->opening + stream->opening_at, len);
	stream->opening_at += len;
	return len;
}

static ssize_t stream_read(void *data, uint64_t position, char *buffer, size_t size)
{
	static const char comment[] = ":\n\n";
	struct stream *stream = data;
	size_t done = put_opening(stream, buffer, size);
	ssize_t len;

	(void)position;
	if (stream->events->stopped || server_is_ended(stream->connection))
		return MHD_CONTENT_READER_END_WITH_ERROR;
	len = feed_read(stream->events->sidecar->feed, &stream->reader, buffer + done, size - done);
	if (len < 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	done += (size_t)len;
	if (!done && stream->beat && size >= sizeof(comment)) {
		memcpy(buffer, comment, sizeof(comment) - 1);
		done = sizeof(comment) - 1;
	}
	stream->beat = false;
	if (done)
		server_more_time(stream->connection); /* it has taken the last piece */
	else
		stream_rest(stream);
	return (ssize_t)done;
}

/* A number without text sets what the client will name when it comes again, and nothing else. */
static void write_opening(struct stream *stream, bool known)
{
	unsigned long long last = feed_last(stream->events->sidecar->feed);
	int len;

	if (known)
		len = snprintf(stream->opening, sizeof(stream->opening), "retry: %d\nid: %llu\n\n",
			       RETRY_MS, (unsigned long long)stream->reader.at - 1);
	else
		len = snprintf(stream->opening, sizeof(stream->opening),
			       "retry: %d\nid: %llu\nevent: reset\ndata: {\"reason\":\"the events "
			       "after Last-Event-ID are not known any more\"}\n\n",
			       RETRY_MS, last);
	stream->opening_len = (size_t)len;
}

/* ---- life ---- */

static void stream_free(void *data)
{
	struct stream *stream = data;
	struct events *events = stream->events;

	if (stream->resting)
		loop_forget(events->sidecar->loop, stream->fd);
	feed_leave(events->sidecar->feed, &stream->reader);
	if (stream->previous)
		stream->previous->next = stream->next;
	else
		events->streams = stream->next;
	if (stream->next)
		stream->next->previous = stream->previous;
	events->count--;
	if (!stream->local)
		events->remote--;
	free(stream);
	if (!events->count)
		loop_disarm(events->sidecar->loop, &events->beat);
}

static int socket_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static void stream_add(struct events *events, struct stream *stream)
{
	uint64_t now = loop_now(events->sidecar->loop);

	stream->next = events->streams;
	if (stream->next)
		stream->next->previous = stream;
	events->streams = stream;
	events->count++;
	if (!stream->local)
		events->remote++;
	if (!loop_armed(&events->beat))
		loop_arm(events->sidecar->loop, &events->beat, now + BEAT_SECONDS * NSEC_PER_SEC);
}

/* The number in Last-Event-ID; 0: there is none; UINT64_MAX: it is none of ours. */
static uint64_t last_seen(struct MHD_Connection *connection)
{
	const char *value =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");
	uint64_t last = 0;

	if (!value || !*value)
		return 0;
	return parse_uint(value, UINT64_MAX - 1, &last) && last ? last : UINT64_MAX;
}

static struct stream *stream_create(struct events *events, struct MHD_Connection *connection)
{
	const int size = SEND_BUFFER;
	struct stream *stream = mem_alloc(sizeof(*stream));

	stream->events = events;
	stream->connection = connection;
	stream->local = server_is_local(connection);
	stream->fd = socket_of(connection);
	stream->reader.wake = reader_wake;
	setsockopt(stream->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	stream_add(events, stream);
	write_opening(stream,
		      feed_join(events->sidecar->feed, &stream->reader, last_seen(connection)));
	return stream;
}

static ssize_t read_nothing(void *data, uint64_t position, char *buffer, size_t size)
{
	(void)data;
	(void)position;
	(void)buffer;
	(void)size;
	return MHD_CONTENT_READER_END_OF_STREAM;
}

/* The library would end even the absent body with a last chunk, so there are to be no chunks. */
static struct MHD_Response *make_head(void)
{
	struct MHD_Response *response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK,
									  read_nothing, NULL, NULL);

	if (response)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_RO_END);
	return response;
}

static struct MHD_Response *make_stream(struct events *events, const struct request *request)
{
	struct MHD_Response *response;
	struct stream *stream;

	if (request->head)
		return make_head();
	stream = stream_create(events, request->connection);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, stream_read, stream,
						     stream_free);
	if (!response)
		stream_free(stream);
	return response;
}

static bool has_place(const struct events *events, const struct request *request)
{
	if (request->head)
		return true;
	return !events->stopped && events->count < STREAMS_MAX &&
	       (events->remote < STREAMS_REMOTE_MAX || server_is_local(request->connection));
}

void events_report(struct request *request, struct reply *reply)
{
	struct events *events = request->sidecar->events;

	if (!has_place(events, request)) {
		reply->status = 503;
		reply->retry_after = 10;
		text_put(&reply->body, "too many follow the events already\n");
		return;
	}
	reply->type = "text/event-stream";
	reply->response = make_stream(events, request);
}

struct events *events_create(struct sidecar *sidecar)
{
	struct events *events = mem_alloc(sizeof(*events));

	events->sidecar = sidecar;
	events->beat.call = beat_due;
	events->beat.data = events;
	return events;
}

void events_stop(struct events *events)
{
	events->stopped = true;
	for (struct stream *stream = events->streams; stream; stream = stream->next)
		stream_wake(stream);
}

void events_destroy(struct events *events)
{
	free(events);
}
