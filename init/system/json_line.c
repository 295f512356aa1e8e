/* SPDX-License-Identifier: MIT */
#include "json_line.h"

#include <stdint.h>
#include <string.h>

#include "utf8.h"

/* As utf8_length, where the text has no NUL behind it. */
static size_t sequence_length(const char *at, const char *end)
{
	char copy[5] = {0};

	if ((unsigned char)*at < 0x80)
		return 1;
	memcpy(copy, at, end - at < 4 ? (size_t)(end - at) : 4);
	return utf8_length(copy);
}

/* How many bytes at the beginning stand for themselves: plain ASCII, which most of a line is. */
static size_t plain_length(const char *at, const char *end)
{
	const char *start = at;

	while (at < end && *at >= 0x20 && *at < 0x7f && *at != '"' && *at != '\\')
		at++;
	return (size_t)(at - start);
}

/* ---- is it an object? ---- */

enum state {
	ANY,    /* a value is due */
	BEGUN,  /* an object or array has begun: its first member, or its end */
	GOES_ON /* behind a value: a comma, or the end */
};

struct scan {
	const char *at, *end;
	uint64_t objects; /* a bit for each level: 1 object, 0 array; the innermost lowest */
	unsigned depth;
	enum state state;
};

static char look(const struct scan *s)
{
	return s->at < s->end ? *s->at : '\0';
}

static void skip_blanks(struct scan *s)
{
	while (look(s) == ' ' || look(s) == '\t' || look(s) == '\r' || look(s) == '\n')
		s->at++;
}

static bool skip_escape(struct scan *s)
{
	s->at++;
	if (!look(s) || !strchr("\"\\/bfnrtu", *s->at))
		return false;
	if (*s->at++ != 'u')
		return true;
	for (unsigned i = 0; i < 4; i++, s->at++)
		if (!look(s) || !strchr("0123456789abcdefABCDEF", *s->at))
			return false;
	return true;
}

static bool skip_string(struct scan *s)
{
	if (look(s) != '"')
		return false;
	for (s->at++; s->at += plain_length(s->at, s->end), look(s) != '"';) {
		size_t len = s->at < s->end ? sequence_length(s->at, s->end) : 0;

		if (!len || (unsigned char)*s->at < 0x20)
			return false;
		if (*s->at != '\\')
			s->at += len;
		else if (!skip_escape(s))
			return false;
	}
	s->at++;
	return true;
}

static bool skip_digits(struct scan *s)
{
	const char *start = s->at;

	while (look(s) >= '0' && look(s) <= '9')
		s->at++;
	return s->at > start;
}

static bool skip_number(struct scan *s)
{
	s->at += look(s) == '-';
	if (look(s) == '0')
		s->at++;
	else if (!skip_digits(s))
		return false;
	if (look(s) == '.') {
		s->at++;
		if (!skip_digits(s))
			return false;
	}
	if (look(s) != 'e' && look(s) != 'E')
		return true;
	s->at++;
	s->at += look(s) == '+' || look(s) == '-';
	return skip_digits(s);
}

static bool skip_word(struct scan *s)
{
	static const char *const words[] = {"true", "false", "null"};

	for (unsigned i = 0; i < 3; i++) {
		size_t len = strlen(words[i]);

		if ((size_t)(s->end - s->at) >= len && memcmp(s->at, words[i], len) == 0) {
			s->at += len;
			return true;
		}
	}
	return false;
}

static bool begin(struct scan *s, bool object)
{
	if (s->depth == JSON_LINE_DEPTH)
		return false;
	s->objects = s->objects << 1 | object;
	s->depth++;
	s->at++;
	s->state = BEGUN;
	return true;
}

static bool scan_value(struct scan *s)
{
	char c = look(s);

	s->state = GOES_ON;
	if (c == '{' || c == '[')
		return begin(s, c == '{');
	if (c == '"')
		return skip_string(s);
	return c == '-' || (c >= '0' && c <= '9') ? skip_number(s) : skip_word(s);
}

/* The name of a member, where one is due, and then its value. */
static bool scan_member(struct scan *s)
{
	if (s->objects & 1) {
		if (!skip_string(s))
			return false;
		skip_blanks(s);
		if (look(s) != ':')
			return false;
		s->at++;
		skip_blanks(s);
	}
	return scan_value(s);
}

static bool scan_step(struct scan *s)
{
	skip_blanks(s);
	if (s->state == ANY)
		return scan_value(s);
	if (look(s) == (s->objects & 1 ? '}' : ']')) {
		s->objects >>= 1;
		s->depth--;
		s->at++;
		s->state = GOES_ON;
		return true;
	}
	if (s->state == GOES_ON) {
		if (look(s) != ',')
			return false;
		s->at++;
		skip_blanks(s);
	}
	return scan_member(s);
}

bool json_line_is_object(const char *text, size_t len)
{
	struct scan s = {.at = text, .end = text + len, .state = ANY};

	skip_blanks(&s);
	if (look(&s) != '{')
		return false;
	do {
		if (!scan_step(&s))
			return false;
	} while (s.depth);
	skip_blanks(&s);
	return s.at == s.end;
}

/* ---- text ---- */

size_t json_line_escape(char *out, const char *text, size_t len)
{
	static const char hex[] = "0123456789abcdef";
	const char *end = text + len;
	size_t n = 0, step;

	for (; text < end; text += step) {
		unsigned char c = (unsigned char)*text;
		char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
		const char *from = code;
		size_t size = 6;

		step = plain_length(text, end);
		if (step) {
			from = text;
			size = step;
		} else if (c == '"' || c == '\\') {
			step = 1;
			code[1] = (char)c;
			size = 2;
		} else if (c < 0x20 || c == 0x7f) {
			step = 1;
		} else if ((step = sequence_length(text, end))) {
			from = text;
			size = step;
		} else {
			step = 1;
			from = "\\ufffd";
		}
		if (out)
			memcpy(out + n, from, size);
		n += size;
	}
	return n;
}
