/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_OPTIONS_H
#define MUSTER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "identity.h"
#include "wrap.h"

/* The command line of muster-init; DESIGN of the options: muster-init(8). */
#define OPTIONS_FILES_MAX 64

enum action { ACTION_WRAP, ACTION_SUPERVISE, ACTION_CHECK, ACTION_HELP, ACTION_VERSION };

struct options {
	enum action action;
	struct wrap_options wrap;
	struct identity_options identity;
	const char *config_files[OPTIONS_FILES_MAX + 1]; /* -c, NULL-ended */
	unsigned config_count;
	const char *env_files[OPTIONS_FILES_MAX + 1]; /* --env-file, NULL-ended */
	unsigned env_count;
	const char *secrets[OPTIONS_FILES_MAX + 1]; /* --secrets, NULL-ended */
	unsigned secrets_count;
	bool verbose;
	bool strict;           /* --check */
	const char *wrap_only; /* the last option given that means nothing in supervise mode */
};

/*
 * Reads the command line into zeroed options. False: error is a sentence for the user, without the
 * program's name. Touches no files; options->action is decided but for a default configuration.
 */
bool options_parse(struct options *options, int argc, char **argv, char *error, size_t size);

/* --help, from the table that options_parse reads by. */
void options_print_help(void);

#endif
