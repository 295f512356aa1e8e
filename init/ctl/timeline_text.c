/* SPDX-License-Identifier: MIT */
#include "timeline_text.h"

#include <inttypes.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "str.h"
#include "text.h"
#include "timeline.h"

#define DEFAULT_WIDTH 100
#define NAME_MAX_PART 3 /* the names take at most a third of the line */
#define NAME_MIN      4
#define BAR_MIN       10 /* on a terminal too narrow for it lines wrap */
#define TOOK_WIDTH    9  /* blank, a duration */

struct chart {
	FILE *out;
	const struct timeline *timeline;
	const struct timeline_style *style;
	unsigned name_width;
	unsigned bar_width;
	uint64_t end; /* ns at the right edge */
};

static void measure(struct chart *chart)
{
	unsigned width = chart->style->width ? chart->style->width : DEFAULT_WIDTH;
	unsigned longest = 0, rest;
	uint32_t i;

	for (i = 0; i < chart->timeline->count; i++)
		if (strlen(chart->timeline->entries[i].name) > longest)
			longest = (unsigned)strlen(chart->timeline->entries[i].name);
	if (longest > width / NAME_MAX_PART)
		longest = width / NAME_MAX_PART;
	if (longest < NAME_MIN)
		longest = NAME_MIN;
	chart->name_width = longest;
	rest = longest + 3 + TOOK_WIDTH;
	chart->bar_width = width > rest + BAR_MIN ? width - rest : BAR_MIN;
	chart->end = chart->style->until;
	if (chart->timeline->total > chart->end)
		chart->end = chart->timeline->total;
	if (!chart->end)
		chart->end = NSEC_PER_MSEC;
}

static unsigned column(const struct chart *chart, uint64_t when)
{
	double part = (double)when / (double)chart->end;

	return part >= 1 ? chart->bar_width : (unsigned)(part * chart->bar_width);
}

static void put(FILE *out, char c, unsigned count)
{
	while (count-- > 0)
		fputc(c, out);
}

/* The columns of one bar: blank, waiting, starting, blank. What there was is at least one wide. */
static void put_bar(const struct chart *chart, const struct timeline_entry *entry)
{
	uint64_t last = timeline_entry_end(entry, chart->style->until);
	bool failed = !entry->ready_at && entry->failed_at;
	unsigned wait = column(chart, entry->wait_begin);
	unsigned start = column(chart, entry->start_begin ? entry->start_begin : last);
	unsigned end = column(chart, last);
	enum colour colour = chart->style->colour && entry->critical ? COLOUR_RED : COLOUR_NONE;

	if (start == chart->bar_width && entry->start_begin)
		start--;
	if (wait > start)
		wait = start;
	if (!entry->start_begin)
		end = start;
	else if (end <= start)
		end = start + 1;
	put(chart->out, ' ', wait);
	put(chart->out, '.', start - wait);
	fputs(colour_begin(colour), chart->out);
	put(chart->out, entry->critical ? '#' : failed ? 'x' : '=', end - start);
	fputs(colour_end(colour), chart->out);
	put(chart->out, ' ', chart->bar_width - end);
}

static void put_row(const struct chart *chart, const struct timeline_entry *entry)
{
	char name[STATUS_NAME_MAX], took[24] = "-";
	unsigned width = text_clean(name, sizeof(name), entry->name, chart->name_width);

	fputs(name, chart->out);
	put(chart->out, ' ', chart->name_width - width);
	fputs(" |", chart->out);
	put_bar(chart, entry);
	if (entry->ready_at)
		format_duration(took, sizeof(took), entry->ready_at - entry->start_begin);
	else if (entry->start_begin)
		snprintf(took, sizeof(took), "%.8s", state_name(entry->state));
	fprintf(chart->out, "|%*s\n", TOOK_WIDTH, took);
}

static void put_scale(const struct chart *chart)
{
	char right[24];
	unsigned len;

	format_duration(right, sizeof(right), chart->end);
	len = (unsigned)strlen(right);
	put(chart->out, ' ', chart->name_width + 2);
	fputc('0', chart->out);
	put(chart->out, ' ', chart->bar_width > len + 1 ? chart->bar_width - len - 1 : 1);
	fprintf(chart->out, "%s     took\n", right);
}

/* ---- what can be learned ---- */

uint64_t timeline_delay(const struct config *config, const char *name)
{
	int index = config ? config_find(config, name) : -1;
	uint32_t longest = 0;

	if (index < 0)
		return 0;
	for (const struct probe_config *p = config->services[index].probes[ROLE_READINESS]; p;
	     p = p->next)
		longest = p->initial_delay > longest ? p->initial_delay : longest;
	return msec(longest);
}

static void put_path(FILE *out, const struct timeline *timeline)
{
	const char *before = "";
	char name[STATUS_NAME_MAX];

	for (uint32_t i = 0; i < timeline->count; i++) {
		if (!timeline->entries[i].critical)
			continue;
		fprintf(out, "%s%s", before, text_name(name, timeline->entries[i].name));
		before = " > ";
	}
}

/* The longest time a service spent between its last dependency and its own start. */
static uint64_t slot_wait(const struct timeline *timeline)
{
	const struct timeline_entry *entry, *dep;
	uint64_t longest = 0, since;
	uint32_t i;

	for (i = 0; i < timeline->count; i++) {
		entry = &timeline->entries[i];
		if (!entry->start_begin)
			continue;
		dep = entry->last_dep < 0 ? NULL : &timeline->entries[entry->last_dep];
		since = entry->wait_begin;
		if (dep && dep->ready_at && dep->ready_at <= entry->start_begin)
			since = dep->ready_at;
		else if (dep)
			since = dep->start_begin;
		if (entry->start_begin > since && entry->start_begin - since > longest)
			longest = entry->start_begin - since;
	}
	return longest;
}

static void put_advice(const struct chart *chart, const struct timeline_advice *advice)
{
	const struct timeline_entry *entry = &chart->timeline->entries[advice->entry];
	uint64_t delay = timeline_delay(chart->style->config, entry->name);
	char own[24], gain[24], name[STATUS_NAME_MAX];

	fprintf(chart->out,
		"  %s: %s from started to ready; with half of that all would be ready %s earlier\n",
		text_name(name, entry->name), format_duration(own, sizeof(own), advice->own),
		format_duration(gain, sizeof(gain), advice->gain));
	if (delay)
		fprintf(chart->out,
			"  %s: nobody looks whether it is ready in the first %s "
			"(readiness_probe_initial_delay)\n",
			name, format_duration(own, sizeof(own), delay));
}

static void put_hints(const struct chart *chart)
{
	const struct timeline *timeline = chart->timeline;
	uint64_t lost =
		timeline->total > timeline->critical ? timeline->total - timeline->critical : 0;
	uint64_t wait = slot_wait(timeline);
	char text[24];

	fputs("to make it faster:\n", chart->out);
	for (uint32_t i = 0; i < timeline->advice_count; i++)
		if (!i || timeline->advice[i].gain >= timeline->critical / 50)
			put_advice(chart, &timeline->advice[i]);
	/* a tenth is more than the work of starting itself */
	if (lost > timeline->total / 10 && wait > timeline->total / 20)
		fprintf(chart->out,
			"  services waited up to %s for a free start slot (start_parallel) or an "
			"optional dependency\n",
			format_duration(text, sizeof(text), wait));
}

static uint32_t count_ready(const struct timeline *timeline)
{
	uint32_t i, ready = 0;

	for (i = 0; i < timeline->count; i++)
		ready += timeline->entries[i].ready_at != 0;
	return ready;
}

static void put_figures(const struct chart *chart, uint32_t ready)
{
	const struct timeline *timeline = chart->timeline;
	char total[24], critical[24], sequential[24];
	FILE *out = chart->out;

	format_duration(total, sizeof(total), timeline->total);
	if (ready == timeline->count)
		fprintf(out, "all %" PRIu32 " services ready after %s", ready, total);
	else
		fprintf(out, "%" PRIu32 " of %" PRIu32 " services ready, the last after %s", ready,
			timeline->count, total);
	fprintf(out, "; critical path %s: ",
		format_duration(critical, sizeof(critical), timeline->critical));
	put_path(out, timeline);
	fprintf(out, "\none after another the same starts would have taken %s\n",
		format_duration(sequential, sizeof(sequential), timeline->sequential));
	if (timeline->advice_count)
		put_hints(chart);
}

static void put_summary(const struct chart *chart)
{
	uint32_t ready = count_ready(chart->timeline);

	if (ready)
		put_figures(chart, ready);
	else
		fprintf(chart->out, "none of %" PRIu32 " services is ready yet\n",
			chart->timeline->count);
}

void timeline_text(FILE *out, const struct timeline *timeline, const struct timeline_style *style)
{
	struct chart chart = {.out = out, .timeline = timeline, .style = style};
	uint32_t i;

	measure(&chart);
	put_scale(&chart);
	for (i = 0; i < timeline->count; i++)
		put_row(&chart, &timeline->entries[i]);
	fputs(". waiting  = starting  # starting, on the critical path  x failed\n\n", out);
	put_summary(&chart);
}
