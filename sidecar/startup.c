/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>

#include "sidecar.h"
#include "timeline.h"
#include "timeline_svg.h"
#include "values.h"

/* The start-up: /timeline as data, in the words of `musterctl timeline --format json`, and
 * /timeline.svg as a picture. */

static json_t *seconds_or_null(uint64_t ns)
{
	return ns ? value_seconds(ns) : json_null();
}

static json_t *entry_value(const struct timeline *timeline, const struct timeline_entry *entry)
{
	const char *after = entry->last_dep < 0 ? NULL : timeline->entries[entry->last_dep].name;

	return json_pack(
		"{s:s, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:s?}", "name", entry->name, "state",
		state_name(entry->state), "type", type_name(entry->type), "critical",
		(int)entry->critical, "wait_begin", seconds_or_null(entry->wait_begin),
		"start_begin", seconds_or_null(entry->start_begin), "ready_at",
		seconds_or_null(entry->ready_at), "start_seconds",
		entry->ready_at ? value_seconds(entry->ready_at - entry->start_begin) : json_null(),
		"last_dependency", after);
}

json_t *startup_path(const struct timeline *timeline)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < timeline->count; i++)
		if (timeline->entries[i].critical)
			json_array_append_new(list, json_string(timeline->entries[i].name));
	return list;
}

static json_t *timeline_value(const struct sidecar *sidecar, const struct view *view,
			      const struct timeline *timeline)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < timeline->count; i++)
		json_array_append_new(list, entry_value(timeline, &timeline->entries[i]));
	return json_pack("{s:i, s:s, s:o, s:b, s:o, s:o, s:o, s:o, s:o}", "schema", JSON_SCHEMA,
			 "host", sidecar_host(sidecar, view), "boot",
			 value_time(view->header.boot_realtime), "complete",
			 view->header.startup_done != 0, "total_seconds",
			 value_seconds(timeline->total), "critical_path_seconds",
			 value_seconds(timeline->critical), "sequential_seconds",
			 value_seconds(timeline->sequential), "critical_path",
			 startup_path(timeline), "services", list);
}

void startup_report(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	struct timeline timeline;

	if (!view->present || timeline_build(&timeline, view->page) < 0) {
		reply_no_page(reply);
		return;
	}
	reply_json(reply, "application/json", timeline_value(request->sidecar, view, &timeline));
	timeline_free(&timeline);
}

/* Where bars of what is not ready end: now, or when the start-up was over. */
static uint64_t picture_end(const struct view *view, const struct timeline *timeline)
{
	uint64_t end = view->header.startup_done ? view->header.startup_done : view->now;

	for (uint32_t i = 0; i < timeline->count; i++)
		if (!timeline->entries[i].ready_at)
			return end > view->header.boot ? end - view->header.boot : 0;
	return timeline->total;
}

void startup_picture(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	struct timeline timeline;
	size_t len = 0;
	char *picture = NULL;
	FILE *out;

	if (!view->present || timeline_build(&timeline, view->page) < 0) {
		reply_no_page(reply);
		return;
	}
	out = open_memstream(&picture, &len);
	if (out) {
		timeline_svg(out, &timeline, picture_end(view, &timeline),
			     sidecar_host(request->sidecar, view));
		fclose(out);
		text_put_bytes(&reply->body, picture, len);
		free(picture);
	}
	reply->type = "image/svg+xml";
	timeline_free(&timeline);
}
