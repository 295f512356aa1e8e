/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_GRAPH_TEXT_H
#define MUSTER_GRAPH_TEXT_H

#include <stdint.h>
#include <stdio.h>

#include "graph.h"

/* The dependencies in three notations, from whatever source. */
struct arena;

struct graph_picture {
	struct graph graph;
	const char **names; /* per node; NULL: not shown */
	const uint8_t *types;
	struct arena *arena; /* for working memory */
};

/* In start order, each with what it depends on: "web  api, ?cache, db:started". */
void graph_print_text(FILE *out, const struct graph_picture *picture);
void graph_print_dot(FILE *out, const struct graph_picture *picture);
void graph_print_mermaid(FILE *out, const struct graph_picture *picture);

#endif
