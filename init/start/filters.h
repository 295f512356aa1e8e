/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FILTERS_H
#define MUSTER_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The filters of system calls of all who are to have one, made before anybody is started. Profiles
 * in JSON are read and compiled by a child process, once for each and each set of capabilities, so
 * that neither their text nor the compiler's memory is ever init's.
 */
struct arena;
struct config;
struct filters;
struct identity_config;
struct sock_fprog;

#define FILTERS_TEXT_SIZE 4096

/*
 * In the arena; NULL: `text` has a line for each problem. One that nobody has asked for is left out
 * where the kernel cannot do it, with a warning. Waits for the child, at most `patience` ms: a
 * reload holds up everything else meanwhile.
 */
#define FILTERS_AT_START  10000
#define FILTERS_AT_RELOAD 2000
struct filters *filters_make(struct arena *arena, const struct identity_config *const *identities,
			     uint32_t count, unsigned patience, char text[FILTERS_TEXT_SIZE]);
/* Those of all services, to config->filters. */
bool filters_make_all(struct config *config, unsigned patience, char text[FILTERS_TEXT_SIZE]);

/* NULL: none. `filters` may be NULL. */
const struct sock_fprog *filters_find(const struct filters *filters,
				      const struct identity_config *identity);
/* Whether they let the same through. Either may be NULL. */
bool filters_equal(const struct sock_fprog *a, const struct sock_fprog *b);

#endif
