/* SPDX-License-Identifier: MIT */
#include "graph_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "arena.h"
#include "states.h"

typedef void printer(FILE *out, const struct graph_picture *picture);

/* web on api, on cache if there, on db's start, and on one that is not shown; migrate is a oneshot.
 */
static void check(printer *print, const char *expected)
{
	static const struct graph_edge edges[] = {
		{.from = 0, .to = 1, .condition = COND_HEALTHY},
		{.from = 0, .to = 2, .condition = COND_HEALTHY, .optional = true},
		{.from = 0, .to = 3, .condition = COND_STARTED, .restart = true},
		{.from = 0, .to = 5, .condition = COND_HEALTHY},
		{.from = 1, .to = 4, .condition = COND_COMPLETED},
		{.from = 4, .to = 3, .condition = COND_HEALTHY, .restart = true},
	};
	const char *names[] = {"web", "api", "cache", "db", "migrate", NULL};
	const uint8_t types[] = {TYPE_SERVICE,  TYPE_SERVICE, TYPE_SERVICE,
				 TYPE_EXTERNAL, TYPE_ONESHOT, TYPE_SERVICE};
	struct graph_picture picture = {.names = names, .types = types, .arena = arena_create()};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_true(graph_build(&picture.graph, picture.arena, 6, edges, 6));
	print(out, &picture);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
	arena_destroy(picture.arena);
}

static void as_text_in_start_order(void **state)
{
	(void)state;
	check(graph_print_text, "cache\n"
				"db\n"
				"migrate  db:restart\n"
				"api      migrate:completed\n"
				"web      api, ?cache, db:started:restart\n");
}

static void as_dot(void **state)
{
	(void)state;
	check(graph_print_dot, "digraph muster {\n"
			       "  rankdir=RL;\n"
			       "  node [fontname=\"sans-serif\"];\n"
			       "  \"web\" [shape=box];\n"
			       "  \"api\" [shape=box];\n"
			       "  \"cache\" [shape=box];\n"
			       "  \"db\" [shape=box, style=dashed];\n"
			       "  \"migrate\" [shape=ellipse];\n"
			       "  \"web\" -> \"api\" [label=\"\"];\n"
			       "  \"web\" -> \"cache\" [label=\"\", style=dashed];\n"
			       "  \"web\" -> \"db\" [label=\"started:restart\"];\n"
			       "  \"api\" -> \"migrate\" [label=\"completed\"];\n"
			       "  \"migrate\" -> \"db\" [label=\":restart\"];\n"
			       "}\n");
}

static void as_mermaid(void **state)
{
	(void)state;
	check(graph_print_mermaid, "flowchart RL\n"
				   "  s0[\"web\"]\n"
				   "  s1[\"api\"]\n"
				   "  s2[\"cache\"]\n"
				   "  s3[\"db\"]\n"
				   "  s4([\"migrate\"])\n"
				   "  s0 --> s1\n"
				   "  s0 -.-> s2\n"
				   "  s0 -->|started:restart| s3\n"
				   "  s1 -->|completed| s4\n"
				   "  s4 -->|:restart| s3\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text_in_start_order),
		cmocka_unit_test(as_dot),
		cmocka_unit_test(as_mermaid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
