/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "args.h"
#include "graph_text.h"
#include "load.h"
#include "log.h"
#include "text.h"
#include "view.h"

typedef void graph_printer(FILE *out, const struct graph_picture *picture);

static graph_printer *find_printer(const char *format)
{
	static const struct {
		const char *name;
		graph_printer *print;
	} formats[] = {{"text", graph_print_text},
		       {"dot", graph_print_dot},
		       {"mermaid", graph_print_mermaid}};
	size_t i;

	for (i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (strcmp(formats[i].name, format) == 0)
			return formats[i].print;
	return NULL;
}

/* Room for the names and types of `count` nodes. False: no memory. */
static bool picture_begin(struct graph_picture *picture, uint32_t count, uint8_t **types)
{
	picture->arena = arena_create();
	if (!picture->arena)
		return false;
	picture->names = arena_array(picture->arena, count, sizeof(*picture->names));
	*types = arena_array(picture->arena, count, sizeof(**types));
	picture->types = *types;
	return picture->names && *types;
}

static bool picture_of_page(struct graph_picture *picture, const struct view *view)
{
	uint8_t *types;
	char *name;
	uint32_t i;

	picture->graph = view->graph;
	if (!picture_begin(picture, view->graph.nodes, &types))
		return false;
	for (i = 0; i < view->graph.nodes; i++) {
		types[i] = view->records[i].type;
		if (!view_counts(&view->records[i]))
			continue;
		name = arena_alloc(picture->arena, STATUS_NAME_MAX);
		if (!name)
			return false;
		picture->names[i] = text_name(name, view->records[i].name);
	}
	return true;
}

static uint32_t count_edges(const struct config *config)
{
	uint32_t i, count = 0;

	for (i = 0; i < config->count; i++)
		count += config->services[i].dep_count;
	return count;
}

static bool picture_of_config(struct graph_picture *picture, const struct config *config)
{
	uint32_t room = count_edges(config), count = 0, i, j;
	const struct service_config *service;
	struct graph_edge *edges;
	uint8_t *types;

	if (!picture_begin(picture, config->count, &types))
		return false;
	edges = arena_array(picture->arena, room, sizeof(*edges));
	if (!edges)
		return false;
	for (i = 0; i < config->count; i++) {
		service = &config->services[i];
		types[i] = service->type;
		if (!service->internal)
			picture->names[i] = service->name;
		for (j = 0; j < service->dep_count; j++)
			edges[count++] =
				(struct graph_edge){.from = (uint16_t)i,
						    .to = service->deps[j].service,
						    .condition = service->deps[j].condition,
						    .optional = service->deps[j].optional,
						    .restart = service->deps[j].restart};
	}
	return graph_build(&picture->graph, picture->arena, config->count, edges, count);
}

static int print(struct graph_picture *picture, bool made, graph_printer *printer)
{
	if (made)
		printer(stdout, picture);
	else
		log_error("no memory");
	arena_destroy(picture->arena);
	return made ? CTL_DONE : CTL_FALSE;
}

static int print_config(const struct ctl *ctl, graph_printer *printer)
{
	struct config *config = load_config(ctl, NULL, environ, true);
	struct graph_picture picture = {0};
	int result;

	if (!config)
		return CTL_FALSE;
	result = print(&picture, picture_of_config(&picture, config), printer);
	config_free(config);
	return result;
}

/* The graph of the init that runs here, unless a configuration was named. */
int verb_graph(struct ctl *ctl, char **argv)
{
	const char *format = "text", *named = getenv("MUSTER_CONFIG");
	const struct arg_option options[] = {{"format", 0, ARG_TEXT, &format}};
	struct graph_picture picture = {0};
	graph_printer *printer;
	struct view view;
	int exit_code, count = args_parse(ctl, argv, options, 1, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': graph takes no names", argv[0]);
	printer = find_printer(format);
	if (!printer)
		return args_wrong(ctl, "--format: '%s' is none of text, dot, mermaid", format);
	if (ctl->config_count || (named && *named) || view_open(&view, ctl->run_dir))
		return print_config(ctl, printer);
	exit_code = print(&picture, picture_of_page(&picture, &view), printer);
	view_close(&view);
	return exit_code;
}
