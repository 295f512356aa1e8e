/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <string.h>

#include "arena.h"

/* Turns counts at index n + 1 into offsets of the first element of n. */
static void counts_to_starts(uint32_t *starts, uint32_t nodes)
{
	uint32_t i;

	for (i = 0; i < nodes; i++)
		starts[i + 1] += starts[i];
}

/* Shifts back what filling advanced: start[n] is where n's elements end now. */
static void starts_restore(uint32_t *starts, uint32_t nodes)
{
	memmove(starts + 1, starts, nodes * sizeof(*starts));
	starts[0] = 0;
}

bool graph_build(struct graph *graph, struct arena *arena, uint32_t nodes,
		 const struct graph_edge *edges, uint32_t count)
{
	uint32_t *dep_start = arena_array(arena, (size_t)nodes + 1, sizeof(*dep_start));
	uint32_t *dependent_start = arena_array(arena, (size_t)nodes + 1, sizeof(*dep_start));
	struct graph_edge *deps = arena_array(arena, count, sizeof(*deps));
	uint16_t *dependents = arena_array(arena, count, sizeof(*dependents));
	uint32_t i;

	if (!dep_start || !dependent_start || !deps || !dependents)
		return false;
	for (i = 0; i < count; i++) {
		dep_start[edges[i].from + 1]++;
		dependent_start[edges[i].to + 1]++;
	}
	counts_to_starts(dep_start, nodes);
	counts_to_starts(dependent_start, nodes);
	for (i = 0; i < count; i++) {
		deps[dep_start[edges[i].from]++] = edges[i];
		dependents[dependent_start[edges[i].to]++] = edges[i].from;
	}
	starts_restore(dep_start, nodes);
	starts_restore(dependent_start, nodes);
	*graph = (struct graph){.nodes = nodes,
				.edge_count = count,
				.dep_start = dep_start,
				.deps = deps,
				.dependent_start = dependent_start,
				.dependents = dependents};
	return true;
}

/* The depth-first walk of graph_find_cycle. */
struct walk {
	const struct graph *graph;
	uint32_t *next;  /* per node: its edge to look at next */
	uint8_t *mark;   /* per node: enum */
	uint16_t *stack; /* the path from the root to where we are */
	size_t depth;
};
enum { MARK_NEW, MARK_ON_PATH, MARK_DONE };

static void walk_enter(struct walk *walk, uint16_t node)
{
	walk->mark[node] = MARK_ON_PATH;
	walk->next[node] = walk->graph->dep_start[node];
	walk->stack[walk->depth++] = node;
}

/* Walks everything reachable from `root`. Returns true with *closing set to a node of the path
 * that the last node of the path depends on. */
static bool walk_from(struct walk *walk, uint16_t root, uint16_t *closing)
{
	const struct graph *graph = walk->graph;
	uint16_t node, to;

	walk_enter(walk, root);
	while (walk->depth) {
		node = walk->stack[walk->depth - 1];
		if (walk->next[node] == graph->dep_start[node + 1]) {
			walk->mark[node] = MARK_DONE;
			walk->depth--;
			continue;
		}
		to = graph->deps[walk->next[node]++].to;
		if (walk->mark[to] == MARK_ON_PATH) {
			*closing = to;
			return true;
		}
		if (walk->mark[to] == MARK_NEW)
			walk_enter(walk, to);
	}
	return false;
}

/* Copies the end of the path from `closing` on, turned so that the lowest index comes first. */
static size_t chain_fill(const struct walk *walk, uint16_t closing, uint16_t *chain)
{
	size_t begin = walk->depth - 1, lowest, length, i;

	while (walk->stack[begin] != closing)
		begin--;
	length = walk->depth - begin;
	lowest = 0;
	for (i = 1; i < length; i++)
		if (walk->stack[begin + i] < walk->stack[begin + lowest])
			lowest = i;
	for (i = 0; i <= length; i++)
		chain[i] = walk->stack[begin + (lowest + i) % length];
	return length;
}

size_t graph_find_cycle(const struct graph *graph, struct arena *arena, uint16_t *chain)
{
	struct walk walk = {.graph = graph};
	uint16_t closing;
	uint32_t root;

	walk.next = arena_array(arena, graph->nodes, sizeof(*walk.next));
	walk.mark = arena_array(arena, graph->nodes, sizeof(*walk.mark));
	walk.stack = arena_array(arena, graph->nodes, sizeof(*walk.stack));
	if (!walk.next || !walk.mark || !walk.stack)
		return 0;
	for (root = 0; root < graph->nodes; root++)
		if (walk.mark[root] == MARK_NEW && walk_from(&walk, (uint16_t)root, &closing))
			return chain_fill(&walk, closing, chain);
	return 0;
}

bool graph_order(const struct graph *graph, struct arena *arena, uint16_t *order)
{
	uint32_t *unmet = arena_array(arena, graph->nodes, sizeof(*unmet));
	uint32_t filled = 0, taken, i;
	uint16_t node;

	if (!unmet)
		return false;
	for (i = 0; i < graph->nodes; i++) {
		unmet[i] = graph->dep_start[i + 1] - graph->dep_start[i];
		if (!unmet[i])
			order[filled++] = (uint16_t)i;
	}
	/* `order` is its own queue: what lies behind `taken` has no unmet dependency left */
	for (taken = 0; taken < filled; taken++) {
		node = order[taken];
		for (i = graph->dependent_start[node]; i < graph->dependent_start[node + 1]; i++)
			if (--unmet[graph->dependents[i]] == 0)
				order[filled++] = graph->dependents[i];
	}
	return filled == graph->nodes;
}

bool graph_remaining(const struct graph *graph, struct arena *arena, const uint32_t *weights,
		     uint32_t *remaining)
{
	uint16_t *order = arena_array(arena, graph->nodes, sizeof(*order));
	uint32_t position, longest, weight, i;
	uint16_t node;

	if (!order || !graph_order(graph, arena, order))
		return false;
	for (position = graph->nodes; position > 0; position--) {
		node = order[position - 1];
		longest = 0;
		for (i = graph->dependent_start[node]; i < graph->dependent_start[node + 1]; i++)
			if (remaining[graph->dependents[i]] > longest)
				longest = remaining[graph->dependents[i]];
		weight = weights ? weights[node] : 1;
		remaining[node] = weight > UINT32_MAX - longest ? UINT32_MAX : weight + longest;
	}
	return true;
}
