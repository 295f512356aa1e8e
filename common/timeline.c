/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "graph.h"

#define RECORDS_MAX 65535 /* indices are 16 bits wide */

/* What the calculation needs beside the result; all of it in one arena. */
struct work {
	struct arena *arena;
	struct timeline *timeline;
	uint64_t boot;
	uint64_t startup_done;    /* 0: still starting */
	int32_t *entry_of;        /* per record of the page: index of its entry, or -1 */
	struct graph_edge *edges; /* between entries; only those met when `from` began to start */
	uint32_t edge_count;
	struct graph graph;
	uint16_t *order;
	int32_t halved; /* an entry that is taken to need half its time; -1: none */
};

/* Nanoseconds after boot, at least 1 so that 0 stays "never". */
static uint64_t after_boot(const struct work *work, uint64_t when)
{
	if (!when)
		return 0;
	return when > work->boot ? when - work->boot : 1;
}

/* Whether a service took part in the start-up: wanted before that was over. */
static bool took_part(const struct work *work, const struct status_record *record)
{
	if (record->flags & STATUS_INTERNAL || !record->wait_begin)
		return false;
	return !work->startup_done || record->wait_begin <= work->startup_done;
}

static void entry_fill(const struct work *work, struct timeline_entry *entry,
		       const struct status_record *record, uint16_t service)
{
	*entry = (struct timeline_entry){.state = record->state,
					 .type = record->type,
					 .wait_begin = after_boot(work, record->wait_begin),
					 .start_begin = after_boot(work, record->start_begin),
					 .ready_at = after_boot(work, record->ready_at),
					 .last_dep = -1,
					 .service = service};
	if (record->state == STATE_FAILED)
		entry->failed_at = after_boot(work, record->since);
	memcpy(entry->name, record->name, sizeof(entry->name));
	entry->name[sizeof(entry->name) - 1] = '\0';
	if (entry->ready_at && entry->ready_at < entry->start_begin)
		entry->ready_at = entry->start_begin;
}

static int entry_compare(const void *left, const void *right)
{
	const struct timeline_entry *a = left, *b = right;

	if (!a->start_begin != !b->start_begin)
		return a->start_begin ? -1 : 1; /* never begun: last */
	if (a->start_begin != b->start_begin)
		return a->start_begin < b->start_begin ? -1 : 1;
	if (a->wait_begin != b->wait_begin)
		return a->wait_begin < b->wait_begin ? -1 : 1;
	return a->service < b->service ? -1 : a->service > b->service;
}

static int read_entries(struct work *work, const struct status_page *page, uint32_t records)
{
	struct timeline *timeline = work->timeline;
	struct status_record record;
	uint32_t i;
	int error;

	for (i = 0; i < records; i++) {
		work->entry_of[i] = -1;
		error = status_read_record(page, i, &record);
		if (error)
			return error;
		if (took_part(work, &record))
			entry_fill(work, &timeline->entries[timeline->count++], &record,
				   (uint16_t)i);
	}
	qsort(timeline->entries, timeline->count, sizeof(*timeline->entries), entry_compare);
	for (i = 0; i < timeline->count; i++)
		work->entry_of[timeline->entries[i].service] = (int32_t)i;
	return 0;
}

/* When the dependency was met; 0: never. */
static uint64_t met_at(const struct timeline_entry *dep, unsigned condition)
{
	return condition == COND_STARTED ? dep->start_begin : dep->ready_at;
}

/* Takes an edge of the page, unless it was not what `from` waited for. */
static void edge_add(struct work *work, const struct status_edge *edge, uint32_t records)
{
	struct timeline_entry *entries = work->timeline->entries, *from;
	int32_t from_index, to_index;
	uint64_t met;

	if (edge->from >= records || edge->to >= records)
		return;
	from_index = work->entry_of[edge->from];
	to_index = work->entry_of[edge->to];
	if (from_index < 0 || to_index < 0)
		return;
	from = &entries[from_index];
	met = met_at(&entries[to_index], edge->condition);
	if (!met || !from->start_begin || met > from->start_begin)
		return;
	work->edges[work->edge_count++] = (struct graph_edge){.from = (uint16_t)from_index,
							      .to = (uint16_t)to_index,
							      .condition = edge->condition};
}

static int read_edges(struct work *work, const struct status_page *page,
		      const struct status_header *header)
{
	struct status_edge edge;
	uint32_t i;

	for (i = 0; i < header->edge_count; i++) {
		if (status_read_edge(page, i, &edge))
			return -EPROTO;
		edge_add(work, &edge, header->record_count);
	}
	return graph_build(&work->graph, work->arena, work->timeline->count, work->edges,
			   work->edge_count)
		       ? 0
		       : -ENOMEM;
}

/* Time an entry took from the start of its own start. */
static uint64_t own_time(const struct timeline_entry *entry)
{
	return entry->ready_at ? entry->ready_at - entry->start_begin : 0;
}

static int find_last_deps(struct work *work)
{
	struct timeline_entry *entries = work->timeline->entries;
	const struct graph_edge *edge;
	uint64_t met, *latest = arena_array(work->arena, work->timeline->count, sizeof(*latest));
	uint32_t i;

	if (!latest)
		return -ENOMEM;
	for (i = 0; i < work->edge_count; i++) {
		edge = &work->edges[i];
		met = met_at(&entries[edge->to], edge->condition);
		if (met > latest[edge->from]) {
			latest[edge->from] = met;
			entries[edge->from].last_dep = edge->to;
		}
	}
	return 0;
}

/*
 * The critical path is the chain of dependencies with the longest own times: so long would the
 * start-up have taken with no limit on parallel starts and no cost of its own.
 */
struct path {
	uint64_t before; /* own times of the longest chain that ends where this entry begins */
	int32_t through; /* the entry before this one on it; -1: none */
};

static uint64_t assumed_time(const struct work *work, uint32_t node)
{
	uint64_t own = own_time(&work->timeline->entries[node]);

	return (int32_t)node == work->halved ? own / 2 : own;
}

static void path_extend(const struct work *work, struct path *paths, uint32_t node)
{
	const struct timeline_entry *entries = work->timeline->entries;
	const struct graph_edge *edge;
	uint64_t length;
	uint32_t i;

	paths[node].through = -1;
	for (i = work->graph.dep_start[node]; i < work->graph.dep_start[node + 1]; i++) {
		edge = &work->graph.deps[i];
		length = paths[edge->to].before;
		if (edge->condition != COND_STARTED)
			length += assumed_time(work, edge->to);
		/* of chains equally long the one that was in fact awaited */
		if (length > paths[node].before || paths[node].through < 0 ||
		    (length == paths[node].before && entries[node].last_dep == edge->to)) {
			paths[node].before = length;
			paths[node].through = edge->to;
		}
	}
}

/* The length of the longest chain; *last is its end, -1: there is none. */
static uint64_t find_longest(const struct work *work, struct path *paths, int32_t *last)
{
	const struct timeline_entry *entries = work->timeline->entries;
	uint64_t longest = 0, length;

	*last = -1;
	memset(paths, 0, work->timeline->count * sizeof(*paths));
	for (uint32_t i = 0; i < work->timeline->count; i++) {
		uint32_t node = work->order[i];

		path_extend(work, paths, node);
		if (!entries[node].ready_at)
			continue;
		length = paths[node].before + assumed_time(work, node);
		if (*last < 0 || length > longest ||
		    (length == longest && entries[node].ready_at > entries[*last].ready_at)) {
			longest = length;
			*last = (int32_t)node;
		}
	}
	return longest;
}

/* Keeps the advice in order, the longest own time first, and drops what is one too many. */
static void advice_add(struct timeline *timeline, uint32_t entry)
{
	uint64_t own = own_time(&timeline->entries[entry]);
	uint32_t at = timeline->advice_count;

	if (at == TIMELINE_ADVICE) {
		at--;
		if (own <= timeline->advice[at].own)
			return;
	} else {
		timeline->advice_count++;
	}
	for (; at > 0 && timeline->advice[at - 1].own < own; at--)
		timeline->advice[at] = timeline->advice[at - 1];
	timeline->advice[at] = (struct timeline_advice){.entry = entry, .own = own};
}

static void find_advice(struct work *work, struct path *paths)
{
	struct timeline *timeline = work->timeline;
	int32_t last;

	for (uint32_t i = 0; i < timeline->count; i++)
		if (timeline->entries[i].critical)
			advice_add(timeline, i);
	for (uint32_t i = 0; i < timeline->advice_count; i++) {
		work->halved = (int32_t)timeline->advice[i].entry;
		timeline->advice[i].gain = timeline->critical - find_longest(work, paths, &last);
	}
	work->halved = -1;
}

static int find_critical(struct work *work)
{
	struct timeline *timeline = work->timeline;
	struct path *paths = arena_array(work->arena, timeline->count, sizeof(*paths));
	int32_t last;

	work->order = arena_array(work->arena, timeline->count, sizeof(*work->order));
	if (!paths || !work->order)
		return -ENOMEM;
	if (!graph_order(&work->graph, work->arena, work->order))
		return -EPROTO;
	timeline->critical = find_longest(work, paths, &last);
	for (; last >= 0; last = paths[last].through)
		timeline->entries[last].critical = true;
	find_advice(work, paths);
	return 0;
}

static void sum_up(struct timeline *timeline)
{
	uint32_t i;

	for (i = 0; i < timeline->count; i++) {
		if (timeline->entries[i].ready_at > timeline->total)
			timeline->total = timeline->entries[i].ready_at;
		timeline->sequential += own_time(&timeline->entries[i]);
	}
}

static int build(struct work *work, const struct status_page *page,
		 const struct status_header *header)
{
	int error;

	work->boot = header->boot;
	work->startup_done = header->startup_done;
	work->entry_of = arena_array(work->arena, header->record_count, sizeof(*work->entry_of));
	work->edges = arena_array(work->arena, header->edge_count, sizeof(*work->edges));
	work->timeline->entries =
		calloc(header->record_count + (size_t)1, sizeof(*work->timeline->entries));
	if (!work->entry_of || !work->edges || !work->timeline->entries)
		return -ENOMEM;
	error = read_entries(work, page, header->record_count);
	if (!error)
		error = read_edges(work, page, header);
	if (!error)
		error = find_last_deps(work);
	if (error)
		return error;
	sum_up(work->timeline);
	return find_critical(work);
}

int timeline_build(struct timeline *timeline, const struct status_page *page)
{
	struct work work = {.timeline = timeline, .halved = -1};
	struct status_header header;
	int error = status_read_header(page, &header);

	*timeline = (struct timeline){0};
	if (error)
		return error;
	if (header.record_count > RECORDS_MAX)
		return -EPROTO;
	work.arena = arena_create();
	if (!work.arena)
		return -ENOMEM;
	error = build(&work, page, &header);
	arena_destroy(work.arena);
	if (error)
		timeline_free(timeline);
	return error;
}

void timeline_free(struct timeline *timeline)
{
	free(timeline->entries);
	*timeline = (struct timeline){0};
}
