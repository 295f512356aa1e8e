/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "config.h"
#include "durations.h"
#include "json_out.h"
#include "log.h"
#include "text.h"
#include "timeline.h"
#include "timeline_compare.h"
#include "timeline_svg.h"
#include "timeline_text.h"
#include "view.h"

struct shown {
	struct view view;
	struct timeline timeline;
	struct durations durations; /* of earlier runs, to compare with */
	struct config *config;      /* NULL: there is none that can be read */
	bool compare;
};

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

static void json_advice(struct json_out *json, const struct shown *shown)
{
	json_array_begin(json, "advice");
	for (uint32_t i = 0; i < shown->timeline.advice_count; i++) {
		const struct timeline_advice *advice = &shown->timeline.advice[i];
		const char *name = shown->timeline.entries[advice->entry].name;

		json_object_begin(json, NULL);
		json_text(json, "name", name);
		json_seconds(json, "start_seconds", advice->own);
		json_seconds(json, "half_saves_seconds", advice->gain);
		json_seconds(json, "initial_delay_seconds", timeline_delay(shown->config, name));
		json_object_end(json);
	}
	json_array_end(json);
}

static void print_json(const struct shown *shown)
{
	const struct timeline *timeline = &shown->timeline;
	const struct status_header *header = &shown->view.header;
	struct json_out json;
	uint32_t i;

	json_begin(&json, stdout, true);
	json_object_begin(&json, NULL);
	json_uint(&json, "schema", 1);
	json_text(&json, "host", header->host);
	json_time(&json, "boot", header->boot_realtime);
	json_bool(&json, "complete", header->startup_done != 0);
	json_seconds(&json, "total_seconds", timeline->total);
	json_seconds(&json, "critical_path_seconds", timeline->critical);
	json_seconds(&json, "sequential_seconds", timeline->sequential);
	json_array_begin(&json, "critical_path");
	for (i = 0; i < timeline->count; i++)
		if (timeline->entries[i].critical)
			json_text(&json, NULL, timeline->entries[i].name);
	json_array_end(&json);
	json_advice(&json, shown);
	if (shown->compare)
		compare_json(&json, timeline, &shown->durations, header->boot);
	json_array_begin(&json, "services");
	for (i = 0; i < timeline->count; i++)
		json_entry(&json, timeline, &timeline->entries[i]);
	json_array_end(&json);
	json_object_end(&json);
	json_end(&json);
}

static void print_text(const struct ctl *ctl, const struct shown *shown)
{
	const struct timeline_style style = {
		.until = until(&shown->view, &shown->timeline),
		.width = ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		.colour = ctl->colour,
		.config = shown->config,
	};

	timeline_text(stdout, &shown->timeline, &style);
}

static void print(const struct ctl *ctl, const struct shown *shown, const char *format)
{
	if (strcmp(format, "json") == 0)
		print_json(shown);
	else if (strcmp(format, "svg") == 0)
		timeline_svg(stdout, &shown->timeline, until(&shown->view, &shown->timeline),
			     shown->view.header.host);
	else if (shown->compare)
		compare_text(stdout, &shown->timeline, &shown->durations, shown->view.header.boot);
	else
		print_text(ctl, shown);
}

/* Where it cannot be read there is a little less to say; what is wrong with it is for `check`. */
static struct config *read_config(const struct ctl *ctl)
{
	const struct config_source source = {.files = ctl->config_count ? ctl->configs : NULL,
					     .environment = environ,
					     .lenient_users = true};
	struct config_errors errors = {0};
	struct config *config = config_load(&source, &errors);

	config_errors_free(&errors);
	return config;
}

static int read_durations(struct shown *shown)
{
	char path[PATH_MAX];
	int error;

	snprintf(path, sizeof(path), "%s/" DURATIONS_FILE, shown->view.dir);
	error = durations_read(&shown->durations, path);
	if (error == -ENOENT)
		log_error("%s: no start-up is kept there yet", path);
	else if (error)
		log_error("%s: %s", path,
			  error == -EPROTO ? "not a file of durations" : strerror(-error));
	return error ? CTL_FALSE : CTL_DONE;
}

static int show(const struct ctl *ctl, struct shown *shown, const char *format)
{
	int error = timeline_build(&shown->timeline, &shown->view.page), exit_code = CTL_DONE;

	if (error) {
		log_error("cannot compute the timeline: %s", strerror(-error));
		return CTL_FALSE;
	}
	if (shown->compare)
		exit_code = read_durations(shown);
	if (!exit_code) {
		shown->config = read_config(ctl);
		print(ctl, shown, format);
	}
	config_free(shown->config);
	durations_free(&shown->durations);
	timeline_free(&shown->timeline);
	return exit_code;
}

int verb_timeline(struct ctl *ctl, char **argv)
{
	const char *format = "text";
	struct shown shown = {.compare = false};
	const struct arg_option options[] = {{"format", 0, ARG_TEXT, &format},
					     {"compare", 0, ARG_FLAG, &shown.compare}};
	int exit_code, count = args_parse(ctl, argv, options, 2, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': timeline takes no names", argv[0]);
	if (strcmp(format, "text") != 0 && strcmp(format, "json") != 0 &&
	    strcmp(format, "svg") != 0)
		return args_wrong(ctl, "--format: '%s' is none of text, json, svg", format);
	if (shown.compare && strcmp(format, "svg") == 0)
		return args_wrong(ctl, "--compare is text or json, not svg");
	exit_code = view_open_for(&shown.view, ctl);
	if (exit_code)
		return exit_code;
	exit_code = show(ctl, &shown, format);
	view_close(&shown.view);
	return exit_code;
}
