/* SPDX-License-Identifier: MIT */
#include "arena.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

/*
 * One reservation per arena, filled from both ends: aligned objects from the front, strings from
 * the back of the current chunk. Chunks come straight from mmap, so they are zero and an arena
 * that is dropped gives its pages back to the kernel at once.
 */
#ifndef CHUNK_SIZE /* a test makes it 1: one reservation for each object, so that each can fail */
#define CHUNK_SIZE ((size_t)64 * 1024)
#endif
#define ALIGN ((size_t)8)

struct chunk {
	struct chunk *next;
	size_t size;
	size_t front; /* offset of the first free byte */
	size_t back;  /* offset behind the last free byte */
};

struct arena {
	struct chunk *chunks;
	size_t used;
};

static struct chunk *chunk_map(size_t payload)
{
	size_t size = sizeof(struct chunk) + payload;
	struct chunk *chunk;

	if (size < payload)
		return NULL;
	if (size < CHUNK_SIZE)
		size = CHUNK_SIZE;
	chunk = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (chunk == MAP_FAILED)
		return NULL;
	chunk->size = size;
	chunk->front = (sizeof(struct chunk) + ALIGN - 1) & ~(ALIGN - 1);
	chunk->back = size;
	return chunk;
}

struct arena *arena_create(void)
{
	struct chunk *chunk = chunk_map(sizeof(struct arena));
	struct arena *arena;

	if (!chunk)
		return NULL;
	arena = (struct arena *)(void *)((char *)chunk + chunk->front);
	chunk->front += (sizeof(struct arena) + ALIGN - 1) & ~(ALIGN - 1);
	arena->chunks = chunk;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	struct chunk *chunk, *next;

	if (!arena)
		return;
	/* the arena itself lies in the oldest chunk, the last of the list */
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		munmap(chunk, chunk->size);
	}
}

/* The newest chunk, or a fresh one when `need` bytes do not fit. */
static struct chunk *chunk_with_room(struct arena *arena, size_t need)
{
	struct chunk *chunk = arena->chunks;

	if (chunk->back - chunk->front >= need)
		return chunk;
	chunk = chunk_map(need);
	if (!chunk)
		return NULL;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	size_t rounded = (size + ALIGN - 1) & ~(ALIGN - 1);
	struct chunk *chunk;
	void *p;

	if (rounded < size)
		return NULL;
	chunk = chunk_with_room(arena, rounded);
	if (!chunk)
		return NULL;
	p = (char *)chunk + chunk->front;
	chunk->front += rounded;
	arena->used += rounded;
	return p;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
	if (size && count > SIZE_MAX / size)
		return NULL;
	return arena_alloc(arena, count * size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	struct chunk *chunk;
	char *copy;

	if (len == SIZE_MAX)
		return NULL;
	chunk = chunk_with_room(arena, len + 1);
	if (!chunk)
		return NULL;
	chunk->back -= len + 1;
	copy = (char *)chunk + chunk->back;
	memcpy(copy, text, len);
	copy[len] = '\0';
	arena->used += len + 1;
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
