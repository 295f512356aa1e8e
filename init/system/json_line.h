/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_JSON_LINE_H
#define MUSTER_JSON_LINE_H

#include <stdbool.h>
#include <stddef.h>

/* What log = json needs: one pass over a line, no memory. */

#define JSON_LINE_DEPTH 64 /* of objects and arrays in each other */

/* Whether the text is one object of JSON (RFC 8259) in UTF-8, with nothing but blanks around it,
 * nested no deeper than JSON_LINE_DEPTH. */
bool json_line_is_object(const char *text, size_t len);

/*
 * How many bytes the text takes inside a JSON string, at most six times its length; written to
 * `out` unless that is NULL. A byte that is no UTF-8 becomes U+FFFD.
 */
size_t json_line_escape(char *out, const char *text, size_t len);

#endif
