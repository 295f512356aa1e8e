/* SPDX-License-Identifier: MIT */
#include "json_out.h"

#include <inttypes.h>
#include <time.h>

#include "clock.h"

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

/*
 * Length of the UTF-8 sequence at `text`, or 0 when it is none: cut short, longer than it need be,
 * a surrogate, or beyond U+10FFFF.
 */
static size_t utf8_length(const unsigned char *text)
{
	size_t len = text[0] < 0x80 ? 1 : text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
	size_t i;

	if (len == 1)
		return 1;
	if (text[0] < 0xc2 || text[0] > 0xf4)
		return 0;
	for (i = 1; i < len; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f) ||
	    (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
		return 0;
	return len;
}

static void put_text(FILE *out, const char *text)
{
	const unsigned char *at = (const unsigned char *)text;
	size_t len;

	fputc('"', out);
	for (; *at; at += len ? len : 1) {
		len = utf8_length(at);
		if (!len)
			fputs("\\ufffd", out);
		else if (*at == '"' || *at == '\\')
			fprintf(out, "\\%c", *at);
		else if (*at == '\n')
			fputs("\\n", out);
		else if (*at == '\t')
			fputs("\\t", out);
		else if (*at < 0x20 || *at == 0x7f)
			fprintf(out, "\\u%04x", *at);
		else
			fwrite(at, 1, len, out);
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

void json_object(struct json_out *json, const char *key)
{
	nest(json, key, '{');
}

void json_object_end(struct json_out *json)
{
	nest_end(json, '}');
}

void json_array(struct json_out *json, const char *key)
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
		json_null(json, key);
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

void json_null(struct json_out *json, const char *key)
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
	time_t seconds = (time_t)(realtime_ns / NSEC_PER_SEC);
	char text[40];
	struct tm tm;

	if (!realtime_ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm)) {
		json_null(json, key);
		return;
	}
	value_begin(json, key);
	fprintf(json->out, "\"%s.%03uZ\"", text,
		(unsigned)(realtime_ns % NSEC_PER_SEC / NSEC_PER_MSEC));
}
