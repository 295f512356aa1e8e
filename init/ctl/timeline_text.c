/* SPDX-License-Identifier: MIT */
#include "timeline_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "str.h"
#include "text.h"
#include "timeline.h"

#define DEFAULT_WIDTH 100
#define NAME_MAX_PART 3 /* the names take at most a third of the line */
#define NAME_MIN      4
#define BAR_MIN       10 /* on a terminal too narrow for it lines wrap */
#define TOOK_WIDTH    9  /* blank, a duration */
#define HINTS         3  /* services named as worth looking at */

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

/* A service of the critical path and how much of it is its own. */
struct share {
	const struct timeline_entry *entry;
	uint64_t time;
};

static int share_compare(const void *left, const void *right)
{
	const struct share *a = left, *b = right;

	return a->time > b->time ? -1 : a->time < b->time;
}

/* The critical path in its order. Returns its length; *shares is malloc'ed. */
static uint32_t find_shares(const struct timeline *timeline, struct share **shares)
{
	const struct timeline_entry *entry;
	uint32_t i, count = 0;
	uint64_t gap;

	*shares = calloc(timeline->count + (size_t)1, sizeof(**shares));
	for (i = 0; *shares && i < timeline->count; i++) {
		entry = &timeline->entries[i];
		if (!entry->critical)
			continue;
		(*shares)[count].entry = entry;
		(*shares)[count].time = entry->ready_at - entry->start_begin;
		/* who is only waited for to start counts up to that start */
		if (count) {
			gap = entry->start_begin - (*shares)[count - 1].entry->start_begin;
			if (gap < (*shares)[count - 1].time)
				(*shares)[count - 1].time = gap;
		}
		count++;
	}
	return count;
}

static void put_path(FILE *out, const struct share *shares, uint32_t count)
{
	char name[STATUS_NAME_MAX];
	uint32_t i;

	for (i = 0; i < count; i++)
		fprintf(out, "%s%s", i ? " > " : "", text_name(name, shares[i].entry->name));
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

static void put_hints(FILE *out, const struct timeline *timeline, struct share *shares,
		      uint32_t count)
{
	uint64_t lost =
		timeline->total > timeline->critical ? timeline->total - timeline->critical : 0;
	uint64_t wait = slot_wait(timeline);
	char text[24], name[STATUS_NAME_MAX];
	uint32_t i;

	qsort(shares, count, sizeof(*shares), share_compare);
	fputs("to make it faster:", out);
	for (i = 0; i < count && i < HINTS && shares[i].time >= timeline->critical / 20; i++)
		fprintf(out, "%s %s takes %s", i ? "," : "", text_name(name, shares[i].entry->name),
			format_duration(text, sizeof(text), shares[i].time));
	fputs(" of the critical path", out);
	/* a tenth is more than the work of starting itself */
	if (lost > timeline->total / 10 && wait > timeline->total / 20)
		fprintf(out,
			"; services waited up to %s for a free start slot (start_parallel) or an "
			"optional dependency",
			format_duration(text, sizeof(text), wait));
	fputc('\n', out);
}

static uint32_t count_ready(const struct timeline *timeline)
{
	uint32_t i, ready = 0;

	for (i = 0; i < timeline->count; i++)
		ready += timeline->entries[i].ready_at != 0;
	return ready;
}

static void put_figures(FILE *out, const struct timeline *timeline, uint32_t ready)
{
	char total[24], critical[24], sequential[24];
	struct share *shares;
	uint32_t count = find_shares(timeline, &shares);

	format_duration(total, sizeof(total), timeline->total);
	if (ready == timeline->count)
		fprintf(out, "all %" PRIu32 " services ready after %s", ready, total);
	else
		fprintf(out, "%" PRIu32 " of %" PRIu32 " services ready, the last after %s", ready,
			timeline->count, total);
	fprintf(out, "; critical path %s: ",
		format_duration(critical, sizeof(critical), timeline->critical));
	put_path(out, shares, count);
	fprintf(out, "\none after another the same starts would have taken %s\n",
		format_duration(sequential, sizeof(sequential), timeline->sequential));
	if (count)
		put_hints(out, timeline, shares, count);
	free(shares);
}

static void put_summary(FILE *out, const struct timeline *timeline)
{
	uint32_t ready = count_ready(timeline);

	if (ready)
		put_figures(out, timeline, ready);
	else
		fprintf(out, "none of %" PRIu32 " services is ready yet\n", timeline->count);
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
	put_summary(out, timeline);
}
