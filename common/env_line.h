/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ENV_LINE_H
#define MUSTER_ENV_LINE_H

#include <stddef.h>

/*
 * Environment files (env_file, --env-file), line by line, and names of variables. A line is
 * NAME=value, with `export` before it or not; empty lines and those that begin with # are nothing.
 * A value in "..." knows \n \t \r and a backslash before any other character; one in '...' is
 * literal; without quotes it ends at its last visible character, or before a # behind a blank.
 *
 * Values may be secrets: no message holds any part of one.
 */

/* NULL, or what is wrong with the first `len` bytes as the name of a variable (static text). */
const char *env_name_problem(const char *name, size_t len);

/*
 * Reads one line, without its line break, changing it in place. NULL with *name and *value, *name
 * NULL when the line holds nothing; else what is wrong (static text).
 */
const char *env_line_parse(char *line, char **name, char **value);

/*
 * Lines of a whole text: begin skips a byte order mark; line cuts the next one off *text, less its
 * LF or CRLF, and moves on, or gives NULL at the end.
 */
char *env_text_begin(char *text);
char *env_text_line(char **text);

#endif
