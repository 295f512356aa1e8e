/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WORDS_H
#define MUSTER_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Command lines and quoted values, read as a shell reads them: words are separated by blanks and
 * line breaks; '...' is literal; in "..." a backslash escapes " \ $ and `; elsewhere it escapes any
 * character; a backslash before a line break joins the lines. No shell is run: | > & ; * ~ are
 * ordinary characters.
 *
 * With `expands` the words are made for expand(): a $ that the quotes protect is written $$. So
 * words are split first and variables put in afterwards: a value with blanks stays one word.
 */
struct arena;

struct word {
	char *text;
	bool quoted; /* something in it was quoted: it stays even when it expands to nothing */
};

struct words {
	struct word *list;
	size_t count;
};

/* NULL, or what is wrong (static text). */
const char *words_split(struct arena *arena, const char *text, bool expands, struct words *out);

/*
 * A value that may stand in quotes as a whole: takes them off, for expand(). Other text comes back
 * as it is. NULL with *error when an opening quote is not closed at the end.
 */
const char *words_unquote(struct arena *arena, const char *text, const char **error);

#endif
