/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_JSON_H
#define MUSTER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A strict reader of JSON (RFC 8259) for files that users write: one value, UTF-8, nothing behind
 * it but blanks. Nesting is bounded by JSON_DEPTH, and a text may hold no NUL.
 */
struct arena;

#define JSON_DEPTH 32

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
	uint8_t kind;          /* enum json_kind */
	bool truth;            /* JSON_BOOL */
	uint32_t line, column; /* where it begins, from 1; columns are bytes */
	const char *key;       /* of a member of an object; NULL */
	const char *text;      /* JSON_STRING; JSON_NUMBER as it is written */
	uint32_t count;        /* of the elements or members */
	const struct json *first, *next;
};

struct json_error {
	uint32_t line, column;
	const char *what; /* without a place; a constant */
};

/* NULL with *error. All of it lies in the arena; `bytes` has a NUL behind its `size` bytes. */
const struct json *json_parse(struct arena *arena, const char *bytes, size_t size,
			      struct json_error *error);

#endif
