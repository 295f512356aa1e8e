/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "args.h"
#include "explain.h"
#include "json_out.h"
#include "load.h"
#include "log.h"
#include "text.h"

#define MODE_VARIABLE "MUSTER_MODE="

static bool is_mode(const char *word)
{
	unsigned i;

	for (i = 0; i < MODE_COUNT; i++)
		if (strcmp(mode_name(i), word) == 0)
			return true;
	return strcmp(word, "auto") == 0;
}

/* Our environment, with another MUSTER_MODE if one is given; malloc'ed, the strings are borrowed.
 */
static char **environment_with(char *mode)
{
	size_t count = 0, kept = 0, i;
	char **copy;

	while (environ[count])
		count++;
	copy = calloc(count + 2, sizeof(*copy));
	for (i = 0; copy && i < count; i++)
		if (!mode || strncmp(environ[i], MODE_VARIABLE, strlen(MODE_VARIABLE)) != 0)
			copy[kept++] = environ[i];
	if (copy)
		copy[kept] = mode;
	return copy;
}

static char *format_candidate(char buffer[ENDPOINT_SIZE], const struct address_candidate *candidate)
{
	return endpoint_format(buffer, candidate->host, candidate->port);
}

/* ---- JSON ---- */

static void print_json(const struct config *config, const struct address_entry *one)
{
	struct explanation answer = {.book = config->addresses, .address = one};
	struct json_out json;
	uint32_t i;

	json_begin(&json, stdout, true);
	if (one) {
		explain_json(&json, &answer);
	} else {
		json_array_begin(&json, NULL);
		for (i = 0; i < answer.book->count; i++) {
			answer.address = &answer.book->entries[i];
			explain_json(&json, &answer);
		}
		json_array_end(&json);
	}
	json_end(&json);
}

/* ---- text ---- */

/* One address a line, nothing else: for `$(musterctl resolve db)`. */
static int print_one(const struct address_entry *address)
{
	const struct address_candidate *first = address->count ? address->candidates : NULL;
	char text[ENDPOINT_SIZE];

	if (!first) {
		log_error("%s has no address here: %s", address->name,
			  address->tried ? address->tried : "nothing names one");
		return CTL_FALSE;
	}
	puts(format_candidate(text, first));
	return CTL_DONE;
}

static void print_all(const struct ctl *ctl, const struct address_book *book)
{
	const struct address_entry *address;
	struct grid grid;
	char text[ENDPOINT_SIZE];
	uint32_t i;

	grid_begin(&grid, 3, 0);
	for (i = 0; i < book->count; i++) {
		address = &book->entries[i];
		grid_add(&grid, COLOUR_NONE, "%s", address->name);
		if (address->count) {
			grid_add(&grid, COLOUR_GREEN, "%s",
				 format_candidate(text, &address->candidates[0]));
			grid_add(&grid, COLOUR_DIM, "%s", address->candidates[0].source);
		} else {
			grid_add(&grid, COLOUR_RED, "-");
			grid_add(&grid, COLOUR_DIM, "%s", address->tried ? address->tried : "");
		}
	}
	grid_print(&grid, stdout, ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		   ctl->colour);
}

static void explain(const struct address_book *book, const struct address_entry *one)
{
	struct explanation answer = {.book = book, .address = one};
	uint32_t i;

	for (i = 0; i < book->count; i++) {
		if (one && one != &book->entries[i])
			continue;
		answer.address = &book->entries[i];
		explain_text(stdout, &answer);
	}
}

/* ---- the verb ---- */

enum form { FORM_TEXT, FORM_JSON, FORM_EXPLAIN };

static int show(const struct ctl *ctl, const struct config *config, const char *name,
		enum form form)
{
	const struct address_book *book = config->addresses;
	const struct address_entry *address = NULL;

	if (name) {
		address = address_find(book, name);
		if (!address) {
			log_error("there is no [address:%s] in the configuration", name);
			return CTL_NOT_FOUND;
		}
	}
	if (form == FORM_TEXT && address)
		return print_one(address);
	if (form == FORM_JSON)
		print_json(config, address);
	else if (form == FORM_EXPLAIN)
		explain(book, address);
	else
		print_all(ctl, book);
	return address && !address->count ? CTL_FALSE : CTL_DONE;
}

static int load_and_show(const struct ctl *ctl, const char *name, const char *mode, enum form form)
{
	char variable[64];
	char **environment;
	struct config *config;
	int result;

	snprintf(variable, sizeof(variable), MODE_VARIABLE "%s", mode ? mode : "");
	environment = environment_with(mode ? variable : NULL);
	if (!environment) {
		log_error("no memory");
		return CTL_FALSE;
	}
	config = load_config(ctl, NULL, environment, true);
	result = config ? show(ctl, config, name, form) : CTL_FALSE;
	config_free(config);
	free(environment);
	return result;
}

int verb_resolve(struct ctl *ctl, char **argv)
{
	const char *mode = NULL;
	bool json = false, why = false;
	const struct arg_option options[] = {{"mode", 0, ARG_TEXT, &mode},
					     {"json", 0, ARG_FLAG, &json},
					     {"explain", 0, ARG_FLAG, &why}};
	int exit_code, count = args_parse(ctl, argv, options, 3, &exit_code);

	if (count < 0)
		return exit_code;
	if (count > 1)
		return args_wrong(ctl, "at most one name is taken");
	if (mode && !is_mode(mode))
		return args_wrong(ctl,
				  "--mode: '%s' is none of development, testing, container, "
				  "kubernetes, production, auto",
				  mode);
	return load_and_show(ctl, argv[0], mode, json ? FORM_JSON : why ? FORM_EXPLAIN : FORM_TEXT);
}
