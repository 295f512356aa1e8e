/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PERSONALITY_H
#define MUSTER_PERSONALITY_H

struct personality;
struct wrap_options;

/*
 * The inits that muster-init takes the place of when it is called by their names: tini (docker-init
 * too), dumb-init, catatonit. Each is one table of options, variables, texts and behaviour; what
 * they promise, and what is better here, is in muster-init(8).
 */

/* Whose name argv[0] is; NULL: nobody's. */
const struct personality *personality_find(const char *name);

/*
 * Reads its command line and environment into zeroed options. -1: run the program; else all has
 * been said, and this is the exit code.
 */
int personality_parse(const struct personality *personality, struct wrap_options *options, int argc,
		      char **argv);

#endif
