/* SPDX-License-Identifier: MIT */
/*
 * Texts that end in NUL: what ${A} is, what ${B} is (empty: not set), what ${address:...} is, and a
 * value with variables. What comes of it is the same each time and within its bounds, and a value
 * in which each $ is doubled comes out as it was.
 */
#include "expand.h"

#include "arena.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct known {
	const char *a, *b, *address;
};

static const char *variable(void *user, const char *name, size_t len)
{
	const struct known *known = user;

	if (len == 1 && *name == 'A')
		return known->a;
	return len == 1 && *name == 'B' && *known->b ? known->b : NULL;
}

static const char *address(void *user, const char *text, size_t len, const char **error)
{
	const struct known *known = user;

	if (memchr(text, '}', len))
		abort();
	*error = "not known";
	return *known->address ? known->address : NULL;
}

static const char *doubled(const char *text)
{
	char *out = malloc(2 * strlen(text) + 1), *at = out;

	if (!out)
		abort();
	for (; *text; text++) {
		*at++ = *text;
		if (*text == '$')
			*at++ = '$';
	}
	*at = '\0';
	return out;
}

static void check(const char *text, const struct expand_source *source)
{
	struct arena *arena = arena_create(), *other = arena_create();
	const char *error = NULL, *error_again = NULL, *twice = doubled(text);
	const char *out = expand(arena, text, source, &error);
	const char *again = expand(other, text, source, &error_again);

	if (!out != (error != NULL) || !out != !again)
		abort();
	if (out ? strcmp(out, again) != 0 || strlen(out) > strlen(text) + EXPAND_MAX
		: strcmp(error, error_again) != 0)
		abort();
	if (!strchr(text, '$') && out != text)
		abort();
	again = expand(other, twice, source, &error_again);
	if (!again || strcmp(again, text) != 0)
		abort();
	free((void *)(uintptr_t)twice);
	arena_destroy(arena);
	arena_destroy(other);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	char *a = take_text(&take), *b = take_text(&take), *where = take_text(&take);
	char *text = take_text(&take);
	struct known known = {a, b, where};

	check(text, &(struct expand_source){&known, variable, address});
	free(a);
	free(b);
	free(where);
	free(text);
	return 0;
}
