/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses a format of another program, the rest is a file of it. What it becomes is
 * the same each time, and a configuration that can be read: no line of it is malformed, and each
 * section and key is one that exists.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "ctl.h"
#include "draft.h"
#include "reader.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

static bool (*const converters[])(struct draft *draft, struct convert_source *source) = {
	convert_supervisord, convert_procfile, convert_compose};

static bool take_section(void *user, uint32_t line, const char *name)
{
	(void)user;
	return line && *name;
}

static bool take_key(void *user, uint32_t line, const char *name, const char *value, size_t len)
{
	(void)user;
	return line && *name && value[len] == '\0';
}

static bool take_problem(void *user, uint32_t line, const char *what, const char *text)
{
	(void)user;
	(void)line;
	(void)what;
	(void)text;
	abort();
}

static void check_readable(char *result, size_t size)
{
	const struct reader_handler handler = {NULL, take_section, take_key, take_problem};
	struct reader_text text = {.bytes = result, .size = size};

	reader_parse(&text, &handler);
}

/* NULL: it is none. */
static char *convert(unsigned which, const uint8_t *data, size_t size, size_t *result_size)
{
	struct convert_source source = {.path = "dir/file"};
	struct draft draft = {.arena = arena_create()};
	char *result = NULL;
	bool ok;

	draft.out = open_memstream(&result, result_size);
	if (!draft.arena || !draft.out)
		abort();
	source.text = malloc(size + 1);
	source.size = size;
	if (!source.text)
		abort();
	memcpy(source.text, data, size);
	source.text[size] = '\0';
	ok = converters[which](&draft, &source);
	if (!ok && !source.why[0])
		abort();
	fclose(draft.out);
	arena_destroy(draft.arena);
	free(source.text);
	if (ok)
		return result;
	free(result);
	return NULL;
}

/* What convert.c refuses for all of them; a NUL is none of a text that is read as one. */
static bool is_text(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	const char *at = text;
	size_t len = strlen(text);

	while (*at && utf8_length(at))
		at += utf8_length(at);
	len = *at ? 0 : len;
	free(text);
	return len == size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t first_size, second_size;
	char *first, *second;

	if (size < 2 || !is_text(data + 1, size - 1))
		return 0;
	first = convert(data[0] % 3, data + 1, size - 1, &first_size);
	second = convert(data[0] % 3, data + 1, size - 1, &second_size);
	if (!first != !second || (first && strcmp(first, second) != 0))
		abort();
	if (first)
		check_readable(first, first_size);
	free(first);
	free(second);
	return 0;
}
