/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_DRAFT_H
#define MUSTER_DRAFT_H

#include <stdbool.h>
#include <stdio.h>

/*
 * A muster.ini that is being written from another program's configuration. What has no counterpart
 * becomes a comment that begins with "; NOTE" and is counted, so that nothing is lost silently.
 */
struct arena;

struct draft {
	FILE *out;           /* opened by the caller */
	struct arena *arena; /* for the texts that converters make */
	unsigned services;
	unsigned notes;
	bool failed; /* there was no memory: what was written is not all */
};

/* [service:NAME], with a name that muster takes; the old one is noted when it had to change. */
void draft_service(struct draft *draft, const char *name);
/* key = value, in muster's form; breaks of line become continuation lines. */
void draft_set(struct draft *draft, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* A comment in the present section; `line` of the source, 0: none in particular. */
void draft_note(struct draft *draft, unsigned line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* In the arena; "" when there is no memory, and `failed`. */
char *draft_format(struct draft *draft, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Ends what open_memstream(3) began; its text, in the arena. */
char *draft_keep(struct draft *draft, FILE *out, char **text);

/*
 * The text as one word of a command (words.h). With `expands`, ${NAME} and $$ in it mean what they
 * mean to muster; else each $ stands for itself.
 */
char *draft_word(struct draft *draft, const char *text, bool expands);
/* A command in which ${NAME} and $$ mean everywhere what they mean to muster, also within '...'. */
char *draft_command(struct draft *draft, const char *text);
/* A dollar sign that muster would take for a variable's becomes two. */
char *draft_escape_dollars(struct draft *draft, const char *text);
/* A value on its own (environment, paths): in quotes when its blanks or semicolons ask for it. */
char *draft_value(struct draft *draft, const char *text, bool expands);

/*
 * The converters. False: *why says why the file cannot be read as what it is said to be.
 * `text` ends with a NUL behind `size` bytes and may be changed.
 */
struct convert_source {
	const char *path;
	char *text;
	size_t size;
	char why[300];
};
bool convert_supervisord(struct draft *draft, struct convert_source *source);
bool convert_procfile(struct draft *draft, struct convert_source *source);
bool convert_compose(struct draft *draft, struct convert_source *source);

#endif
