/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_EXPAND_H
#define MUSTER_EXPAND_H

#include <stddef.h>

/*
 * Variables in values:
 *
 *   ${NAME}            the variable; an error when it is not set
 *   ${NAME:-default}   the default when it is not set or empty
 *   ${NAME:?message}   an error with this message when it is not set or empty
 *   ${address:NAME}    and whatever else begins with `address:`: an address
 *   $$                 a dollar sign
 *
 * A $ before anything else stays. Default and message may hold variables themselves, up to
 * EXPAND_DEPTH inside each other, and are looked at only when they are needed. What a variable
 * contains is not expanded again.
 */
struct arena;

#define EXPAND_DEPTH 16
/* A value may grow by this much. */
#define EXPAND_MAX ((size_t)1 << 20)

struct expand_source {
	void *user;
	/* The value of a variable, or NULL when it is not set. */
	const char *(*variable)(void *user, const char *name, size_t len);
	/* The value of ${address:TEXT}, or NULL with *error (which must outlive the call). */
	const char *(*address)(void *user, const char *text, size_t len, const char **error);
};

/*
 * The expanded text: `text` itself when there is no $ in it, else in the arena. NULL with *error,
 * static or in the arena, when it cannot be.
 */
const char *expand(struct arena *arena, const char *text, const struct expand_source *source,
		   const char **error);

#endif
