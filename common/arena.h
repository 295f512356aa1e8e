/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ARENA_H
#define MUSTER_ARENA_H

#include <stddef.h>

/*
 * An arena: memory that is taken piece by piece and given back all at once. A configuration and
 * everything that is planned from it live in one; a reload builds a second and drops the first.
 * Memory is zeroed. All functions return NULL when there is no memory; nothing else fails.
 */
struct arena;

struct arena *arena_create(void);
void arena_destroy(struct arena *arena); /* NULL is allowed */

/* `size` bytes aligned for any type. */
void *arena_alloc(struct arena *arena, size_t size);
/* As arena_alloc for `count` elements; NULL also when the product overflows. */
void *arena_array(struct arena *arena, size_t count, size_t size);
/* A copy of the first `len` bytes of `text`, with a NUL behind it; packed, not aligned. */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);

/* Bytes handed out so far (tests, memory report). */
size_t arena_used(const struct arena *arena);

#endif
