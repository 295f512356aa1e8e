/* SPDX-License-Identifier: MIT */
/*
 * The bytes are an environment file. What a line gives lies in it, and is the same when it is
 * written in quotes.
 */
#include "env_line.h"

#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* NAME="value", as a file may have it. */
static char *quoted(const char *name, const char *value)
{
	char *line = malloc(strlen(name) + 2 * strlen(value) + 4), *out = line;

	if (!line)
		abort();
	out = stpcpy(stpcpy(out, name), "=\"");
	for (; *value; value++) {
		if (strchr("\\\"\n\r\t", *value))
			*out++ = '\\';
		*out++ = *value == '\n'   ? 'n'
			 : *value == '\r' ? 'r'
			 : *value == '\t' ? 't'
					  : *value;
	}
	stpcpy(out, "\"");
	return line;
}

static void check_same(const char *name, const char *value)
{
	char *line = quoted(name, value), *name_again, *value_again;

	if (env_line_parse(line, &name_again, &value_again) || !name_again ||
	    strcmp(name, name_again) != 0 || strcmp(value, value_again) != 0)
		abort();
	free(line);
}

static void check_line(char *line)
{
	const char *end = line + strlen(line);
	char *name, *value = NULL;

	if (env_line_parse(line, &name, &value) || !name)
		return;
	if (name < line || value <= name || value + strlen(value) > end ||
	    env_name_problem(name, strlen(name)))
		abort();
	check_same(name, value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	char *text = take_text(&take), *at = env_text_begin(text), *line;

	while ((line = env_text_line(&at))) {
		if (strchr(line, '\n'))
			abort();
		check_line(line);
	}
	free(text);
	return 0;
}
