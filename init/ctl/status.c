/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "json_out.h"
#include "log.h"
#include "names.h"
#include "str.h"
#include "summary.h"
#include "text.h"
#include "version.h"
#include "view.h"

struct show {
	const struct ctl *ctl;
	struct view *view;
	char **names; /* NULL-ended; empty: all */
	int count;
	bool json;
	bool gone; /* init has ended; this is what it wrote last */
	uint64_t now;
};

static bool is_shown(const struct show *show, const struct status_record *record)
{
	int i;

	for (i = 0; i < show->count; i++)
		if (strcmp(show->names[i], record->name) == 0)
			return true;
	return show->count == 0;
}

static uint64_t age(const struct show *show, uint64_t when)
{
	return show->now > when ? show->now - when : 0;
}

/* ---- text ---- */

/* Why it waits: "waits for api", and behind it what is the matter with the one at the root. */
static void consequence(const struct show *show, const struct status_record *record, char *text,
			size_t size)
{
	const struct status_record *cause = view_cause(show->view, record);
	const struct status_record *root = view_root(show->view, record);
	int len;

	if (record->reason[0])
		len = snprintf(text, size, "%s", record->reason);
	else
		len = snprintf(text, size, "%s %s",
			       record->state == STATE_WAITING ? "waits for" : "because of",
			       cause->name);
	if (len > 0 && (size_t)len < size && !view_is_good(root) &&
	    (root != cause || root->reason[0]))
		snprintf(text + len, size - (size_t)len, " (%s: %s)", root->name,
			 root->reason[0] ? root->reason : state_name(root->state));
}

/* What stands in the last column. */
static void detail(const struct show *show, const struct status_record *record, char *text,
		   size_t size)
{
	char silence[24];

	if (record->flags & STATUS_INTERNAL && state_is_active(record->state) &&
	    view_silence(show->view))
		snprintf(text, size, "not heard for %s",
			 format_age(silence, sizeof(silence), view_silence(show->view)));
	else if (view_cause(show->view, record))
		consequence(show, record, text, size);
	else if (record->reason[0])
		snprintf(text, size, "%s", record->reason);
	else if (record->last_exit > 0 && !state_is_active(record->state))
		snprintf(text, size, "last exit code %d", record->last_exit);
	else if (!view_counts(record))
		snprintf(text, size, "of muster itself");
	else
		text[0] = '\0';
}

static void add_row(const struct show *show, struct grid *grid, const struct status_record *record)
{
	char since[24], text[2 * (STATUS_REASON_SIZE + STATUS_NAME_MAX)];

	detail(show, record, text, sizeof(text));
	grid_add(grid, COLOUR_NONE, "%s", record->name);
	grid_add(grid, colour_of_state(record->state), "%s", state_name(record->state));
	if (record->pid)
		grid_add(grid, COLOUR_NONE, "%d", record->pid);
	else
		grid_add(grid, COLOUR_DIM, "-");
	if (record->since)
		grid_add(grid, COLOUR_NONE, "%s",
			 format_age(since, sizeof(since), age(show, record->since)));
	else
		grid_add(grid, COLOUR_DIM, "-");
	grid_add(grid, record->restarts ? COLOUR_YELLOW : COLOUR_DIM, "%u", record->restarts);
	grid_add(grid, COLOUR_DIM, "%s", text);
}

static void print_table(const struct show *show, unsigned width, unsigned rows)
{
	static const char *const heads[] = {"NAME", "STATE", "PID", "SINCE", "RESTARTS", ""};
	struct grid grid;
	unsigned hidden = 0;
	uint32_t i;

	grid_begin(&grid, 6, 1U << 2 | 1U << 3 | 1U << 4);
	for (i = 0; i < 6; i++)
		grid_add(&grid, COLOUR_BOLD, "%s", heads[i]);
	for (i = 0; i < show->view->header.record_count; i++) {
		if (!is_shown(show, &show->view->records[i]))
			continue;
		if (rows && rows--)
			add_row(show, &grid, &show->view->records[i]);
		else
			hidden++;
	}
	grid_print(&grid, stdout, width, show->ctl->colour);
	summary_rest(hidden);
}

/* ---- JSON ---- */

/* A time of CLOCK_MONOTONIC as the wall clock had it. */
static uint64_t realtime(const struct show *show, uint64_t when)
{
	const struct status_header *header = &show->view->header;

	return when ? header->boot_realtime + (when - header->boot) : 0;
}

static void json_duration(struct json_out *json, const char *key, uint64_t from, uint64_t to)
{
	if (from && to >= from)
		json_seconds(json, key, to - from);
	else
		json_nothing(json, key);
}

static void json_depends_on(struct json_out *json, const struct show *show, uint32_t index)
{
	const struct graph *graph = &show->view->graph;
	const struct graph_edge *edge;
	uint32_t i;

	json_array_begin(json, "depends_on");
	for (i = graph->dep_start[index]; i < graph->dep_start[index + 1]; i++) {
		edge = &graph->deps[i];
		json_object_begin(json, NULL);
		json_text(json, "name", show->view->records[edge->to].name);
		json_text(json, "condition", condition_name(edge->condition));
		json_bool(json, "optional", edge->optional);
		json_bool(json, "restart", edge->restart);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_probe(struct json_out *json, const struct status_record *record)
{
	if (record->probe == PROBE_NONE) {
		json_nothing(json, "probe");
		return;
	}
	json_object_begin(json, "probe");
	json_text(json, "kind", probe_kind_name(record->probe));
	json_uint(json, "count", record->probes);
	json_uint(json, "passed", record->passed);
	json_uint(json, "failures", record->failures);
	json_object_end(json);
}

/* Whom it waits for, and the one because of which all of them wait. */
static void json_cause(struct json_out *json, const struct show *show,
		       const struct status_record *record)
{
	const struct status_record *cause = view_cause(show->view, record);
	const struct status_record *root = view_root(show->view, record);

	json_text(json, "cause", cause ? cause->name : NULL);
	json_text(json, "root", root ? root->name : NULL);
	json_text(json, "root_reason",
		  !root                ? NULL
		  : root->reason[0]    ? root->reason
		  : view_is_good(root) ? NULL
				       : state_name(root->state));
}

static void json_service(struct json_out *json, const struct show *show, uint32_t index)
{
	const struct status_record *record = &show->view->records[index];

	json_object_begin(json, NULL);
	json_text(json, "name", record->name);
	json_text(json, "state", state_name(record->state));
	json_bool(json, "ready", view_is_good(record));
	json_text(json, "type", type_name(record->type));
	json_text(json, "reason", record->reason[0] ? record->reason : NULL);
	json_cause(json, show, record);
	json_bool(json, "essential", record->flags & STATUS_ESSENTIAL);
	json_bool(json, "wanted", record->flags & STATUS_WANTED);
	json_bool(json, "internal", record->flags & STATUS_INTERNAL);
	if (record->pid)
		json_int(json, "pid", record->pid);
	else
		json_nothing(json, "pid");
	json_uint(json, "starts", record->starts);
	json_uint(json, "restarts", record->restarts);
	if (record->last_exit >= 0)
		json_int(json, "last_exit", record->last_exit);
	else
		json_nothing(json, "last_exit");
	json_probe(json, record);
	json_time(json, "since", realtime(show, record->since));
	json_duration(json, "since_seconds", record->since, show->now);
	json_duration(json, "wait_seconds", record->wait_begin, record->start_begin);
	json_duration(json, "start_seconds", record->start_begin, record->ready_at);
	json_depends_on(json, show, index);
	json_object_end(json);
}

static void json_head(struct json_out *json, const struct show *show)
{
	const struct status_header *header = &show->view->header;
	struct view_counts counts = view_count(show->view);

	json_uint(json, "schema", 1);
	json_text(json, "version", MUSTER_VERSION);
	json_text(json, "host", header->host);
	json_text(json, "mode", header->mode);
	json_text(json, "phase", phase_name(header->phase));
	json_bool(json, "ready", !show->gone && view_all_ready(show->view));
	json_time(json, "time", clock_realtime());
	json_seconds(json, "uptime", age(show, header->boot));
	json_uint(json, "changes", header->changes);
	json_object_begin(json, "counts");
	json_uint(json, "total", counts.total);
	json_uint(json, "ready", counts.good);
	json_uint(json, "failed", counts.failed);
	json_object_end(json);
	json_object_begin(json, "init");
	json_int(json, "pid", header->pid);
	json_bool(json, "alive", !show->gone);
	json_uint(json, "reaped", header->reaped);
	json_uint(json, "log_dropped", header->log_dropped);
	json_object_end(json);
	json_object_begin(json, "startup");
	json_bool(json, "done", header->startup_done);
	if (header->startup_done)
		json_duration(json, "seconds", header->boot, header->startup_done);
	else
		json_nothing(json, "seconds");
	json_object_end(json);
}

/* In the words of the sidecar's /status. */
static void print_json(const struct show *show, bool pretty)
{
	struct json_out json;
	uint32_t i;

	json_begin(&json, stdout, pretty);
	json_object_begin(&json, NULL);
	json_head(&json, show);
	json_array_begin(&json, "services");
	for (i = 0; i < show->view->header.record_count; i++)
		if (is_shown(show, &show->view->records[i]))
			json_service(&json, show, i);
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

/* ---- the verb ---- */

static void print(struct show *show, bool again)
{
	bool redraw = again && show->ctl->out_is_terminal && !show->json;
	unsigned width = show->ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0;

	show->now = clock_monotonic();
	if (redraw)
		fputs("\033[H\033[J", stdout);
	else if (again && !show->json)
		putchar('\n');
	if (show->json) {
		print_json(show, !again);
	} else {
		summary_print(show->ctl, show->view, show->gone, width);
		print_table(show, width, summary_rows(redraw));
	}
	fflush(stdout);
}

/* Prints anew after each change; on a terminal also each second, for the ages. */
static int watch(struct show *show)
{
	bool ages = show->ctl->out_is_terminal && !show->json;
	struct follow follow;
	int outcome;

	follow_begin(&follow, show->view);
	view_refresh(show->view);
	print(show, true);
	do {
		outcome = follow_wait(&follow, 1000, NEVER);
		if (outcome > 0 || (ages && outcome == 0))
			print(show, true);
	} while (outcome >= 0 && !ferror(stdout));
	follow_end(&follow);
	if (outcome < 0)
		log_info("muster-init has ended");
	return CTL_DONE;
}

static int check_names(const struct show *show)
{
	int i;

	for (i = 0; i < show->count; i++) {
		if (view_find(show->view, show->names[i]) >= 0)
			continue;
		log_error("there is no service '%s'", show->names[i]);
		return CTL_NOT_FOUND;
	}
	return CTL_DONE;
}

static int show_status(struct show *show, bool watched)
{
	int result = check_names(show);

	if (result)
		return result;
	show->gone = view_alive(show->view) == 0;
	if (watched && !show->gone)
		return watch(show);
	print(show, false);
	if (!show->gone)
		return CTL_DONE;
	log_error("muster-init is gone; this is what it wrote last");
	return CTL_UNREACHABLE;
}

int verb_status(struct ctl *ctl, char **argv)
{
	bool watched = false;
	struct view view;
	struct show show = {.ctl = ctl, .view = &view, .names = argv};
	const struct arg_option options[] = {{"json", 0, ARG_FLAG, &show.json},
					     {"watch", 0, ARG_FLAG, &watched}};
	int exit_code;

	show.count = args_parse(ctl, argv, options, 2, &exit_code);
	if (show.count < 0)
		return exit_code;
	exit_code = view_open_for(&view, ctl);
	if (exit_code)
		return exit_code;
	show.names = names_expand(&view, argv, &show.count);
	exit_code = show_status(&show, watched);
	view_close(&view);
	return exit_code;
}
