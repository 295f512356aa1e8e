/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <string.h>

#include "arena.h"
#include "str.h"
#include "utf8.h"

struct parser {
	struct arena *arena;
	const char *at, *end;
	const char *line_start;
	uint32_t line;
	struct json *open[JSON_DEPTH]; /* arrays and objects that are not closed yet */
	const struct json **tail[JSON_DEPTH];
	unsigned depth;
	struct json_error *error;
};

static bool fail_at(struct parser *p, const char *at, const char *what)
{
	*p->error = (struct json_error){p->line, (uint32_t)(at - p->line_start) + 1, what};
	return false;
}

static bool fail(struct parser *p, const char *what)
{
	return fail_at(p, p->at, p->at < p->end ? what : "the end of the file comes too early");
}

static bool no_memory(struct parser *p)
{
	return fail_at(p, p->at, "out of memory");
}

static void skip_blanks(struct parser *p)
{
	for (; *p->at == ' ' || *p->at == '\t' || *p->at == '\r' || *p->at == '\n'; p->at++) {
		if (*p->at != '\n')
			continue;
		p->line++;
		p->line_start = p->at + 1;
	}
}

/* ---- strings ---- */

/* Four hexadecimal digits, or -1. */
static int read_hex(const char *at)
{
	int value = 0;

	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = is_digit(c)            ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0)
			return -1;
		value = value * 16 + digit;
	}
	return value;
}

static char *write_utf8(char *out, unsigned code)
{
	if (code < 0x80) {
		*out++ = (char)code;
		return out;
	}
	if (code < 0x800) {
		*out++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*out++ = (char)(0xe0 | code >> 12);
		} else {
			*out++ = (char)(0xf0 | code >> 18);
			*out++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*out++ = (char)(0x80 | (code & 0x3f));
	return out;
}

/* \uXXXX, or two of them for a character beyond the first 65536. */
static char *read_code(struct parser *p, char *out)
{
	int code = read_hex(p->at + 2), low;

	if (code >= 0xd800 && code < 0xdc00 && p->at[6] == '\\' && p->at[7] == 'u') {
		low = read_hex(p->at + 8);
		code = low >= 0xdc00 && low < 0xe000
			       ? 0x10000 + ((code - 0xd800) << 10) + low - 0xdc00
			       : -1;
		p->at += 6;
	} else if (code >= 0xd800 && code < 0xe000) {
		code = -1;
	}
	if (code <= 0) {
		fail(p, code ? "expected \\u and the four digits of a character"
			     : "a text may hold no NUL");
		return NULL;
	}
	p->at += 6;
	return write_utf8(out, (unsigned)code);
}

static char *read_escape(struct parser *p, char *out)
{
	static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found;

	if (p->at[1] == 'u')
		return read_code(p, out);
	found = p->at[1] ? strchr(letters, p->at[1]) : NULL;
	if (!found) {
		fail(p, "there is no such escape");
		return NULL;
	}
	*out++ = meant[found - letters];
	p->at += 2;
	return out;
}

/* The room that a string takes at most: what lies before its closing quote. */
static size_t string_room(const struct parser *p)
{
	const char *at = p->at;

	while (at < p->end && *at != '"' && *at != '\n')
		at += *at == '\\' && at + 1 < p->end ? 2 : 1;
	return (size_t)(at - p->at) + 1;
}

static bool read_string(struct parser *p, const char **text)
{
	const char *start = p->at++;
	char *out = arena_alloc(p->arena, string_room(p));

	*text = out;
	if (!out)
		return no_memory(p);
	while (*p->at != '"') {
		size_t len;

		if (p->at >= p->end || *p->at == '\n')
			return fail_at(p, start, "this string has no closing quote");
		if ((unsigned char)*p->at < 0x20)
			return fail(p, "a control character in a string");
		if (*p->at == '\\') {
			out = read_escape(p, out);
			if (!out)
				return false;
			continue;
		}
		len = utf8_length(p->at);
		if (!len)
			return fail(p, "not UTF-8");
		memcpy(out, p->at, len);
		out += len;
		p->at += len;
	}
	p->at++;
	return true; /* memory of an arena is zero: the NUL is there */
}

/* ---- values ---- */

/* -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool read_number(struct parser *p, struct json *value)
{
	const char *start = p->at;
	bool good;

	p->at += *p->at == '-';
	good = is_digit(*p->at) && !(p->at[0] == '0' && is_digit(p->at[1]));
	while (is_digit(*p->at))
		p->at++;
	if (*p->at == '.') {
		good &= is_digit(*++p->at);
		while (is_digit(*p->at))
			p->at++;
	}
	if (*p->at == 'e' || *p->at == 'E') {
		p->at++;
		p->at += *p->at == '+' || *p->at == '-';
		good &= is_digit(*p->at);
		while (is_digit(*p->at))
			p->at++;
	}
	if (!good)
		return fail_at(p, start, "this is not a number");
	value->kind = JSON_NUMBER;
	value->text = arena_strndup(p->arena, start, (size_t)(p->at - start));
	return value->text || no_memory(p);
}

static bool read_word(struct parser *p, struct json *value)
{
	static const struct {
		char word[6];
		uint8_t kind;
		bool truth;
	} words[] = {
		{"null", JSON_NULL, false}, {"true", JSON_BOOL, true}, {"false", JSON_BOOL, false}};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i].word);

		if (strncmp(p->at, words[i].word, len) != 0)
			continue;
		value->kind = words[i].kind;
		value->truth = words[i].truth;
		p->at += len;
		return true;
	}
	return fail(p, "expected a value");
}

static bool open_container(struct parser *p, struct json *value)
{
	if (p->depth == JSON_DEPTH)
		return fail(p, "more than 32 levels");
	value->kind = *p->at++ == '[' ? JSON_ARRAY : JSON_OBJECT;
	p->open[p->depth] = value;
	p->tail[p->depth++] = &value->first;
	return true;
}

static bool read_value(struct parser *p, struct json *value)
{
	value->line = p->line;
	value->column = (uint32_t)(p->at - p->line_start) + 1;
	if (*p->at == '"') {
		value->kind = JSON_STRING;
		return read_string(p, &value->text);
	}
	if (*p->at == '[' || *p->at == '{')
		return open_container(p, value);
	return *p->at == '-' || is_digit(*p->at) ? read_number(p, value) : read_word(p, value);
}

/* "key": before a value in an object. */
static bool read_key(struct parser *p, struct json *value)
{
	if (*p->at != '"')
		return fail(p, "expected a key in double quotes");
	if (!read_string(p, &value->key))
		return false;
	skip_blanks(p);
	if (*p->at != ':')
		return fail(p, "expected a colon");
	p->at++;
	skip_blanks(p);
	return true;
}

/* The next value wherever one stands; it is put where it belongs. NULL: failed. */
static struct json *next_value(struct parser *p)
{
	struct json *value = arena_alloc(p->arena, sizeof(*value));
	unsigned depth = p->depth;

	if (!value) {
		no_memory(p);
		return NULL;
	}
	skip_blanks(p);
	if (depth && p->open[depth - 1]->kind == JSON_OBJECT && !read_key(p, value))
		return NULL;
	if (!read_value(p, value))
		return NULL;
	if (depth) {
		*p->tail[depth - 1] = value;
		p->tail[depth - 1] = &value->next;
		p->open[depth - 1]->count++;
	}
	return value;
}

static char closing(const struct parser *p)
{
	return p->open[p->depth - 1]->kind == JSON_ARRAY ? ']' : '}';
}

/* Behind a value: closes what ends here. *more: a comma says that there is another one. */
static bool close_containers(struct parser *p, bool *more)
{
	skip_blanks(p);
	/* behind an opening bracket there may be nothing */
	*more = p->depth && !p->open[p->depth - 1]->count && *p->at != closing(p);
	while (p->depth && !*more) {
		if (*p->at == closing(p))
			p->depth--;
		else if (*p->at == ',' && p->open[p->depth - 1]->count)
			*more = true;
		else
			return fail(p, closing(p) == ']' ? "expected a comma or ]"
							 : "expected a comma or }");
		p->at++;
		skip_blanks(p);
	}
	return true;
}

const struct json *json_parse(struct arena *arena, const char *bytes, size_t size,
			      struct json_error *error)
{
	struct parser p = {.arena = arena,
			   .at = bytes,
			   .end = bytes + size,
			   .line_start = bytes,
			   .line = 1,
			   .error = error};
	const struct json *root = next_value(&p);
	bool more = root != NULL;

	while (more)
		if (!close_containers(&p, &more) || (more && !next_value(&p)))
			return NULL;
	if (root && p.at != p.end) {
		fail(&p, "expected nothing more");
		return NULL;
	}
	return root;
}
