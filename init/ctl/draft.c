/* SPDX-License-Identifier: MIT */
#include "draft.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "config.h"
#include "text.h"
#include "words.h"

static char nothing[1];

static char *format_list(struct draft *draft, const char *format, va_list args)
{
	va_list again;
	char *text;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	text = len < 0 ? NULL : arena_alloc(draft->arena, (size_t)len + 1);
	if (!text) {
		draft->failed = true;
		return nothing;
	}
	vsnprintf(text, (size_t)len + 1, format, args);
	return text;
}

char *draft_format(struct draft *draft, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = format_list(draft, format, args);
	va_end(args);
	return text;
}

char *draft_keep(struct draft *draft, FILE *out, char **text)
{
	char *kept;

	draft->failed |= !text_close(out, text);
	kept = draft_format(draft, "%s", *text ? *text : "");
	free(*text);
	return kept;
}

/* ---- lines ---- */

static void put_lines(FILE *out, const char *text, const char *prefix)
{
	for (; *text; text++) {
		fputc(*text, out);
		if (*text == '\n')
			fputs(prefix, out);
	}
	fputc('\n', out);
}

void draft_note(struct draft *draft, unsigned line, const char *format, ...)
{
	va_list args;

	draft->notes++;
	if (line)
		fprintf(draft->out, "; NOTE, line %u: ", line);
	else
		fputs("; NOTE: ", draft->out);
	va_start(args, format);
	put_lines(draft->out, format_list(draft, format, args), ";   ");
	va_end(args);
}

void draft_set(struct draft *draft, const char *key, const char *format, ...)
{
	va_list args;
	char *value;

	va_start(args, format);
	value = format_list(draft, format, args);
	va_end(args);
	if (strchr(value, '\r')) {
		for (char *at = value; (at = strchr(at, '\r'));)
			*at = ' ';
		draft_note(draft, 0,
			   "%s = %s: no value can have the carriage return that this one has", key,
			   value);
		return;
	}
	fprintf(draft->out, *value && *value != '\n' ? "%-17s = " : "%-17s =", key);
	put_lines(draft->out, value, "    ");
}

void draft_service(struct draft *draft, const char *name)
{
	char clean[CONFIG_NAME_MAX + 1];
	size_t len = 0;

	for (; name[len] && len < CONFIG_NAME_MAX; len++) {
		unsigned char c = (unsigned char)name[len];
		bool fits = isalnum(c) || c == '_' || (len > 0 && (c == '-' || c == '.'));

		clean[len] = fits ? name[len] : '_';
	}
	clean[len] = '\0';
	fprintf(draft->out, "\n[service:%s]\n", len ? clean : "_");
	if (strcmp(clean, name) != 0)
		draft_note(draft, 0, "its name was \"%s\"", name);
	draft->services++;
}

/* ---- quotes ---- */

static bool is_plain(const char *text)
{
	return *text && text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					  "0123456789_@%+=:,./-")] == '\0';
}

/* Room for every byte of text to become four. */
static char *room_for(struct draft *draft, const char *text)
{
	char *room = arena_alloc(draft->arena, 4 * strlen(text) + 3);

	draft->failed |= !room;
	return room;
}

/* '...', with a ' in it as '\'' */
static char *single_quoted(struct draft *draft, const char *text)
{
	char *quoted = room_for(draft, text), *to = quoted;

	if (!quoted)
		return nothing;
	*to++ = '\'';
	for (; *text; text++) {
		if (*text == '\'')
			to = stpcpy(to, "'\\''");
		else
			*to++ = *text;
	}
	stpcpy(to, "'");
	return quoted;
}

/* "...", in which variables are replaced */
static char *double_quoted(struct draft *draft, const char *text)
{
	char *quoted = room_for(draft, text), *to = quoted;

	if (!quoted)
		return nothing;
	*to++ = '"';
	for (; *text; text++) {
		if (strchr("\"\\`", *text))
			*to++ = '\\';
		*to++ = *text;
	}
	stpcpy(to, "\"");
	return quoted;
}

char *draft_word(struct draft *draft, const char *text, bool expands)
{
	if (is_plain(text))
		return draft_format(draft, "%s", text);
	if (expands && strchr(text, '$'))
		return double_quoted(draft, text);
	return single_quoted(draft, text);
}

/* Muster replaces nothing within '...': words with a dollar there are put in other quotes. */
char *draft_command(struct draft *draft, const char *text)
{
	char *command = NULL;
	struct words words;
	size_t size;
	FILE *out;

	if (!strchr(text, '$') || !strchr(text, '\'') ||
	    words_split(draft->arena, text, false, &words))
		return draft_format(draft, "%s", text);
	out = open_memstream(&command, &size);
	for (size_t i = 0; out && i < words.count; i++)
		fprintf(out, "%s%s", i ? " " : "", draft_word(draft, words.list[i].text, true));
	return draft_keep(draft, out, &command);
}

char *draft_escape_dollars(struct draft *draft, const char *text)
{
	char *escaped = room_for(draft, text), *to = escaped;

	if (!escaped)
		return nothing;
	for (; *text; text++) {
		if (text[0] == '$' && (text[1] == '{' || text[1] == '$'))
			*to++ = '$';
		*to++ = *text;
	}
	*to = '\0';
	return escaped;
}

char *draft_value(struct draft *draft, const char *text, bool expands)
{
	size_t len = strlen(text);
	bool quotes = text[strcspn(text, ";#\"'\\,\n")] || (len && isblank((unsigned char)*text)) ||
		      (len && isblank((unsigned char)text[len - 1]));

	if (!quotes)
		return expands ? draft_format(draft, "%s", text)
			       : draft_escape_dollars(draft, text);
	return expands && strchr(text, '$') ? double_quoted(draft, text)
					    : single_quoted(draft, text);
}
