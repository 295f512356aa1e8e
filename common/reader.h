/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_READER_H
#define MUSTER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A configuration file as lines with positions. inih decides what is a section, a key or a
 * continuation; lines of any length, comments, quotes and line numbers are this module's.
 *
 * - `#` or `;` as the first character of a line makes it a comment; so does `;` after a blank,
 *   unless it stands in quotes. A quote that is not closed on the line, nor on the value's
 *   continuation lines, is an ordinary character.
 * - A line that is indented deeper than the key above it continues that key's value.
 * - Lines end with LF or CRLF. A byte order mark of UTF-8 at the start is skipped.
 */
struct arena;

#define READER_SIZE_MAX ((size_t)100 << 20)

struct reader_text {
	char *bytes; /* with a NUL behind */
	size_t size;
	mode_t mode;
};

/*
 * Reads a regular file of at most `limit` bytes into the arena; never waits for a FIFO. False with
 * the reason in `why`.
 */
bool reader_load(struct arena *arena, const char *path, size_t limit, struct reader_text *text,
		 char *why, size_t why_size);

/*
 * What is found, in order. Texts lie in the file's bytes, which are changed on the way, and stay
 * as long as these. Each function returns whether to go on.
 */
struct reader_handler {
	void *user;
	bool (*section)(void *user, uint32_t line, const char *name);
	/* The value's lines are joined by '\n'; lines skipped between them (comments, empty ones)
	 * count, so that the text behind n newlines stands on line `line` + n. */
	bool (*key)(void *user, uint32_t line, const char *name, const char *value, size_t len);
	/* `text`: what to quote, or NULL. */
	bool (*problem)(void *user, uint32_t line, const char *what, const char *text);
};

/* Parses. A NUL or an encoding other than UTF-8 is reported as the only problem. */
void reader_parse(struct reader_text *text, const struct reader_handler *handler);

#endif
