/* SPDX-License-Identifier: MIT */
/*
 * The first byte chooses the kind of file, the rest is its text. Whatever that is, what is found
 * lies in it, in order, and its difference can be printed.
 */
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

struct seen {
	size_t size, behind;
	struct scan_edit edits[64];
	size_t count;
};

static bool look_at(void *user, const struct scan_hit *hit)
{
	struct seen *seen = user;
	struct scan_edit *edit = &seen->edits[seen->count];
	const struct scan_match match = {.name = "redis"};

	if (!hit->len || hit->at < seen->behind || hit->at + hit->len > seen->size ||
	    !hit->host[0] || hit->class >= SCAN_CLASSES || !hit->line || !hit->column)
		abort();
	seen->behind = hit->at + hit->len;
	*edit = (struct scan_edit){.at = hit->at, .len = hit->len};
	scan_suggest(KIND_YAML, hit, &match, edit->text);
	return ++seen->count < 64;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char marks[1 << 20];
	struct seen seen = {0};
	struct scan_text text = {.marks = marks};
	FILE *out;

	if (size < 2 || size > sizeof(marks))
		return 0;
	text.kind = (enum scan_kind)(data[0] % KIND_SKIPPED);
	text.bytes = (const char *)data + 1;
	text.size = seen.size = size - 1;
	scan_marks(scan_syntax_of(text.kind), text.bytes, text.size, marks);
	scan_find(&text, look_at, &seen);
	out = fopen("/dev/null", "w");
	if (!out)
		abort();
	scan_diff(out, "x", text.bytes, text.size, seen.edits, seen.count);
	fclose(out);
	return 0;
}
