/* SPDX-License-Identifier: MIT */
/*
 * An arena of which each piece is an allocation of its own: the real one takes pieces from chunks,
 * inside which no sanitizer sees who writes beyond the end of his.
 */
#include "arena.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct piece {
	struct piece *next;
	max_align_t bytes[];
};

struct arena {
	struct piece *pieces;
	size_t used;
};

struct arena *arena_create(void)
{
	return calloc(1, sizeof(struct arena));
}

void arena_destroy(struct arena *arena)
{
	struct piece *piece, *next;

	if (!arena)
		return;
	for (piece = arena->pieces; piece; piece = next) {
		next = piece->next;
		free(piece);
	}
	free(arena);
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct piece *piece;

	if (size > SIZE_MAX - sizeof(*piece))
		return NULL;
	piece = calloc(1, sizeof(*piece) + size);
	if (!piece)
		return NULL;
	piece->next = arena->pieces;
	arena->pieces = piece;
	arena->used += size;
	return piece->bytes;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	size_t product;

	return __builtin_mul_overflow(count, size, &product) ? NULL : arena_alloc(arena, product);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy = len == SIZE_MAX ? NULL : arena_alloc(arena, len + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

size_t arena_used(const struct arena *arena)
{
	return arena->used;
}
