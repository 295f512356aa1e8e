/* SPDX-License-Identifier: MIT */
#include "output.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "json_line.h"
#include "log.h"
#include "probes.h"
#include "str.h"
#include "supervisor.h"

static struct supervisor *own_lines_to; /* log lines have no loop to be found from */

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
	uint64_t dropped =
		output->sinks[0].dropped + output->sinks[1].dropped + output->files_dropped;

	if (dropped == output->published)
		return;
	output->published = dropped;
	status_header_begin(&sup->page)->log_dropped = dropped;
	status_header_end(&sup->page);
}

/* Those that waited for the sink are read again. */
static void resume_streams(struct supervisor *sup, unsigned which)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct stream *stream = sup->services[i]->streams;

		if (!stream || !stream[which].held)
			continue;
		stream[which].held = false;
		loop_modify(&sup->loop, &stream[which].source, EPOLLIN);
	}
}

void output_flush(struct supervisor *sup)
{
	for (unsigned i = 0; i < 2; i++) {
		sink_flush(&sup->loop, &sup->output.sinks[i]);
		if (sink_may_resume(&sup->loop, &sup->output.sinks[i]))
			resume_streams(sup, i);
	}
	publish_drops(sup);
}

void output_drain(struct supervisor *sup, int ms)
{
	uint64_t until = clock_monotonic() + msec((uint64_t)ms);

	sink_drain(&sup->output.sinks[0], until);
	sink_drain(&sup->output.sinks[1], until);
}

static struct iovec text_part(const char *text)
{
	return (struct iovec){(char *)(uintptr_t)text, strlen(text)};
}

/* The first part is free for what takes a line of progress away. */
static void put_line(struct supervisor *sup, unsigned which, struct iovec *parts, unsigned count,
		     bool own)
{
	bool progress = sup->output.progress;

	parts[0] = text_part("\r\033[K");
	sup->output.progress = false;
	sink_line(&sup->loop, &sup->output.sinks[which - 1], progress ? parts : parts + 1,
		  progress ? count : count - 1, own);
}

void output_own_line(const char *line, size_t len)
{
	struct iovec parts[2] = {{0}, {(char *)(uintptr_t)line, len}};

	put_line(own_lines_to, 2, parts, 2, true);
}

/* ---- lines of services ---- */

/* Beside the name, what a line gets at most. */
#define JSON_EXTRA   128
#define PREFIX_EXTRA 8

/* To the millisecond: lines that come together are not formatted one by one. */
static const char *time_text(uint64_t now)
{
	static char text[32];
	static uint64_t last;

	if (now / NSEC_PER_MSEC != last || !*text)
		format_time(text, sizeof(text), now);
	last = now / NSEC_PER_MSEC;
	return text;
}

/* An object stays one, and its bytes what they are; any other line becomes a text. */
static void json_line(struct supervisor *sup, const struct service *service, unsigned which,
		      uint64_t now, const char *text, size_t len)
{
	static char body[LINE_MAX_BYTES * 6];
	bool object = json_line_is_object(text, len);
	struct iovec parts[] = {
		{0},
		text_part("{\"time\":\""),
		text_part(time_text(now)),
		text_part("\",\"service\":\""),
		text_part(service->config->name),
		text_part(which == 1 ? "\",\"stream\":\"stdout\"," : "\",\"stream\":\"stderr\","),
		text_part(object ? "\"log\":" : "\"message\":\""),
		{object ? (char *)(uintptr_t)text : body, len},
		text_part(object ? "}\n" : "\"}\n"),
	};

	if (!object)
		parts[7].iov_len = json_line_escape(body, text, len);
	put_line(sup, which, parts, sizeof(parts) / sizeof(parts[0]), false);
}

static void prefixed_line(struct supervisor *sup, const struct service *service, unsigned which,
			  const char *text, size_t len)
{
	static const char spaces[] = "                         | ";
	const char *name = service->config->name;
	size_t size = strlen(name), pad = sup->output.name_width;
	struct iovec parts[5] = {{0},
				 {(char *)(uintptr_t)name, size},
				 {NULL, 0},
				 {(char *)(uintptr_t)text, len},
				 {(char *)(uintptr_t) "\n", 1}};

	pad = 3 + (pad > size ? pad - size : 0);
	parts[2].iov_base = (char *)(uintptr_t)spaces + sizeof(spaces) - 1 - pad;
	parts[2].iov_len = pad;
	put_line(sup, which, parts, 5, false);
}

static void stream_line(struct supervisor *sup, struct stream *stream, const char *text, size_t len)
{
	struct service *service = stream->service;
	uint64_t now = clock_realtime();
	uint8_t log = service->config->policy->log;

	if (len && text[len - 1] == '\r')
		len--;
	if (log != LOG_NONE)
		tail_add(&sup->output.tail, &stream->share, now, service->slot, stream->which, text,
			 len);
	if (log == LOG_JSON)
		json_line(sup, service, stream->which, now, text, len);
	else if (log == LOG_PREFIX)
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

/* So much that the sink has room for it, even if all of it is newlines, or bytes to be escaped. */
static size_t read_size(const struct supervisor *sup, const struct stream *stream)
{
	const struct service_config *config = stream->service->config;
	const struct sink *sink = &sup->output.sinks[stream->which - 1];
	size_t name = strlen(config->name), room = SINK_SIZE - sink->used;
	size_t most = config->policy->log == LOG_JSON ? name + JSON_EXTRA
		      : name > sup->output.name_width ? name + PREFIX_EXTRA
						      : sup->output.name_width + PREFIX_EXTRA;

	if (room <
	    2 * 6 * LINE_MAX_BYTES) /* a stop with a stalled reader: what is lost is counted */
		return LINE_MAX_BYTES;
	room = (room - 6 * LINE_MAX_BYTES) / most;
	return room < LINE_MAX_BYTES ? room : LINE_MAX_BYTES;
}

static ssize_t stream_read(struct supervisor *sup, struct stream *stream)
{
	static char buffer[LINE_MAX_BYTES];
	ssize_t n = read(stream->source.fd, buffer, read_size(sup, stream));

	if (n > 0)
		stream_take(sup, stream, buffer, (size_t)n);
	return n;
}

/* Only what is shown has to wait until it can be. */
static bool has_to_wait(struct supervisor *sup, const struct stream *stream)
{
	return stream->service->config->policy->log != LOG_NONE &&
	       sink_is_full(&sup->loop, &sup->output.sinks[stream->which - 1]);
}

/* One buffer a turn: a service that floods gets no more than its share. */
static void stream_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct stream *stream = container_of(source, struct stream, source);

	(void)events;
	if (has_to_wait(supervisor_of(loop), stream)) {
		stream->held = true;
		loop_modify(loop, source, 0);
		return;
	}
	/* we hold the other end, too: there is no end of it, and an error passes by */
	loop->failed |= stream_read(supervisor_of(loop), stream) <= 0;
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
		stream->held = false;
	}
}

void stream_forget(struct supervisor *sup, struct service *service)
{
	for (unsigned i = 0; service->streams && i < 2; i++)
		tail_forget(&sup->output.tail, &service->streams[i].share);
}
