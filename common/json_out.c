/* SPDX-License-Identifier: MIT */
#include "json_out.h"

#include <inttypes.h>

#include "clock.h"
#include "str.h"
#include "utf8.h"

void json_begin(struct json_out *json, FILE *out, bool pretty)
{
	*json = (struct json_out){.out = out, .pretty = pretty};
}

void json_end(struct json_out *json)
{
	fputc('\n', json->out);
}

static void indent(struct json_out *json)
{
	if (json->pretty)
		fprintf(json->out, "\n%*s", (int)(2 * json->depth), "");
}

static void put_text(FILE *out, const char *text)
{
	size_t len;

	fputc('"', out);
	for (; *text; text += len ? len : 1) {
		len = utf8_length(text);
		if (!len)
			fputs("\\ufffd", out);
		else if (*text == '"' || *text == '\\')
			fprintf(out, "\\%c", *text);
		else if (*text == '\n')
			fputs("\\n", out);
		else if (*text == '\t')
			fputs("\\t", out);
		else if (len == 1 && (*text < ' ' || *text == 0x7f))
			fprintf(out, "\\u%04x", (unsigned)*text);
		else
			fwrite(text, 1, len, out);
	}
	fputc('"', out);
}

/* What comes before a value: the comma, the line, the key. */
static void value_begin(struct json_out *json, const char *key)
{
	uint32_t bit = UINT32_C(1) << json->depth % JSON_DEPTH_MAX;

	if (json->filled & bit)
		fputc(',', json->out);
	json->filled |= bit;
	if (json->depth)
		indent(json);
	if (key) {
		put_text(json->out, key);
		fputs(json->pretty ? ": " : ":", json->out);
	}
}

static void nest(struct json_out *json, const char *key, char open)
{
	value_begin(json, key);
	fputc(open, json->out);
	json->depth++;
	json->filled &= ~(UINT32_C(1) << json->depth % JSON_DEPTH_MAX);
}

static void nest_end(struct json_out *json, char close)
{
	bool filled = json->filled >> json->depth % JSON_DEPTH_MAX & 1;

	json->depth--;
	if (filled)
		indent(json);
	fputc(close, json->out);
}

void json_object_begin(struct json_out *json, const char *key)
{
	nest(json, key, '{');
}

void json_object_end(struct json_out *json)
{
	nest_end(json, '}');
}

void json_array_begin(struct json_out *json, const char *key)
{
	nest(json, key, '[');
}

void json_array_end(struct json_out *json)
{
	nest_end(json, ']');
}

void json_text(struct json_out *json, const char *key, const char *text)
{
	if (!text) {
		json_nothing(json, key);
		return;
	}
	value_begin(json, key);
	put_text(json->out, text);
}

void json_uint(struct json_out *json, const char *key, uint64_t number)
{
	value_begin(json, key);
	fprintf(json->out, "%" PRIu64, number);
}

void json_int(struct json_out *json, const char *key, int64_t number)
{
	value_begin(json, key);
	fprintf(json->out, "%" PRId64, number);
}

void json_bool(struct json_out *json, const char *key, bool value)
{
	value_begin(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_nothing(struct json_out *json, const char *key)
{
	value_begin(json, key);
	fputs("null", json->out);
}

void json_seconds(struct json_out *json, const char *key, uint64_t ns)
{
	value_begin(json, key);
	fprintf(json->out, "%" PRIu64 ".%06" PRIu64, ns / NSEC_PER_SEC, ns % NSEC_PER_SEC / 1000);
}

void json_time(struct json_out *json, const char *key, uint64_t realtime_ns)
{
	char text[32];

	if (!realtime_ns) {
		json_nothing(json, key);
		return;
	}
	value_begin(json, key);
	fprintf(json->out, "\"%s\"", format_time(text, sizeof(text), realtime_ns));
}
