/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "config_load.h"
#include "table.h"

const char *mode_name(unsigned mode)
{
	return mode < MODE_COUNT ? key_modes[mode] : "?";
}

bool probe_is_network(const struct probe_config *probe)
{
	return probe->kind == PROBE_TCP || probe->kind == PROBE_HTTP || probe->kind == PROBE_GRPC;
}

int config_find(const struct config *config, const char *name)
{
	for (uint32_t i = 0; i < config->count; i++)
		if (strcmp(config->services[i].name, name) == 0)
			return (int)i;
	return -1;
}

void config_errors_free(struct config_errors *errors)
{
	for (unsigned i = 0; i < errors->kept; i++)
		free(errors->text[i]);
	for (unsigned i = 0; i < errors->warnings; i++)
		free(errors->warning[i]);
	memset(errors, 0, sizeof(*errors));
}

void config_free(struct config *config)
{
	if (config)
		arena_destroy(config->arena);
}

/* ---- loading ---- */

static void create_tables(struct load *load)
{
	struct table **tables[] = {
		&load->by_header, &load->environment, &load->blocks,    &load->strings,
		&load->accounts,  &load->patterns,    &load->var_files, &load->profiles,
		&load->by_name,   &load->left_out,    &load->ports,     &load->replicated,
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		*tables[i] = load_check(load, table_create(load->scratch));
	load->config = load_check(load, arena_alloc(load->arena, sizeof(*load->config)));
	load->config->arena = load->arena;
}

/* The PROGRAM of the command line is a service like others. */
static void add_program(struct load *load)
{
	struct section *taken = section_find(load, "service:main");

	if (!load->source->program)
		return;
	if (taken)
		report_section(load, taken,
			       "this is the name of the program on the command line; rename the "
			       "service, or leave the program out");
	else
		load->program = section_add(load, SECTION_SERVICE, "service:main", FILE_PROGRAM, 0);
}

/* The way from files to the configuration, in the order in which each step needs the others. */
static void load_all(struct load *load)
{
	create_tables(load);
	load_environment(load);
	load_files(load);
	add_program(load);
	load_overrides(load);
	load_muster(load);
	load_addresses(load);
	load_sidecar(load);
	load_services(load);
	load_dependencies(load);
	load_address_checks(load);
	load_common_environment(load);
	load_address_texts(load);
	load_dead(load);
}

static void report_no_memory(struct config_errors *errors)
{
	errors->total++;
	if (errors->kept == CONFIG_ERRORS_MAX)
		return;
	errors->text[errors->kept] = strdup("configuration: out of memory");
	if (errors->text[errors->kept])
		errors->kept++;
}

/* False: there was not enough memory, wherever that was. */
static bool load_or_fail(struct load *load)
{
	if (!load->arena || !load->scratch)
		return false;
	if (setjmp(load->no_memory) != 0)
		return false;
	load_all(load);
	return true;
}

struct config *config_load(const struct config_source *source, struct config_errors *errors)
{
	struct load *load = calloc(1, sizeof(*load));
	struct config *config = NULL;

	memset(errors, 0, sizeof(*errors));
	if (!load) {
		report_no_memory(errors);
		return NULL;
	}
	load->source = source;
	load->errors = errors;
	load->arena = arena_create();
	load->scratch = arena_create();
	if (!load_or_fail(load))
		report_no_memory(errors);
	if (errors->total == 0)
		config = load->config;
	else
		arena_destroy(load->arena);
	arena_destroy(load->scratch);
	free(load);
	return config;
}
