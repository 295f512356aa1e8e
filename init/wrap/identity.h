/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_IDENTITY_H
#define MUSTER_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config.h"

/*
 * Who the wrapped program is to be, from the words of the command line. Texts are kept as given
 * until identity_resolve looks users and groups up. Functions that return false have put into
 * error, a sentence without its subject, what is wrong.
 */
#define IDENTITY_LIMITS_MAX 16

struct identity_options {
	const char *user;   /* NAME or number, with :GROUP or without; NULL: as it is */
	const char *groups; /* separated by commas, added to those of the user; NULL: none */
	struct limit_config limits[IDENTITY_LIMITS_MAX + 1];
	unsigned limit_count;
	struct identity_config config; /* the result; other fields are set directly */
};

/* Adds "nofile=1024:4096"; the last one for a resource counts. */
bool identity_add_limit(struct identity_options *options, const char *text, char *error,
			size_t size);

/* Adds "NET_RAW,cap_chown" to config.cap_add or config.cap_drop. */
bool identity_add_capabilities(struct identity_options *options, const char *text, uint64_t *set,
			       char *error, size_t size);

/* Fills options->config. */
bool identity_resolve(struct identity_options *options, char *error, size_t size);

#endif
