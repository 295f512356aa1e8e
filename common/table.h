/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TABLE_H
#define MUSTER_TABLE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A hash table from byte strings to numbers. Keys are borrowed: they must live as long as the
 * table. Memory comes from an arena and is never given back, growth included (which at most
 * doubles it). Nothing is removed.
 */
struct arena;
struct table;

struct table_entry {
	const char *key; /* NULL: a free slot */
	uint32_t len;
	uint32_t hash;
	uint32_t value; /* the caller's; TABLE_NEW until set */
};
#define TABLE_NEW UINT32_MAX

/* NULL: no memory. */
struct table *table_create(struct arena *arena);

/* The entry with this key, or NULL. */
struct table_entry *table_find(const struct table *table, const char *key, size_t len);

/*
 * The entry with this key, added with the value TABLE_NEW when there was none. NULL: no memory.
 * The pointer is good until the next call.
 */
struct table_entry *table_add(struct table *table, const char *key, size_t len);

#endif
