/* SPDX-License-Identifier: MIT */
#include "timeline_compare.h"

#include <string.h>

#include "clock.h"
#include "durations.h"
#include "json_out.h"
#include "str.h"
#include "text.h"
#include "timeline.h"

#define PART     10 /* one tenth is a difference ... */
#define LEAST_MS 5  /* ... if it is that much at least */

/* One service now and before. */
struct pair {
	uint32_t now, before; /* ms; before: DURATIONS_NONE */
	const char *verdict;
};

static const char *verdict_of(uint32_t now, uint32_t before)
{
	uint32_t apart = now > before ? now - before : before - now;

	if (before == DURATIONS_NONE)
		return "new";
	if (apart < LEAST_MS || apart <= before / PART)
		return "same";
	return now > before ? "slower" : "faster";
}

static struct pair pair_of(const struct timeline_entry *entry, const struct durations *durations,
			   uint64_t boot)
{
	const struct duration *known = durations_find(durations, entry->name);
	struct pair pair = {.before = DURATIONS_NONE};

	pair.now = (uint32_t)((entry->ready_at - entry->start_begin) / NSEC_PER_MSEC);
	if (known)
		pair.before = duration_typical(known, durations->boot == boot);
	pair.verdict = verdict_of(pair.now, pair.before);
	return pair;
}

static int name_width(const struct timeline *timeline)
{
	size_t width = strlen("SERVICE");

	for (uint32_t i = 0; i < timeline->count; i++)
		if (strlen(timeline->entries[i].name) > width)
			width = strlen(timeline->entries[i].name);
	return (int)width;
}

static void put_pair(FILE *out, int width, const char *name, const struct pair *pair)
{
	char now[24], before[24] = "-", clean[STATUS_NAME_MAX], change[16] = "";

	format_duration(now, sizeof(now), msec(pair->now));
	if (pair->before != DURATIONS_NONE)
		format_duration(before, sizeof(before), msec(pair->before));
	if (pair->before != DURATIONS_NONE && pair->before)
		snprintf(change, sizeof(change), "%+.0f%%",
			 ((double)pair->now / pair->before - 1) * 100);
	fprintf(out, "%-*s %9s %9s %7s  %s\n", width, text_name(clean, name), before, now, change,
		pair->verdict);
}

void compare_text(FILE *out, const struct timeline *timeline, const struct durations *durations,
		  uint64_t boot)
{
	int width = name_width(timeline);

	fprintf(out, "%-*s %9s %9s %7s\n", width, "SERVICE", "EARLIER", "NOW", "CHANGE");
	for (uint32_t i = 0; i < timeline->count; i++) {
		const struct timeline_entry *entry = &timeline->entries[i];
		struct pair pair;

		if (!entry->ready_at)
			continue;
		pair = pair_of(entry, durations, boot);
		put_pair(out, width, entry->name, &pair);
	}
}

void compare_json(struct json_out *json, const struct timeline *timeline,
		  const struct durations *durations, uint64_t boot)
{
	json_array_begin(json, "compare");
	for (uint32_t i = 0; i < timeline->count; i++) {
		const struct timeline_entry *entry = &timeline->entries[i];
		struct pair pair;

		if (!entry->ready_at)
			continue;
		pair = pair_of(entry, durations, boot);
		json_object_begin(json, NULL);
		json_text(json, "name", entry->name);
		json_seconds(json, "seconds", msec(pair.now));
		if (pair.before == DURATIONS_NONE)
			json_nothing(json, "earlier_seconds");
		else
			json_seconds(json, "earlier_seconds", msec(pair.before));
		json_text(json, "verdict", pair.verdict);
		json_object_end(json);
	}
	json_array_end(json);
}
