/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <string.h>

#include "arena.h"

#define FIRST_SIZE 64 /* slots; always a power of two, at most half of them in use */

struct table {
	struct arena *arena;
	struct table_entry *slots;
	uint32_t size;
	uint32_t used;
};

/* FNV-1a. Keys come from the configuration's author, so collisions on purpose are no concern. */
static uint32_t hash_bytes(const char *key, size_t len)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)key[i]) * 16777619U;
	return hash ^ hash >> 15;
}

struct table *table_create(struct arena *arena)
{
	struct table *table = arena_alloc(arena, sizeof(*table));

	if (!table)
		return NULL;
	table->arena = arena;
	table->size = FIRST_SIZE;
	table->slots = arena_array(arena, table->size, sizeof(*table->slots));
	return table->slots ? table : NULL;
}

/* The slot that holds the key, or the free one where it belongs. */
static struct table_entry *find_slot(struct table_entry *slots, uint32_t size, const char *key,
				     size_t len, uint32_t hash)
{
	uint32_t i = hash & (size - 1);

	while (slots[i].key && (slots[i].hash != hash || slots[i].len != len ||
				memcmp(slots[i].key, key, len) != 0))
		i = (i + 1) & (size - 1);
	return &slots[i];
}

struct table_entry *table_find(const struct table *table, const char *key, size_t len)
{
	struct table_entry *slot =
		find_slot(table->slots, table->size, key, len, hash_bytes(key, len));

	return slot->key ? slot : NULL;
}

static int grow(struct table *table)
{
	uint32_t size = table->size * 2;
	struct table_entry *slots = arena_array(table->arena, size, sizeof(*slots));

	if (!slots)
		return -1;
	for (uint32_t i = 0; i < table->size; i++) {
		const struct table_entry *old = &table->slots[i];

		if (old->key)
			*find_slot(slots, size, old->key, old->len, old->hash) = *old;
	}
	table->slots = slots;
	table->size = size;
	return 0;
}

struct table_entry *table_add(struct table *table, const char *key, size_t len)
{
	uint32_t hash = hash_bytes(key, len);
	struct table_entry *slot;

	if (len >= UINT32_MAX || (table->used >= table->size / 2 && grow(table) != 0))
		return NULL;
	slot = find_slot(table->slots, table->size, key, len, hash);
	if (!slot->key) {
		*slot = (struct table_entry){key, (uint32_t)len, hash, TABLE_NEW};
		table->used++;
	}
	return slot;
}
