/* SPDX-License-Identifier: MIT */
/* The bytes are a regular expression of a log: probe, a newline, and a line of output. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "match.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *newline = size ? memchr(data, '\n', size) : NULL;
	struct arena *arena = arena_create();
	const char *error = NULL;
	const struct match *match;
	size_t length;

	if (!arena)
		abort();
	if (newline) {
		length = (size_t)(newline - data);
		match = match_compile(arena, arena_strndup(arena, (const char *)data, length),
				      &error);
		if (match)
			match_line(match, (const char *)newline + 1, size - length - 1);
		else if (!error)
			abort();
	}
	arena_destroy(arena);
	return 0;
}
