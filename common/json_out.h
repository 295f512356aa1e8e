/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_JSON_OUT_H
#define MUSTER_JSON_OUT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/*
 * Writes JSON to a stream, one value after another; commas, quotes and escapes are its business.
 * Text that is not UTF-8 gets U+FFFD for each wrong byte, so the output is always valid. Write
 * errors are the stream's (ferror).
 *
 * (No name here is one of jansson's, which the sidecar links as well.)
 *
 * Inside an object every value takes its key first; in an array and outside, key is NULL.
 */
#define JSON_DEPTH_MAX 32

struct json_out {
	FILE *out;
	bool pretty;     /* one member a line, indented */
	unsigned depth;  /* open objects and arrays */
	uint32_t filled; /* per depth: something was written there already */
};

void json_begin(struct json_out *json, FILE *out, bool pretty);
/* A newline behind the whole. */
void json_end(struct json_out *json);

void json_object_begin(struct json_out *json, const char *key);
void json_object_end(struct json_out *json);
void json_array_begin(struct json_out *json, const char *key);
void json_array_end(struct json_out *json);

void json_text(struct json_out *json, const char *key, const char *text); /* NULL: null */
void json_uint(struct json_out *json, const char *key, uint64_t number);
void json_int(struct json_out *json, const char *key, int64_t number);
void json_bool(struct json_out *json, const char *key, bool value);
void json_nothing(struct json_out *json, const char *key);
/* Nanoseconds as seconds with six decimals. */
void json_seconds(struct json_out *json, const char *key, uint64_t ns);
/* Nanoseconds since 1970 as RFC 3339 in UTC with milliseconds; 0: null. */
void json_time(struct json_out *json, const char *key, uint64_t realtime_ns);

#endif
