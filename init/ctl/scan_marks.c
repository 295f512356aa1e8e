/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <string.h>

struct marker {
	unsigned syntax;
	const char *text;
	size_t size, at;
	char *marks;
	size_t open[3]; /* per quote: up to here none closes it */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       c == '_';
}

static bool starts(const struct marker *m, size_t at, const char *what)
{
	size_t len = strlen(what);

	return m->size - at >= len && memcmp(m->text + at, what, len) == 0;
}

/* Behind the next occurrence, or the end. */
static size_t behind(const struct marker *m, size_t from, const char *what)
{
	const char *at = memmem(m->text + from, m->size - from, what, strlen(what));

	return at ? (size_t)(at - m->text) + strlen(what) : m->size;
}

static size_t line_end(const struct marker *m)
{
	const char *at = memchr(m->text + m->at, '\n', m->size - m->at);

	return at ? (size_t)(at - m->text) : m->size;
}

static void mark_until(struct marker *m, size_t end, char mark)
{
	memset(m->marks + m->at, mark, end - m->at);
	m->at = end;
}

/* Whether nothing but blanks stands before it on its line. */
static bool is_first(const struct marker *m)
{
	size_t at = m->at;

	while (at && is_blank(m->text[at - 1]))
		at--;
	return !at || m->text[at - 1] == '\n';
}

/* The end of the comment that begins here; 0: there is none. */
static size_t comment_end(const struct marker *m)
{
	unsigned syntax = m->syntax;
	char c = m->text[m->at], before = m->at ? m->text[m->at - 1] : '\n';
	bool apart = before == '\n' || is_blank(before);

	if (syntax & SYNTAX_ALL)
		return m->size;
	if (c == '#' && ((syntax & SYNTAX_HASH_ANYWHERE) || ((syntax & SYNTAX_HASH) && apart)))
		return line_end(m);
	if (c == ';' && (syntax & SYNTAX_SEMICOLON) && apart)
		return line_end(m);
	if ((syntax & SYNTAX_SLASHES) && starts(m, m->at, "//") && before != ':')
		return line_end(m);
	if ((syntax & SYNTAX_SLASHES) && starts(m, m->at, "/*"))
		return behind(m, m->at + 2, "*/");
	if ((syntax & SYNTAX_DASHES) && starts(m, m->at, "--"))
		return line_end(m);
	if ((syntax & SYNTAX_MARKUP) && starts(m, m->at, "<!--"))
		return behind(m, m->at + 4, "-->");
	return 0;
}

/* The end of the string on this line whose quote stands here; 0: the quote is an ordinary
 * character. */
static size_t string_end(struct marker *m)
{
	char quote = m->text[m->at];
	size_t *open = &m->open[quote == '"' ? 0 : quote == '`' ? 1 : 2];
	size_t at, end;

	if (m->at < *open)
		return 0;
	end = quote == '`' ? m->size : line_end(m);
	for (at = m->at + 1; at < end; at++) {
		if (m->text[at] == '\\' && at + 1 < end)
			at++;
		else if (m->text[at] == quote)
			return at + 1;
	}
	*open = end;
	return 0;
}

static bool is_quote(const struct marker *m)
{
	char c = m->text[m->at];
	bool inside = m->at && is_word(m->text[m->at - 1]);

	if (c == '`')
		return m->syntax & SYNTAX_BACKQUOTE;
	/* an apostrophe; in code a letter may stand before a string: b"", u"" */
	return c == '"' || (c == '\'' && (!inside || (m->syntax & SYNTAX_CODE)));
}

static bool mark_triple(struct marker *m)
{
	char quotes[4] = {m->text[m->at], m->text[m->at], m->text[m->at], '\0'};
	bool documentation;

	if (!(m->syntax & SYNTAX_TRIPLE) || (quotes[0] != '"' && quotes[0] != '\'') ||
	    !starts(m, m->at, quotes))
		return false;
	/* a string that is a statement of its own is the documentation of what it stands in */
	documentation = (m->syntax & SYNTAX_HASH_ANYWHERE) && is_first(m);
	mark_until(m, behind(m, m->at + 3, quotes), documentation ? MARK_COMMENT : quotes[0]);
	return true;
}

static void mark_next(struct marker *m)
{
	size_t end = comment_end(m);

	if (end) {
		mark_until(m, end, MARK_COMMENT);
		return;
	}
	if (mark_triple(m))
		return;
	end = is_quote(m) ? string_end(m) : 0;
	if (end)
		mark_until(m, end, m->text[m->at]);
	else
		m->marks[m->at++] = MARK_CODE;
}

void scan_marks(unsigned syntax, const char *text, size_t size, char *marks)
{
	struct marker m = {.syntax = syntax, .text = text, .size = size, .marks = marks};

	while (m.at < size)
		mark_next(&m);
}
