/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "json_out.h"
#include "log.h"
#include "text.h"
#include "timeline.h"
#include "timeline_svg.h"
#include "timeline_text.h"
#include "view.h"

/* Up to now for what is still on its way, else up to the last that was ready. */
static uint64_t until(const struct view *view, const struct timeline *timeline)
{
	const struct status_header *header = &view->header;
	uint64_t now = clock_monotonic();
	uint32_t i;

	if (header->startup_done)
		now = header->startup_done;
	for (i = 0; i < timeline->count; i++)
		if (!timeline_entry_end(&timeline->entries[i], 0))
			return now > header->boot ? now - header->boot : 0;
	return timeline->total;
}

static void json_after(struct json_out *json, const char *key, uint64_t ns)
{
	if (ns)
		json_seconds(json, key, ns);
	else
		json_nothing(json, key);
}

static void json_entry(struct json_out *json, const struct timeline *timeline,
		       const struct timeline_entry *entry)
{
	json_object_begin(json, NULL);
	json_text(json, "name", entry->name);
	json_text(json, "state", state_name(entry->state));
	json_text(json, "type", type_name(entry->type));
	json_bool(json, "critical", entry->critical);
	json_after(json, "wait_begin", entry->wait_begin);
	json_after(json, "start_begin", entry->start_begin);
	json_after(json, "ready_at", entry->ready_at);
	if (entry->ready_at)
		json_seconds(json, "start_seconds", entry->ready_at - entry->start_begin);
	else
		json_nothing(json, "start_seconds");
	json_after(json, "failed_at", entry->failed_at);
	json_text(json, "last_dependency",
		  entry->last_dep < 0 ? NULL : timeline->entries[entry->last_dep].name);
	json_object_end(json);
}

static void print_json(const struct view *view, const struct timeline *timeline)
{
	struct json_out json;
	uint32_t i;

	json_begin(&json, stdout, true);
	json_object_begin(&json, NULL);
	json_uint(&json, "schema", 1);
	json_text(&json, "host", view->header.host);
	json_time(&json, "boot", view->header.boot_realtime);
	json_bool(&json, "complete", view->header.startup_done != 0);
	json_seconds(&json, "total_seconds", timeline->total);
	json_seconds(&json, "critical_path_seconds", timeline->critical);
	json_seconds(&json, "sequential_seconds", timeline->sequential);
	json_array_begin(&json, "critical_path");
	for (i = 0; i < timeline->count; i++)
		if (timeline->entries[i].critical)
			json_text(&json, NULL, timeline->entries[i].name);
	json_array_end(&json);
	json_array_begin(&json, "services");
	for (i = 0; i < timeline->count; i++)
		json_entry(&json, timeline, &timeline->entries[i]);
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

static void print_text(const struct ctl *ctl, const struct view *view,
		       const struct timeline *timeline)
{
	const struct timeline_style style = {
		.until = until(view, timeline),
		.width = ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		.colour = ctl->colour,
	};

	timeline_text(stdout, timeline, &style);
}

static int show(const struct ctl *ctl, const struct view *view, const char *format)
{
	struct timeline timeline;
	int error = timeline_build(&timeline, &view->page);

	if (error) {
		log_error("cannot compute the timeline: %s", strerror(-error));
		return CTL_FALSE;
	}
	if (strcmp(format, "json") == 0)
		print_json(view, &timeline);
	else if (strcmp(format, "svg") == 0)
		timeline_svg(stdout, &timeline, until(view, &timeline), view->header.host);
	else
		print_text(ctl, view, &timeline);
	timeline_free(&timeline);
	return CTL_DONE;
}

int verb_timeline(struct ctl *ctl, char **argv)
{
	const char *format = "text";
	const struct arg_option options[] = {{"format", 0, ARG_TEXT, &format}};
	struct view view;
	int exit_code, count = args_parse(ctl, argv, options, 1, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': timeline takes no names", argv[0]);
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "svg") != 0)
		return args_wrong(ctl, "--format: '%s' is none of text, json, svg", format);
	exit_code = view_open_for(&view, ctl);
	if (exit_code)
		return exit_code;
	exit_code = show(ctl, &view, format);
	view_close(&view);
	return exit_code;
}
