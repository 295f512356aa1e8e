/* SPDX-License-Identifier: MIT */
#include "words.h"

#include <string.h>

#include "arena.h"

struct splitter {
	const char *in;
	char *out;
	bool expands;
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* A character that is not to be seen by expand(). */
static void put_literal(struct splitter *s, char c)
{
	if (c == '$' && s->expands)
		*s->out++ = '$';
	*s->out++ = c;
}

/* '...'; `in` stands behind the opening quote. */
static const char *take_single(struct splitter *s)
{
	for (; *s->in != '\''; s->in++) {
		if (*s->in == '\0')
			return "a ' is not closed";
		put_literal(s, *s->in);
	}
	s->in++;
	return NULL;
}

/* "..."; what is not escaped stays open to expand(). */
static const char *take_double(struct splitter *s)
{
	for (; *s->in != '"'; s->in++) {
		if (*s->in == '\0')
			return "a \" is not closed";
		if (*s->in == '\\' && s->in[1] == '\n') {
			s->in++;
		} else if (*s->in == '\\' && s->in[1] && strchr("\"\\$`", s->in[1])) {
			s->in++;
			put_literal(s, *s->in);
		} else {
			*s->out++ = *s->in;
		}
	}
	s->in++;
	return NULL;
}

static const char *take_escape(struct splitter *s)
{
	s->in++;
	if (*s->in == '\0')
		return "a backslash at the end escapes nothing";
	if (*s->in != '\n')
		put_literal(s, *s->in);
	s->in++;
	return NULL;
}

/* A $ and what belongs to it: the number of references that are open now. The blanks of
 * ${NAME:?a message} end no word. */
static unsigned take_dollar(struct splitter *s, unsigned open)
{
	bool pair = s->in[1] == '$' || s->in[1] == '{';

	open += s->in[1] == '{';
	*s->out++ = *s->in++;
	if (pair)
		*s->out++ = *s->in++;
	return open;
}

/* One word, up to a space or the end. */
static const char *take_word(struct splitter *s, struct word *word)
{
	const char *error = NULL;
	unsigned open = 0;

	*word = (struct word){.text = s->out};
	while (!error && *s->in && (open || !is_space(*s->in))) {
		if (*s->in == '$' && s->expands) {
			open = take_dollar(s, open);
		} else if (*s->in == '\\') {
			error = take_escape(s);
		} else if (*s->in == '\'' || *s->in == '"') {
			word->quoted = true;
			error = *s->in++ == '"' ? take_double(s) : take_single(s);
		} else {
			open -= open && *s->in == '}';
			*s->out++ = *s->in++;
		}
	}
	*s->out++ = '\0';
	return error;
}

/* Bytes for all words and their ends: a $ that is protected becomes two. */
static size_t room_for(const char *text)
{
	size_t room = 2;

	for (; *text; text++)
		room += *text == '$' ? 2 : 1;
	return room;
}

/* At least as many as there are words. */
static size_t count_words(const char *text)
{
	size_t count = 0;

	for (const char *p = text; *p; p++)
		count += !is_space(*p) && (p == text || is_space(p[-1]));
	return count;
}

/* Blanks, and line breaks joined by a backslash, which are no word of their own. */
static void skip_spaces(struct splitter *s)
{
	while (is_space(*s->in) || (*s->in == '\\' && s->in[1] == '\n'))
		s->in += *s->in == '\\' ? 2 : 1;
}

const char *words_split(struct arena *arena, const char *text, bool expands, struct words *out)
{
	struct splitter s = {.in = text, .expands = expands};
	const char *error = NULL;

	out->count = 0;
	out->list = arena_array(arena, count_words(text), sizeof(*out->list));
	s.out = arena_alloc(arena, room_for(text));
	if (!out->list || !s.out)
		return "out of memory";
	for (skip_spaces(&s); *s.in && !error; skip_spaces(&s))
		error = take_word(&s, &out->list[out->count++]);
	return error;
}

const char *words_unquote(struct arena *arena, const char *text, const char **error)
{
	struct splitter s = {.in = text + 1, .expands = true};
	char *start;

	*error = NULL;
	if (*text != '\'' && *text != '"')
		return text;
	start = s.out = arena_alloc(arena, room_for(text));
	if (!start) {
		*error = "out of memory";
		return NULL;
	}
	*error = *text == '"' ? take_double(&s) : take_single(&s);
	if (!*error && *s.in != '\0')
		*error = "text behind the closing quote";
	*s.out = '\0';
	return *error ? NULL : start;
}
