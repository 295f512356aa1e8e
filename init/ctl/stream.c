/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "args.h"
#include "clock.h"
#include "json_out.h"
#include "log.h"
#include "names.h"
#include "states.h"
#include "text.h"
#include "view.h"

/* Verbs that show what init sends until it, or the user, ends it: logs and events. */

#define NAMES_MAX ((WIRE_BODY_MAX - sizeof(struct wire_logs)) / sizeof(wire_name))
typedef char wire_name[64];

struct stream {
	struct client client;
	struct message message;
};

static int stream_begin(const struct ctl *ctl, struct stream *stream, enum wire_type type,
			const void *body, size_t size, const void *tail, size_t tail_size)
{
	uint64_t deadline = clock_monotonic() + msec(CLIENT_PATIENCE_MS);
	int error = client_connect(&stream->client, ctl->run_dir, deadline);

	if (!error)
		error = client_send(&stream->client, type, body, size, tail, tail_size, deadline);
	if (!error)
		return CTL_DONE;
	client_close(&stream->client);
	return client_complain(ctl, error);
}

/* Says how many were lost, in a message of init. */
static void say_lost(const struct message *message, const char *what)
{
	uint64_t lost;

	if (message->size < sizeof(lost))
		return;
	memcpy(&lost, message->body, sizeof(lost));
	fflush(stdout);
	log_warning("%" PRIu64 " %s were gone before they could be read", lost, what);
}

/* ---- logs ---- */

struct logs {
	bool follow;
	bool times;
	bool prefix;
	bool colour;
	bool terminal;  /* so what services print must not get there as it is */
	bool within;    /* a line whose rest is to come */
	bool coloured;  /* by the service itself */
	uint32_t width; /* of the longest name */
	uint32_t since; /* ms; 0: from the beginning */
	uint64_t from;  /* CLOCK_REALTIME */
};

/* Hours to milliseconds of the local day. */
static char *format_clock(char *buffer, size_t size, uint64_t realtime)
{
	time_t seconds = (time_t)(realtime / NSEC_PER_SEC);
	struct tm tm;

	if (!localtime_r(&seconds, &tm))
		tm = (struct tm){0};
	snprintf(buffer, size, "%02d:%02d:%02d.%03u", tm.tm_hour, tm.tm_min, tm.tm_sec,
		 (unsigned)(realtime % NSEC_PER_SEC / NSEC_PER_MSEC));
	return buffer;
}

static void print_head(const struct logs *logs, const struct wire_line *line)
{
	/* red stays for what is wrong */
	static const char *const colours[] = {"\033[36m", "\033[33m", "\033[32m", "\033[35m",
					      "\033[34m"};
	char when[32];

	if (logs->times)
		printf("%s ", format_clock(when, sizeof(when), line->time_realtime));
	if (logs->prefix && logs->colour)
		printf("%s%-*s |\033[0m ", colours[line->service % 5], (int)logs->width,
		       line->name);
	else if (logs->prefix)
		printf("%-*s | ", (int)logs->width, line->name);
}

static void end_line(struct logs *logs)
{
	if (logs->within)
		fputs(logs->coloured ? "\033[0m\n" : "\n", stdout);
	logs->within = logs->coloured = false;
}

/* A line, or a part of a long one. */
static void print_line(struct logs *logs, const struct message *message)
{
	struct wire_line line;

	if (message->size < sizeof(line))
		return;
	memcpy(&line, message->body, sizeof(line));
	line.name[sizeof(line.name) - 1] = '\0';
	if (line.time_realtime < logs->from)
		return;
	if (!(line.part & WIRE_PART_LATER)) {
		end_line(logs);
		print_head(logs, &line);
	}
	if (logs->terminal)
		logs->coloured |= text_put(stdout, message->body + sizeof(line),
					   message->size - sizeof(line), logs->colour);
	else
		fwrite(message->body + sizeof(line), 1, message->size - sizeof(line), stdout);
	logs->within = true;
	if (!(line.part & WIRE_PART_MORE))
		end_line(logs);
}

/* Without --follow init says when it was all; with it, its end is the end. */
static int print_lines(const struct ctl *ctl, struct stream *stream, struct logs *logs)
{
	uint64_t patience = msec(CLIENT_PATIENCE_MS);
	int error;

	for (;;) {
		error = client_receive(&stream->client, &stream->message,
				       logs->follow ? NEVER : clock_monotonic() + patience);
		if (error)
			end_line(logs);
		if (error == -ECONNRESET && logs->follow)
			return CTL_DONE;
		if (error)
			return client_complain(ctl, error);
		if (stream->message.type == WIRE_LINE)
			print_line(logs, &stream->message);
		else
			end_line(logs);
		if (stream->message.type == WIRE_LOST)
			say_lost(&stream->message, "lines");
		else if (stream->message.type != WIRE_LINE)
			return client_verdict(&stream->message);
		if (logs->follow)
			fflush(stdout);
		if (ferror(stdout))
			return CTL_FALSE;
	}
}

/* Fills the names of the request; 0 or an enum ctl_exit. */
static int fill_names(const struct ctl *ctl, wire_name *names, char **argv, int count)
{
	int i;

	if ((size_t)count > NAMES_MAX)
		return args_wrong(ctl, "more than %zu names", NAMES_MAX);
	for (i = 0; i < count; i++) {
		if (!*argv[i] || strlen(argv[i]) >= sizeof(wire_name)) {
			log_error("there is no service '%s'", argv[i]);
			return CTL_NOT_FOUND;
		}
		strcpy(names[i], argv[i]);
	}
	return CTL_DONE;
}

/* So wide that all names that may come fit. Without a page the names are simply not aligned. */
static uint32_t name_width(const struct ctl *ctl, char **names)
{
	struct view view;
	uint32_t i, width = 0;
	size_t len;

	for (i = 0; names[i]; i++)
		if (strlen(names[i]) > width)
			width = (uint32_t)strlen(names[i]);
	if (i)
		return width;
	if (view_open(&view, ctl->run_dir))
		return 0;
	for (i = 0; i < view.header.record_count; i++) {
		len = strlen(view.records[i].name);
		if (len > width && view_counts(&view.records[i]))
			width = (uint32_t)len;
	}
	view_close(&view);
	return width;
}

int verb_logs(struct ctl *ctl, char **argv)
{
	struct wire_logs request = {.lines = UINT32_MAX};
	struct logs logs = {.terminal = ctl->out_is_terminal};
	wire_name names[NAMES_MAX] = {{0}};
	const struct arg_option options[] = {{"follow", 'f', ARG_FLAG, &logs.follow},
					     {"lines", 'n', ARG_COUNT, &request.lines},
					     {"since", 0, ARG_DURATION, &logs.since},
					     {"timestamps", 't', ARG_FLAG, &logs.times}};
	struct stream stream;
	int exit_code, count = args_parse(ctl, argv, options, 4, &exit_code);

	if (count < 0)
		return exit_code;
	logs.colour = ctl->colour; /* --no-color may have come behind the verb */
	argv = names_look_up(ctl, argv, &count);
	exit_code = fill_names(ctl, names, argv, count);
	if (exit_code)
		return exit_code;
	request.follow = logs.follow;
	request.names = (uint32_t)count;
	logs.prefix = count != 1;
	logs.width = logs.prefix ? name_width(ctl, argv) : 0;
	if (logs.since)
		logs.from = clock_realtime() - msec(logs.since);
	exit_code = stream_begin(ctl, &stream, WIRE_LOGS, &request, sizeof(request), names,
				 (size_t)count * sizeof(wire_name));
	if (exit_code)
		return exit_code;
	exit_code = print_lines(ctl, &stream, &logs);
	client_close(&stream.client);
	return exit_code;
}

/* ---- events ---- */

struct events {
	bool json;
	bool colour;
	char **names; /* NULL-ended; empty: all */
};

static const char *word_of(const struct wire_event *event, unsigned state)
{
	return event->service == WIRE_EVENT_SYSTEM ? phase_name(state) : state_name(state);
}

static void print_address_json(const struct wire_event *event)
{
	struct json_out json;

	json_begin(&json, stdout, false);
	json_object_begin(&json, NULL);
	json_time(&json, "time", event->time_realtime);
	json_text(&json, "address", event->name);
	json_text(&json, "to", event->reason);
	json_object_end(&json);
	json_end(&json);
}

static void print_event_json(const struct wire_event *event)
{
	struct json_out json;

	if (event->service == WIRE_EVENT_ADDRESS) {
		print_address_json(event);
		return;
	}
	json_begin(&json, stdout, false);
	json_object_begin(&json, NULL);
	json_time(&json, "time", event->time_realtime);
	json_text(&json, "service", event->service == WIRE_EVENT_SYSTEM ? NULL : event->name);
	json_text(&json, "from", word_of(event, event->old_state));
	json_text(&json, "to", word_of(event, event->state));
	if (event->pid)
		json_int(&json, "pid", event->pid);
	else
		json_nothing(&json, "pid");
	if (event->last_exit >= 0 && event->service != WIRE_EVENT_SYSTEM)
		json_int(&json, "last_exit", event->last_exit);
	else
		json_nothing(&json, "last_exit");
	json_text(&json, "reason", event->reason[0] ? event->reason : NULL);
	json_object_end(&json);
	json_end(&json);
}

static void print_event_text(const struct events *events, const struct wire_event *event)
{
	bool system = event->service == WIRE_EVENT_SYSTEM;
	enum colour colour = !events->colour ? COLOUR_NONE
			     : system        ? colour_of_phase(event->state)
					     : colour_of_state(event->state);
	char when[32], reason[sizeof(event->reason)], name[STATUS_NAME_MAX];

	text_clean(reason, sizeof(reason), event->reason, 0);
	if (event->service == WIRE_EVENT_ADDRESS) {
		printf("%s address %s -> %s\n",
		       format_clock(when, sizeof(when), event->time_realtime),
		       text_name(name, event->name), reason);
		return;
	}
	printf("%s %s %s -> %s%s%s%s%s\n", format_clock(when, sizeof(when), event->time_realtime),
	       system ? "(all)" : text_name(name, event->name), word_of(event, event->old_state),
	       colour_begin(colour), word_of(event, event->state), colour_end(colour),
	       *reason ? ": " : "", reason);
}

static bool is_named(const struct events *events, const struct wire_event *event)
{
	char **name = events->names;

	if (!*name)
		return true;
	while (*name && strcmp(*name, event->name) != 0)
		name++;
	return *name && event->service != WIRE_EVENT_SYSTEM;
}

static void print_event(const struct events *events, const struct message *message)
{
	struct wire_event event;

	if (message->size < sizeof(event))
		return;
	memcpy(&event, message->body, sizeof(event));
	event.name[sizeof(event.name) - 1] = '\0';
	event.reason[sizeof(event.reason) - 1] = '\0';
	if (!is_named(events, &event))
		return;
	if (events->json)
		print_event_json(&event);
	else
		print_event_text(events, &event);
	fflush(stdout);
}

static int print_events(const struct ctl *ctl, struct stream *stream, const struct events *events)
{
	int error = client_receive(&stream->client, &stream->message,
				   clock_monotonic() + msec(CLIENT_PATIENCE_MS));

	if (error)
		return client_complain(ctl, error);
	error = client_verdict(&stream->message);
	if (error)
		return error;
	while (!ferror(stdout)) {
		error = client_receive(&stream->client, &stream->message, NEVER);
		if (error == -ECONNRESET)
			return CTL_DONE; /* init has ended: these were all */
		if (error)
			return client_complain(ctl, error);
		if (stream->message.type == WIRE_EVENT)
			print_event(events, &stream->message);
		else if (stream->message.type == WIRE_LOST)
			say_lost(&stream->message, "events");
	}
	return CTL_FALSE;
}

/* Names that nobody has would wait for ever. */
static int check_names(const struct ctl *ctl, char **names)
{
	struct view view;
	int result;

	if (!*names)
		return CTL_DONE;
	result = view_open_for(&view, ctl);
	if (result)
		return result;
	for (; *names && !result; names++) {
		if (view_find(&view, *names) < 0) {
			log_error("there is no service '%s'", *names);
			result = CTL_NOT_FOUND;
		}
	}
	view_close(&view);
	return result;
}

int verb_events(struct ctl *ctl, char **argv)
{
	struct events events = {.names = argv};
	const struct arg_option options[] = {{"json", 0, ARG_FLAG, &events.json}};
	struct stream stream;
	int exit_code, count = args_parse(ctl, argv, options, 1, &exit_code);

	if (count < 0)
		return exit_code;
	events.colour = ctl->colour;
	events.names = argv = names_look_up(ctl, argv, &count);
	exit_code = check_names(ctl, argv);
	if (!exit_code)
		exit_code = stream_begin(ctl, &stream, WIRE_EVENTS, NULL, 0, NULL, 0);
	if (exit_code)
		return exit_code;
	exit_code = print_events(ctl, &stream, &events);
	client_close(&stream.client);
	return exit_code;
}
