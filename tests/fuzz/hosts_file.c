/* SPDX-License-Identifier: MIT */
/*
 * Texts that end in NUL: a hosts file, and lines of ours for it. What others have written stays,
 * ours can be found, and taken out again; doing it twice changes nothing.
 */
#include "hosts_file.h"

#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *edit(const char *text, const char *lines)
{
	char *out = hosts_edit(text, lines);

	if (!out)
		abort();
	return out;
}

/* `same` but for a newline at its end. */
static void check_begins(const char *text, const char *same)
{
	size_t len = strlen(same);

	if (strncmp(text, same, len) != 0 || (text[len] && strcmp(text + len, "\n") != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	char *text = take_text(&take), *lines = take_text(&take);
	char *others = edit(text, ""), *edited = edit(text, lines);
	char *again = edit(edited, lines), *back = edit(edited, "");

	if (strcmp(edited, again) != 0)
		abort();
	if (strncmp(edited, others, strlen(others)) != 0)
		abort();
	check_begins(back, others);
	hosts_has_ours(edited, lines);
	free(text);
	free(lines);
	free(others);
	free(edited);
	free(again);
	free(back);
	return 0;
}
