/* SPDX-License-Identifier: MIT */
#include "graph_text.h"

#include <string.h>

#include "arena.h"
#include "states.h"

/* The edges that leave a node and lead to one that is shown. */
#define FOR_EACH_DEP(picture, node, edge)                                                          \
	for ((edge) = (picture)->graph.deps + (picture)->graph.dep_start[node];                    \
	     (edge) < (picture)->graph.deps + (picture)->graph.dep_start[(node) + 1]; (edge)++)    \
		if ((picture)->names[(edge)->to])

static unsigned longest_name(const struct graph_picture *picture)
{
	unsigned longest = 0;
	uint32_t i;

	for (i = 0; i < picture->graph.nodes; i++)
		if (picture->names[i] && strlen(picture->names[i]) > longest)
			longest = (unsigned)strlen(picture->names[i]);
	return longest;
}

static void print_node(FILE *out, const struct graph_picture *picture, uint32_t node,
		       unsigned width)
{
	const struct graph_edge *edge;
	const char *between = "";

	if (picture->graph.dep_start[node] == picture->graph.dep_start[node + 1]) {
		fprintf(out, "%s\n", picture->names[node]);
		return;
	}
	fprintf(out, "%-*s  ", (int)width, picture->names[node]);
	FOR_EACH_DEP(picture, node, edge)
	{
		fprintf(out, "%s%s%s", between, edge->optional ? "?" : "",
			picture->names[edge->to]);
		if (edge->condition != COND_HEALTHY)
			fprintf(out, ":%s", condition_name(edge->condition));
		fputs(edge->restart ? ":restart" : "", out);
		between = ", ";
	}
	fputc('\n', out);
}

void graph_print_text(FILE *out, const struct graph_picture *picture)
{
	uint16_t *order = arena_array(picture->arena, picture->graph.nodes, sizeof(*order));
	unsigned width = longest_name(picture);
	bool ordered = order && graph_order(&picture->graph, picture->arena, order);
	uint32_t i, node;

	for (i = 0; i < picture->graph.nodes; i++) {
		node = ordered ? order[i] : i;
		if (picture->names[node])
			print_node(out, picture, node, width);
	}
}

/* Names hold nothing that needs an escape, but this costs nothing. */
static void put_quoted(FILE *out, const char *name, const char *quote, const char *backslash)
{
	fputc('"', out);
	for (; *name; name++) {
		if (*name == '"')
			fputs(quote, out);
		else if (*name == '\\')
			fputs(backslash, out);
		else
			fputc(*name, out);
	}
	fputc('"', out);
}

static void put_dot_name(FILE *out, const char *name)
{
	put_quoted(out, name, "\\\"", "\\\\");
}

static void print_dot_edge(FILE *out, const struct graph_picture *picture, uint32_t node,
			   const struct graph_edge *edge)
{
	fputs("  ", out);
	put_dot_name(out, picture->names[node]);
	fputs(" -> ", out);
	put_dot_name(out, picture->names[edge->to]);
	fprintf(out, " [label=\"%s%s\"%s];\n",
		edge->condition == COND_HEALTHY ? "" : condition_name(edge->condition),
		edge->restart ? ":restart" : "", edge->optional ? ", style=dashed" : "");
}

void graph_print_dot(FILE *out, const struct graph_picture *picture)
{
	static const char *const shapes[TYPE_COUNT] = {"box", "ellipse", "box, style=dashed"};
	const struct graph_edge *edge;
	uint32_t i;

	fputs("digraph muster {\n  rankdir=RL;\n  node [fontname=\"sans-serif\"];\n", out);
	for (i = 0; i < picture->graph.nodes; i++) {
		if (!picture->names[i])
			continue;
		fputs("  ", out);
		put_dot_name(out, picture->names[i]);
		fprintf(out, " [shape=%s];\n", shapes[picture->types[i] % TYPE_COUNT]);
	}
	for (i = 0; i < picture->graph.nodes; i++)
		if (picture->names[i])
			FOR_EACH_DEP(picture, i, edge)
	print_dot_edge(out, picture, i, edge);
	fputs("}\n", out);
}

static void print_mermaid_edge(FILE *out, uint32_t node, const struct graph_edge *edge)
{
	fprintf(out, "  s%u %s", node, edge->optional ? "-.->" : "-->");
	if (edge->condition != COND_HEALTHY || edge->restart)
		fprintf(out, "|%s%s|",
			edge->condition != COND_HEALTHY ? condition_name(edge->condition) : "",
			edge->restart ? ":restart" : "");
	fprintf(out, " s%u\n", edge->to);
}

void graph_print_mermaid(FILE *out, const struct graph_picture *picture)
{
	const struct graph_edge *edge;
	uint32_t i;

	fputs("flowchart RL\n", out);
	for (i = 0; i < picture->graph.nodes; i++) {
		if (!picture->names[i])
			continue;
		fprintf(out, "  s%u%s", i, picture->types[i] == TYPE_ONESHOT ? "([" : "[");
		put_quoted(out, picture->names[i], "#quot;", "#92;");
		fputs(picture->types[i] == TYPE_ONESHOT ? "])\n" : "]\n", out);
	}
	for (i = 0; i < picture->graph.nodes; i++)
		if (picture->names[i])
			FOR_EACH_DEP(picture, i, edge)
	print_mermaid_edge(out, i, edge);
}
