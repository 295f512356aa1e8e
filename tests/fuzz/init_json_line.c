/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a line that a service has written, which becomes a line of JSON. It is valid JSON
 * whatever they are, and what PID 1 takes for an object is one to a whole parser.
 */
#include "json_line.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned nesting(const char *text, size_t size)
{
	unsigned depth = 0;

	for (size_t i = 0; i < size; i++)
		depth += text[i] == '{' || text[i] == '[';
	return depth;
}

static void check_escaped(const char *text, size_t size)
{
	size_t len = json_line_escape(NULL, text, size);
	char *out = malloc(len + 2);
	struct json_error error;
	struct arena *arena = arena_create();
	const struct json *json;

	if (!out || !arena || len > 6 * size)
		abort();
	out[0] = '"';
	if (json_line_escape(out + 1, text, size) != len)
		abort();
	out[len + 1] = '"';
	out = realloc(out, len + 3);
	out[len + 2] = '\0';
	json = json_parse(arena, out, len + 2, &error);
	/* a NUL is written as an escape, which the parser refuses in a text */
	if (!memchr(text, '\0', size) && (!json || json->kind != JSON_STRING))
		abort();
	arena_destroy(arena);
	free(out);
}

static void check_object(const char *text, size_t size)
{
	bool object = json_line_is_object(text, size);
	struct arena *arena = arena_create();
	char *copy = malloc(size + 1);
	const struct json *json;
	struct json_error error;

	if (!arena || !copy)
		abort();
	memcpy(copy, text, size);
	copy[size] = '\0';
	json = json_parse(arena, copy, size, &error);
	if (json && json->kind == JSON_OBJECT && !object)
		abort();
	/* of what is an object the parser refuses only a key twice, a NUL, and more than its depth
	 */
	if (object && !json && nesting(text, size) <= JSON_DEPTH && !strstr(error.what, "twice") &&
	    !memmem(text, size, "\\u0000", 6))
		abort();
	free(copy);
	arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	check_escaped((const char *)data, size);
	check_object((const char *)data, size);
	return 0;
}
