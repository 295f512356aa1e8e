/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_GRAPH_H
#define MUSTER_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The dependency graph: nodes are indices of services, an edge says that `from` depends on `to`.
 * Built once from a list of edges; no recursion anywhere, so depth is bounded by memory only.
 * Working memory of the functions comes from their arena too: where it should not stay, pass one
 * that is dropped afterwards.
 */
struct arena;

struct graph_edge {
	uint16_t from;
	uint16_t to;
	uint8_t condition; /* enum dep_condition; carried along */
	bool optional;
	bool restart; /* carried along, too */
};

struct graph {
	uint32_t nodes;
	uint32_t edge_count;
	/* the edges that leave node n are deps[dep_start[n] .. dep_start[n + 1] - 1]: what it
	 * depends on; those that come in are dependents[...]: who depends on it */
	const uint32_t *dep_start;
	const struct graph_edge *deps;
	const uint32_t *dependent_start;
	const uint16_t *dependents;
};

/*
 * Builds the graph in the arena; edges are copied, those of one node stay in their order. At most
 * 65536 nodes, and every index in the edges is below `nodes`. False: no memory.
 */
bool graph_build(struct graph *graph, struct arena *arena, uint32_t nodes,
		 const struct graph_edge *edges, uint32_t count);

/*
 * Looks for a cycle. Returns its length and fills `chain` (room for nodes + 1) with a, b, c, a:
 * each depends on the next, the lowest index first; 0: there is none, or no memory (graph_order
 * tells these apart).
 */
size_t graph_find_cycle(const struct graph *graph, struct arena *arena, uint16_t *chain);

/*
 * Fills `order` with all nodes so that each comes after what it depends on (Kahn). Returns false
 * when there is a cycle (or no memory). Among equals the lower index comes first.
 */
bool graph_order(const struct graph *graph, struct arena *arena, uint16_t *order);

/*
 * The longest path from each node to the end of the start-up through its dependents, its own
 * weight included: who is started first when slots are short. weights may be NULL (1 each). Sums
 * stop at UINT32_MAX. False when there is a cycle or no memory.
 */
bool graph_remaining(const struct graph *graph, struct arena *arena, const uint32_t *weights,
		     uint32_t *remaining);

#endif
