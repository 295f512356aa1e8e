/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LOAD_H
#define MUSTER_LOAD_H

#include "config.h"

/* Verbs that read the configuration themselves. */
struct ctl;

/*
 * Reads `files` (NULL-ended; NULL: those of -c, else by init's rules) and says on stderr what is
 * wrong with them. NULL: there were errors.
 */
struct config *load_config(const struct ctl *ctl, const char *const *files,
			   char *const *environment, bool lenient);
/* As load_config with all rules and this environment, and warns of what is not on this machine;
 * NULL also where there are warnings and `strict`. */
struct config *load_checked(const struct ctl *ctl, const char *const *files, bool strict);

#endif
