/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ENVIRONMENT_H
#define MUSTER_ENVIRONMENT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The environment of a wrapped program with --env-file and --secrets: init's own, then what the
 * files say, in their order, then the secrets; a later variable takes the place of an earlier one.
 * A secret is a directory (one variable a file, - and . in its name made _), NAME_FILE=/path, or
 * NAME_FILE with the path in the environment.
 *
 * Both lists are NULL-ended. Returns a NULL-ended array that stays for good, or NULL with a
 * sentence in error that holds no value.
 */
char **environment_build(char *const *base, const char *const *env_files,
			 const char *const *secrets, char *error, size_t size);

#endif
