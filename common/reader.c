/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "fd.h"

/*
 * inih reads lines into a buffer of 200 bytes and names into 50, and its distributed builds cannot
 * be told otherwise. So it never sees the texts: each line of the file is handed to it as a short
 * line of the same grammar in which a reference `@LINE` stands for the text, and its handler gets
 * the reference back. A section, of which inih says nothing until a key comes, is followed by the
 * key `@`.
 */
enum line_kind { LINE_NONE, LINE_SECTION, LINE_KEY, LINE_MORE, LINE_OTHER };

struct reader {
	const struct reader_handler *handler;
	char *next; /* unread bytes */
	char *end;
	uint32_t line; /* of the text below */
	/* the line inih has been given, until it says what it is */
	enum line_kind given;
	char *name;
	char *text;
	size_t text_len;
	char separator;
	bool announce; /* the key `@` is to follow */
	/* the key whose value is being collected */
	char *key; /* NULL: none */
	char *value;
	size_t value_len;
	uint32_t key_line, value_line;
	size_t indent;
	char quote;         /* open at the end of the last line; 0: none */
	bool no_closing[2]; /* no further ' or " closes in this value */
	bool lost;          /* behind a broken section header: nothing is passed on */
	bool stop;
};

/* ---- files ---- */

static const char *open_error(int error)
{
	switch (error) {
	case ENOENT:
		return "no such file";
	case EACCES:
	case EPERM:
		return "permission denied";
	case ELOOP:
		return "symbolic links form a loop";
	case ENAMETOOLONG:
		return "the name is too long";
	case ENOTDIR:
		return "part of the path is not a directory";
	case ENXIO:
		return "not a regular file";
	default:
		return strerror(error);
	}
}

static const char *kind_of_file(mode_t mode)
{
	if (S_ISDIR(mode))
		return "is a directory, not a file";
	if (S_ISFIFO(mode))
		return "is a FIFO, not a regular file";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "is a device, not a regular file";
	return "not a regular file";
}

static const char TOO_LARGE[] = "too large";

/* Reads all of it, into more room where the size was not the whole truth (/proc, a growing file).
 * NULL or what went wrong. */
static const char *read_file(struct arena *arena, int fd, off_t expected, size_t limit,
			     struct reader_text *text)
{
	size_t room = expected > 0 && (uintmax_t)expected < limit ? (size_t)expected + 1 : 4096;
	size_t filled = 0;
	char *buffer = NULL;

	if (expected > 0 && (uintmax_t)expected > limit)
		return TOO_LARGE;
	for (;;) {
		char *bigger = arena_alloc(arena, room + 1);
		ssize_t n;

		if (!bigger)
			return "out of memory";
		if (filled)
			memcpy(bigger, buffer, filled);
		buffer = bigger;
		n = fd_read_all(fd, buffer + filled, room - filled);
		if (n < 0)
			return strerror((int)-n);
		filled += (size_t)n;
		if (filled > limit)
			return TOO_LARGE;
		if (filled < room)
			break;
		room *= 2;
	}
	buffer[filled] = '\0';
	text->bytes = buffer;
	text->size = filled;
	return NULL;
}

bool reader_load(struct arena *arena, const char *path, size_t limit, struct reader_text *text,
		 char *why, size_t why_size)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	const char *error = NULL;
	struct stat st;

	if (fd < 0) {
		snprintf(why, why_size, "cannot open: %s", open_error(errno));
		return false;
	}
	if (fstat(fd, &st) != 0)
		error = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		error = kind_of_file(st.st_mode);
	else
		error = read_file(arena, fd, st.st_size, limit, text);
	close(fd);
	if (error == TOO_LARGE)
		snprintf(why, why_size, "cannot read: larger than %zu KiB", limit >> 10);
	else if (error)
		snprintf(why, why_size, "cannot read: %s", error);
	if (error)
		return false;
	text->mode = st.st_mode;
	return true;
}

/* ---- characters ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_comment(char c)
{
	return c == '#' || c == ';';
}

static char *skip_blanks(char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	return p;
}

static char *trim_end(const char *start, char *end)
{
	while (end > start && (is_blank(end[-1]) || end[-1] == '\r'))
		end--;
	return end;
}

static char *end_of_line(const struct reader *r, char *p)
{
	char *eol = memchr(p, '\n', (size_t)(r->end - p));

	return eol ? eol : r->end;
}

/* ---- quotes and comments ---- */

/* The quote that closes `quote`, searched in p .. end; NULL: none. */
static char *find_closing(char *p, const char *end, char quote)
{
	for (; p < end; p++) {
		if (*p == quote)
			return p;
		if (quote == '"' && *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
			p++;
	}
	return NULL;
}

/* Whether a continuation line of the key being read closes the quote. */
static bool closes_later(const struct reader *r, char quote)
{
	char *line = r->next;

	while (line < r->end) {
		char *eol = end_of_line(r, line), *p = skip_blanks(line, eol);
		bool empty = trim_end(p, eol) == p;

		if ((size_t)(p - line) > r->indent) {
			if (find_closing(p, eol, quote))
				return true;
		} else if (!empty && !is_comment(*p)) {
			return false;
		}
		line = eol + 1;
	}
	return false;
}

/*
 * Whether the quote at p opens something that ends: else it is an ordinary character. Only one
 * that begins a word may end on a later line; the apostrophe of "don't" does not.
 */
static bool quote_opens(struct reader *r, const char *start, char *p, const char *end)
{
	bool *hopeless = &r->no_closing[*p == '"'];

	if (*hopeless)
		return false;
	if (find_closing(p + 1, end, *p))
		return true;
	if ((p == start || strchr(" \t=,(", p[-1])) && closes_later(r, *p))
		return true;
	*hopeless = true;
	return false;
}

/* Where the line's text ends and its comment, if it has one, begins. Notes an open quote. */
static char *find_comment(struct reader *r, char *start, char *end)
{
	char *p = start;

	while (p < end) {
		if (r->quote) {
			char *closing = find_closing(p, end, r->quote);

			if (!closing)
				return end;
			r->quote = 0;
			p = closing + 1;
			continue;
		}
		if (*p == ';' && p > start && is_blank(p[-1]))
			return p;
		if ((*p == '\'' || *p == '"') && quote_opens(r, start, p, end))
			r->quote = *p;
		else if (*p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\''))
			p++;
		p++;
	}
	return end;
}

/* ---- what is found ---- */

static void report(struct reader *r, const char *what, const char *text)
{
	if (!r->stop && !r->handler->problem(r->handler->user, r->line, what, text))
		r->stop = true;
}

/* Passes on the key whose value is complete now. */
static void finish_key(struct reader *r)
{
	if (!r->key)
		return;
	r->value[r->value_len] = '\0';
	if (!r->stop && !r->lost &&
	    !r->handler->key(r->handler->user, r->key_line, r->key, r->value, r->value_len))
		r->stop = true;
	r->key = NULL;
	r->quote = 0;
}

static void take_section(struct reader *r)
{
	finish_key(r);
	r->lost = false;
	if (!r->stop && !r->handler->section(r->handler->user, r->line, r->name))
		r->stop = true;
}

static void take_key(struct reader *r)
{
	r->key = r->name;
	r->value = r->text;
	r->value_len = r->text_len;
	r->key_line = r->value_line = r->line;
}

/* Moves the text up to the value: what lay between was a line break, blanks and comments. */
static void take_more(struct reader *r)
{
	while (r->value_line < r->line) {
		r->value[r->value_len++] = '\n';
		r->value_line++;
	}
	memmove(r->value + r->value_len, r->text, r->text_len);
	r->value_len += r->text_len;
}

static bool is_reference(const struct reader *r, const char *text)
{
	uint32_t line = 0;

	if (*text != '@' || text[1] == '\0')
		return false;
	while (*++text >= '0' && *text <= '9')
		line = line * 10 + (uint32_t)(*text - '0');
	return *text == '\0' && line == r->line;
}

/* inih's handler: says what the line is that was given last. */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;

	if (!is_reference(r, value))
		return 1;
	if (strcmp(name, "@") == 0 && is_reference(r, section))
		take_section(r);
	else if (is_reference(r, name))
		take_key(r);
	else
		take_more(r);
	r->given = LINE_NONE;
	return 1;
}

/* The line given last was none to inih when its handler was not called. */
static void check_taken(struct reader *r)
{
	if (r->given == LINE_NONE)
		return;
	if (r->given == LINE_SECTION) {
		report(r, "a section header without its ]", r->text);
		r->lost = true;
	} else if (!r->lost) {
		report(r, "neither [section] nor key = value", r->text);
	}
	r->given = LINE_NONE;
}

/* ---- lines for inih ---- */

static void set_text(struct reader *r, char *start, char *end)
{
	end = trim_end(start, end);
	*end = '\0';
	r->text = start;
	r->text_len = (size_t)(end - start);
}

/* [name], possibly followed by a comment. Without a ] it is given as it is, for inih to refuse. */
static void give_section(struct reader *r, char *p, char *end)
{
	char *closing = memchr(p, ']', (size_t)(end - p));
	char *rest;

	finish_key(r);
	r->given = LINE_SECTION;
	r->separator = '\0';
	set_text(r, p, end);
	if (!closing)
		return;
	rest = skip_blanks(closing + 1, r->text + r->text_len);
	if (*rest != '\0' && !is_comment(*rest))
		report(r, "text behind the ] of a section header", rest);
	*closing = '\0';
	r->name = p + 1;
	r->separator = ']';
	r->announce = true;
}

/* name = value, or name : value, as inih takes it. */
static void give_key(struct reader *r, char *p, char *end)
{
	char *separator, *name_end;

	finish_key(r);
	r->no_closing[0] = r->no_closing[1] = false;
	end = find_comment(r, p, end);
	set_text(r, p, end);
	separator = r->text + strcspn(r->text, "=:");
	r->separator = *separator;
	r->given = *separator ? LINE_KEY : LINE_OTHER;
	if (!*separator) {
		r->quote = 0;
		return;
	}
	name_end = trim_end(p, separator);
	*name_end = '\0';
	r->name = p;
	set_text(r, skip_blanks(separator + 1, r->text + r->text_len), r->text + r->text_len);
}

static void give_more(struct reader *r, char *p, char *end)
{
	r->given = LINE_MORE;
	set_text(r, p, find_comment(r, p, end));
}

/* Looks at one line of the file. False: it is empty or a comment. */
static bool read_line(struct reader *r)
{
	char *start = r->next, *eol = end_of_line(r, start);
	char *p = skip_blanks(start, eol), *end = trim_end(p, eol);
	size_t indent = (size_t)(p - start);
	bool more = r->key && indent > r->indent;

	r->next = eol < r->end ? eol + 1 : eol;
	r->line++;
	if (p == end || (is_comment(*p) && !(more && r->quote)))
		return false;
	if (memchr(p, '\r', (size_t)(end - p)))
		report(r, "a carriage return inside the line (lines end with LF or CRLF)", NULL);
	if (more) {
		give_more(r, p, end);
		return true;
	}
	r->quote = 0;
	r->indent = indent;
	if (*p == '[')
		give_section(r, p, end);
	else
		give_key(r, p, end);
	return true;
}

/* inih's reader: the next line in inih's small print. */
static char *give_line(char *str, int num, void *stream)
{
	struct reader *r = stream;
	size_t size = (size_t)num;

	if (r->announce) {
		r->announce = false;
		snprintf(str, size, "@ = @%u\n", r->line);
		return str;
	}
	check_taken(r);
	do {
		if (r->next == r->end || r->stop)
			return NULL;
	} while (!read_line(r));
	if (r->given == LINE_SECTION)
		snprintf(str, size, "[@%u%c\n", r->line, r->separator ? r->separator : ' ');
	else if (r->given == LINE_KEY)
		snprintf(str, size, "@%u %c @%u\n", r->line, r->separator, r->line);
	else
		snprintf(str, size, "%s@%u\n", r->given == LINE_MORE ? " " : "", r->line);
	return str;
}

/* ---- the whole file ---- */

/* Encodings that would only give one puzzling error for each line. */
static const char *check_encoding(const struct reader_text *text, size_t *at)
{
	const char *nul = memchr(text->bytes, '\0', text->size);
	const unsigned char *b = (const unsigned char *)text->bytes;

	*at = 0;
	if (text->size >= 2 && ((b[0] == 0xff && b[1] == 0xfe) || (b[0] == 0xfe && b[1] == 0xff)))
		return "the file is in UTF-16; save it as UTF-8";
	if (!nul)
		return NULL;
	*at = (size_t)(nul - text->bytes);
	return "a NUL byte: this is not a text file";
}

static uint32_t line_of(const struct reader_text *text, size_t at)
{
	const char *p = text->bytes, *end = text->bytes + at;
	uint32_t line = 1;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		line++;
		p++;
	}
	return line;
}

void reader_parse(struct reader_text *text, const struct reader_handler *handler)
{
	struct reader r = {.handler = handler, .next = text->bytes};
	size_t at;
	const char *error = check_encoding(text, &at);

	if (error) {
		handler->problem(handler->user, line_of(text, at), error, NULL);
		return;
	}
	r.end = text->bytes + text->size;
	if (text->size >= 3 && memcmp(r.next, "\xef\xbb\xbf", 3) == 0)
		r.next += 3;
	if (ini_parse_stream(give_line, &r, take_line, &r) < 0)
		report(&r, "out of memory", NULL);
	check_taken(&r);
	finish_key(&r);
}
