/* SPDX-License-Identifier: MIT */
#include "graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena.h"

#define EDGE(a, b)                                                                                 \
	{                                                                                          \
		.from = (a), .to = (b)                                                             \
	}
#define COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

static struct graph build(uint32_t nodes, const struct graph_edge *edges, uint32_t count)
{
	struct graph graph;

	assert_true(graph_build(&graph, arena, nodes, edges, count));
	return graph;
}

static void edges_are_kept_in_their_order(void **state)
{
	const struct graph_edge edges[] = {
		{.from = 2, .to = 1, .condition = 1},
		{.from = 0, .to = 2, .optional = true},
		{.from = 2, .to = 0, .condition = 2},
		{.from = 0, .to = 1},
	};
	struct graph graph = build(4, edges, COUNT(edges));

	(void)state;
	assert_int_equal(graph.dep_start[0], 0);
	assert_int_equal(graph.dep_start[1], 2);
	assert_int_equal(graph.dep_start[2], 2);
	assert_int_equal(graph.dep_start[3], 4);
	assert_int_equal(graph.dep_start[4], 4);
	assert_int_equal(graph.deps[0].to, 2);
	assert_true(graph.deps[0].optional);
	assert_int_equal(graph.deps[1].to, 1);
	assert_int_equal(graph.deps[2].to, 1);
	assert_int_equal(graph.deps[2].condition, 1);
	assert_int_equal(graph.deps[3].to, 0);
	assert_int_equal(graph.dependent_start[1], 1);
	assert_int_equal(graph.dependents[0], 2); /* who depends on 0 */
	assert_int_equal(graph.dependents[1], 2); /* on 1: 2 first, then 0 */
	assert_int_equal(graph.dependents[2], 0);
	assert_int_equal(graph.dependents[3], 0);
}

static void a_cycle_is_a_chain_that_closes(void **state)
{
	/* 3 leads in; 0 -> 1 -> 2 -> 0; 4 is apart */
	const struct graph_edge edges[] = {EDGE(3, 1), EDGE(0, 1), EDGE(1, 2), EDGE(2, 0)};
	struct graph graph = build(5, edges, COUNT(edges));
	uint16_t chain[6];

	(void)state;
	assert_int_equal(graph_find_cycle(&graph, arena, chain), 3);
	assert_int_equal(chain[0], 0);
	assert_int_equal(chain[1], 1);
	assert_int_equal(chain[2], 2);
	assert_int_equal(chain[3], 0);
}

static void the_lowest_index_comes_first(void **state)
{
	/* the walk enters at 4: 0 -> 4 -> 3 -> 1 -> 4 */
	const struct graph_edge edges[] = {EDGE(0, 4), EDGE(4, 3), EDGE(3, 1), EDGE(1, 4)};
	struct graph graph = build(5, edges, COUNT(edges));
	uint16_t chain[6];

	(void)state;
	assert_int_equal(graph_find_cycle(&graph, arena, chain), 3);
	assert_int_equal(chain[0], 1);
	assert_int_equal(chain[1], 4);
	assert_int_equal(chain[2], 3);
	assert_int_equal(chain[3], 1);
}

static void a_node_on_itself_is_a_cycle(void **state)
{
	const struct graph_edge edges[] = {EDGE(0, 1), EDGE(1, 1)};
	struct graph graph = build(2, edges, COUNT(edges));
	uint16_t chain[3], order[2];

	(void)state;
	assert_int_equal(graph_find_cycle(&graph, arena, chain), 1);
	assert_int_equal(chain[0], 1);
	assert_int_equal(chain[1], 1);
	assert_false(graph_order(&graph, arena, order));
}

#define MANY 10000
static struct graph_edge many_edges[MANY];
static uint16_t many_nodes[MANY + 1];

static void a_cycle_of_ten_thousand(void **state)
{
	struct graph graph;
	uint32_t i;

	(void)state;
	for (i = 0; i < MANY; i++)
		many_edges[i] = (struct graph_edge)EDGE((uint16_t)i, (uint16_t)((i + 1) % MANY));
	graph = build(MANY, many_edges, MANY);
	assert_int_equal(graph_find_cycle(&graph, arena, many_nodes), MANY);
	for (i = 0; i <= MANY; i++)
		assert_int_equal(many_nodes[i], i % MANY);
	assert_false(graph_order(&graph, arena, many_nodes));

	/* without its last edge it is one long chain, ordered from its end */
	graph = build(MANY, many_edges, MANY - 1);
	assert_int_equal(graph_find_cycle(&graph, arena, many_nodes), 0);
	assert_true(graph_order(&graph, arena, many_nodes));
	for (i = 0; i < MANY; i++)
		assert_int_equal(many_nodes[i], MANY - 1 - i);
}

static void a_diamond_is_no_cycle(void **state)
{
	/* 3 on 1 and 2, both on 0; one edge twice */
	const struct graph_edge edges[] = {EDGE(3, 1), EDGE(3, 2), EDGE(1, 0), EDGE(2, 0),
					   EDGE(3, 1)};
	struct graph graph = build(4, edges, COUNT(edges));
	const uint32_t weights[] = {5, 10, 20, 1};
	uint32_t remaining[4];
	uint16_t chain[5], order[4];

	(void)state;
	assert_int_equal(graph_find_cycle(&graph, arena, chain), 0);
	assert_true(graph_order(&graph, arena, order));
	assert_int_equal(order[0], 0);
	assert_int_equal(order[1], 1);
	assert_int_equal(order[2], 2);
	assert_int_equal(order[3], 3);
	assert_true(graph_remaining(&graph, arena, NULL, remaining));
	assert_int_equal(remaining[0], 3);
	assert_int_equal(remaining[3], 1);
	assert_true(graph_remaining(&graph, arena, weights, remaining));
	assert_int_equal(remaining[0], 26);
	assert_int_equal(remaining[1], 11);
	assert_int_equal(remaining[2], 21);
	assert_int_equal(remaining[3], 1);
}

static void remaining_stops_at_its_limit(void **state)
{
	const struct graph_edge edges[] = {EDGE(1, 0)};
	struct graph graph = build(2, edges, 1);
	const uint32_t weights[] = {UINT32_MAX - 1, 7};
	uint32_t remaining[2];

	(void)state;
	assert_true(graph_remaining(&graph, arena, weights, remaining));
	assert_int_equal(remaining[0], UINT32_MAX);
}

static void an_empty_graph_is_in_order(void **state)
{
	struct graph graph = build(0, NULL, 0);
	uint16_t chain[1], order[1];

	(void)state;
	assert_int_equal(graph_find_cycle(&graph, arena, chain), 0);
	assert_true(graph_order(&graph, arena, order));
}

/* A random graph without a cycle: edges lead from later to earlier names of a shuffled row. */
static uint32_t random_edges(uint32_t nodes, struct graph_edge *edges, uint32_t most)
{
	uint16_t name[60];
	uint32_t i, j, count = 0;
	uint16_t swap;

	for (i = 0; i < nodes; i++)
		name[i] = (uint16_t)i;
	for (i = nodes; i > 1; i--) {
		j = (uint32_t)rand() % i;
		swap = name[i - 1];
		name[i - 1] = name[j];
		name[j] = swap;
	}
	while (nodes > 1 && count < most) {
		i = 1 + (uint32_t)rand() % (nodes - 1);
		j = (uint32_t)rand() % i;
		edges[count++] = (struct graph_edge)EDGE(name[i], name[j]);
	}
	return count;
}

static void check_order(const struct graph *graph, const struct graph_edge *edges, uint32_t count)
{
	uint16_t order[60];
	uint32_t place[60], remaining[60], seen = 0, i;

	assert_true(graph_order(graph, arena, order));
	assert_true(graph_remaining(graph, arena, NULL, remaining));
	for (i = 0; i < graph->nodes; i++)
		place[i] = UINT32_MAX;
	for (i = 0; i < graph->nodes; i++) {
		seen += place[order[i]] == UINT32_MAX;
		place[order[i]] = i;
	}
	assert_int_equal(seen, graph->nodes); /* each node once */
	for (i = 0; i < count; i++) {
		assert_true(place[edges[i].to] < place[edges[i].from]);
		assert_true(remaining[edges[i].to] > remaining[edges[i].from]);
	}
}

static void random_graphs_are_ordered(void **state)
{
	struct graph_edge edges[200];
	struct graph graph;
	uint16_t chain[61];
	uint32_t round, nodes, count, i;

	(void)state;
	srand(1);
	for (round = 0; round < 300; round++) {
		nodes = 1 + (uint32_t)rand() % 60;
		count = random_edges(nodes, edges, (uint32_t)rand() % 199);
		graph = build(nodes, edges, count);
		assert_int_equal(graph_find_cycle(&graph, arena, chain), 0);
		check_order(&graph, edges, count);
		if (!count)
			continue;
		/* the reverse of any edge closes a cycle, and each link of the chain is an edge */
		edges[count] = (struct graph_edge)EDGE(edges[0].to, edges[0].from);
		graph = build(nodes, edges, count + 1);
		i = (uint32_t)graph_find_cycle(&graph, arena, chain);
		assert_true(i >= 2 && chain[0] == chain[i]);
		while (i-- > 0) {
			uint32_t e = graph.dep_start[chain[i]];

			while (e < graph.dep_start[chain[i] + 1] &&
			       graph.deps[e].to != chain[i + 1])
				e++;
			assert_true(e < graph.dep_start[chain[i] + 1]);
		}
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(edges_are_kept_in_their_order), TEST(a_cycle_is_a_chain_that_closes),
		TEST(the_lowest_index_comes_first),  TEST(a_node_on_itself_is_a_cycle),
		TEST(a_cycle_of_ten_thousand),       TEST(a_diamond_is_no_cycle),
		TEST(remaining_stops_at_its_limit),  TEST(an_empty_graph_is_in_order),
		TEST(random_graphs_are_ordered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
