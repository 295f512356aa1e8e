/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "ports.h"
#include "str.h"

#define IGNORE_MARK "muster:ignore"
#define LOOK_BEHIND 256 /* how much of a line before a literal is looked at */

struct finder {
	const struct scan_text *text;
	const char *bytes;
	size_t line_at, line_end;
	unsigned line;
	bool book;      /* within [address:NAME] of a muster.ini, where addresses belong */
	unsigned depth; /* YAML: open brackets */
	bool ignore_next;
	char carried[SCAN_WORD_SIZE];
	bool (*found)(void *user, const struct scan_hit *hit);
	void *user;
	bool stopped;
};

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_name(char c)
{
	return is_digit(c) || is_letter(c) || c == '-' || c == '.' || c == '_';
}

/* The byte at an index of the line, or a line break beyond its ends. */
static char at(const struct finder *f, size_t index)
{
	return index >= f->line_at && index < f->line_end ? f->bytes[index] : '\n';
}

static char before(const struct finder *f, size_t index)
{
	return index > f->line_at ? f->bytes[index - 1] : '\n';
}

/* ---- literals; each returns the length, 0: there is none ---- */

static size_t take_octet(const struct finder *f, size_t index, unsigned *octet)
{
	size_t len = 0;

	*octet = 0;
	while (len < 4 && is_digit(at(f, index + len)))
		*octet = *octet * 10 + (unsigned)(at(f, index + len++) - '0');
	return len > 3 || *octet > 255 || (len > 1 && at(f, index) == '0') ? 0 : len;
}

static size_t take_v4(const struct finder *f, size_t index, char host[HOST_SIZE])
{
	size_t used = 0, len;
	unsigned octet;

	for (unsigned i = 0; i < 4; i++) {
		if (i && at(f, index + used++) != '.')
			return 0;
		len = take_octet(f, index + used, &octet);
		if (!len)
			return 0;
		used += len;
	}
	if (is_letter(at(f, index + used)) || is_digit(at(f, index + used)) ||
	    at(f, index + used) == '_' ||
	    (at(f, index + used) == '.' && is_name(at(f, index + used + 1)) &&
	     at(f, index + used + 1) != '.'))
		return 0;
	memcpy(host, f->bytes + index, used);
	host[used] = '\0';
	return used;
}

static size_t take_v6(const struct finder *f, size_t index, char host[HOST_SIZE])
{
	struct in6_addr number;
	size_t len = 0, colons = 0;
	char c;

	while (len < INET6_ADDRSTRLEN - 1 &&
	       (is_hex(c = at(f, index + len)) || c == ':' || c == '.')) {
		colons += c == ':';
		len++;
	}
	while (len && (at(f, index + len - 1) == '.' ||
		       (at(f, index + len - 1) == ':' && len > 1 && at(f, index + len - 2) != ':')))
		len--;
	c = at(f, index + len);
	if (colons < 2 || is_letter(c) || is_digit(c) || c == '_' ||
	    (c == ':' && is_name(at(f, index + len + 1))))
		return 0;
	memcpy(host, f->bytes + index, len);
	host[len] = '\0';
	if (inet_pton(AF_INET6, host, &number) != 1)
		return 0;
	if (c == '%') /* the interface */
		while (len < 80 && (is_name(at(f, index + len)) || at(f, index + len) == '%'))
			len++;
	return len;
}

static size_t take_host_name(const struct finder *f, size_t index, char host[HOST_SIZE])
{
	size_t len = 0;
	bool letter = false;

	while (len < HOST_SIZE - 1 && is_name(at(f, index + len))) {
		letter |= is_letter(at(f, index + len));
		len++;
	}
	if (!letter || len == HOST_SIZE - 1 || at(f, index) == '-' || at(f, index) == '.' ||
	    at(f, index) == '_')
		return 0;
	memcpy(host, f->bytes + index, len);
	host[len] = '\0';
	return len;
}

/* :PORT */
static size_t take_port(const struct finder *f, size_t index, uint16_t *port)
{
	unsigned number = 0;
	size_t len = 1;

	if (at(f, index) != ':')
		return 0;
	while (len < 7 && is_digit(at(f, index + len)))
		number = number * 10 + (unsigned)(at(f, index + len++) - '0');
	if (len == 1 || len > 6 || !number || number > 65535 || at(f, index + 1) == '0' ||
	    is_letter(at(f, index + len)) || at(f, index + len) == '_' ||
	    (at(f, index + len) == '.' && is_digit(at(f, index + len + 1))))
		return 0;
	*port = (uint16_t)number;
	return len;
}

/* [v6] or [v6]:port */
static size_t take_bracketed(const struct finder *f, size_t index, struct scan_hit *hit)
{
	size_t len;

	if (at(f, index) != '[')
		return 0;
	len = take_v6(f, index + 1, hit->host);
	if (!len || at(f, index + 1 + len) != ']')
		return 0;
	len += 2;
	hit->bracketed = hit->number = true;
	return len + take_port(f, index + len, &hit->port);
}

/* ---- what is found ---- */

static struct scan_hit new_hit(const struct finder *f, size_t index)
{
	char mark = f->text->marks[index];

	return (struct scan_hit){.at = index,
				 .left = index,
				 .line = f->line,
				 .column = (unsigned)(index - f->line_at + 1),
				 .quote = mark == MARK_COMMENT ? '\0' : mark};
}

/* Judges it and passes it on. Returns where to go on. */
static size_t report(struct finder *f, struct scan_hit *hit, size_t len)
{
	const struct scan_place place = {f->text, f->line_at, f->line_end, f->carried};

	hit->len = len;
	hit->flow = f->depth > 0;
	if (scan_judge(&place, hit))
		f->stopped = !f->found(f->user, hit);
	return hit->at + len;
}

/* Something that cannot be part of a literal host: a variable, a placeholder. */
static bool is_placeholder(char c)
{
	return c == '$' || c == '{' || c == '<' || c == '%' || c == '*' || c == '}' || c == '(';
}

/* Behind user:password@, if it is there; 0: there is no literal host. */
static size_t skip_user(const struct finder *f, size_t index)
{
	size_t start = index;

	for (size_t i = index; i - index < LOOK_BEHIND; i++) {
		char c = at(f, i);

		if (c == '@')
			start = i + 1;
		if (c == '\n' || c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' ||
		    c == '`' || c == ' ' || c == '\t' || c == ',')
			break;
	}
	return is_placeholder(at(f, start)) ? 0 : start;
}

/* Without a port a name is an address only where the scheme says which service it is, and no web
 * page: redis://cache/0. */
static bool has_service(const char *scheme)
{
	return strncasecmp(scheme, "http", 4) != 0 && port_well_known(scheme, strlen(scheme));
}

/* SCHEME://HOST, with index at the colon. Returns where to go on. */
static size_t find_in_url(struct finder *f, size_t index)
{
	size_t host = skip_user(f, index + 3), scheme = index, len;
	struct scan_hit hit;

	while (scheme > f->line_at && index - scheme < 15 &&
	       (is_letter(before(f, scheme)) || is_digit(before(f, scheme)) ||
		before(f, scheme) == '+'))
		scheme--;
	if (!host || host >= f->line_end)
		return index + 3;
	hit = new_hit(f, host);
	hit.left = scheme;
	memcpy(hit.scheme, f->bytes + scheme, index - scheme);
	hit.scheme[index - scheme] = '\0';
	len = take_bracketed(f, host, &hit);
	if (len)
		return report(f, &hit, len);
	len = take_v4(f, host, hit.host);
	hit.number = len > 0;
	if (!len)
		len = take_host_name(f, host, hit.host);
	if (!len || is_placeholder(at(f, host + len)))
		return index + 3;
	len += take_port(f, host + len, &hit.port);
	if (!hit.number && !hit.port && !has_service(hit.scheme))
		return host + len;
	return report(f, &hit, len);
}

/* Whether a literal may begin here: not within a word, a number or a path. */
static bool v4_may_begin(const struct finder *f, size_t index)
{
	char c = before(f, index), further = before(f, index - (c != '\n'));

	if (is_digit(c) || c == '.' || c == '_' || c == '$')
		return false;
	if (c == '-') /* a file's version; an option, or the end of a range, is none */
		return !is_letter(further) &&
		       (!is_digit(further) || take_v4(f, index, (char[HOST_SIZE]){0}));
	/* -h10.0.0.1, but not -v1.2.3.4 */
	if (is_letter(c))
		return further == '-' && c != 'v' && c != 'V' && !is_name(before(f, index - 2)) &&
		       index >= f->line_at + 2;
	return true;
}

static size_t find_v4(struct finder *f, size_t index)
{
	struct scan_hit hit = new_hit(f, index);
	size_t len = v4_may_begin(f, index) ? take_v4(f, index, hit.host) : 0;

	if (!len) {
		while (is_digit(at(f, index)) || at(f, index) == '.')
			index++;
		return index;
	}
	hit.number = true;
	return report(f, &hit, len + take_port(f, index + len, &hit.port));
}

static size_t find_v6(struct finder *f, size_t index)
{
	struct scan_hit hit = new_hit(f, index);
	size_t len = take_v6(f, index, hit.host);

	if (!len)
		return 0;
	hit.number = true;
	return report(f, &hit, len);
}

/* NAME:PORT outside of URLs. Returns where to go on, behind the name at least. */
static size_t find_name(struct finder *f, size_t index)
{
	struct scan_hit hit = new_hit(f, index);
	size_t len = take_host_name(f, index, hit.host), port;
	char c = before(f, index);

	if (!len) {
		while (is_name(at(f, index)))
			index++;
		return index;
	}
	port = take_port(f, index + len, &hit.port);
	if (!port || c == '/' || c == '$' || c == '}' || c == '%' || c == '\\' || c == ':')
		return index + len;
	return report(f, &hit, len + port);
}

/* Looks at one place of the line and returns the next. */
static size_t find_at(struct finder *f, size_t index)
{
	char c = at(f, index), previous = before(f, index);
	bool inside = is_name(previous) && previous != '-';
	struct scan_hit hit;
	size_t next;

	if (c == ':' && at(f, index + 1) == '/' && at(f, index + 2) == '/')
		return find_in_url(f, index);
	if (c == '[') {
		hit = new_hit(f, index);
		next = take_bracketed(f, index, &hit);
		if (next)
			return report(f, &hit, next);
	}
	if (!inside && previous != ':' && (is_hex(c) || (c == ':' && at(f, index + 1) == ':'))) {
		next = find_v6(f, index);
		if (next)
			return next;
	}
	if (is_digit(c) && take_v4(f, index, (char[HOST_SIZE]){0}))
		return find_v4(f, index);
	/* what follows may be the end of a range, or the value of an option */
	if (c == '-' || (is_letter(c) && previous == '-' && is_digit(at(f, index + 1))))
		return index + 1;
	return is_name(c) ? find_name(f, index) : index + 1;
}

/* ---- lines ---- */

static bool line_has(const struct finder *f, const char *what)
{
	return memmem(f->bytes + f->line_at, f->line_end - f->line_at, what, strlen(what)) != NULL;
}

/* Brackets that a line of YAML opens outside of quotes. */
static void count_brackets(struct finder *f, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		if (f->text->marks[i] != MARK_CODE)
			continue;
		if (f->bytes[i] == '[' || f->bytes[i] == '{')
			f->depth++;
		else if ((f->bytes[i] == ']' || f->bytes[i] == '}') && f->depth)
			f->depth--;
	}
}

/* A line that ends with : [ ( { or = leaves its word to those that follow. */
static void carry_word(struct finder *f)
{
	size_t end = f->line_end;
	char last;

	while (end > f->line_at && (at(f, end - 1) == ' ' || at(f, end - 1) == '\r'))
		end--;
	if (end == f->line_at)
		return;
	last = at(f, end - 1);
	if (last == ':' || last == '[' || last == '(' || last == '{' || last == '=')
		scan_word_before(f->bytes,
				 end - f->line_at > LOOK_BEHIND ? end - LOOK_BEHIND : f->line_at,
				 end, f->carried);
	else if (last == ']' || last == '}' || last == ')' || last == ';')
		f->carried[0] = '\0';
}

static bool is_yaml(enum scan_kind kind)
{
	return kind == KIND_YAML || kind == KIND_COMPOSE || kind == KIND_MANIFEST;
}

static bool is_ignored(struct finder *f)
{
	bool ignored = f->ignore_next;
	size_t first = f->line_at;

	f->ignore_next = false;
	if (!line_has(f, IGNORE_MARK))
		return ignored;
	while (first < f->line_end && (at(f, first) == ' ' || at(f, first) == '\t'))
		first++;
	/* a comment on a line of its own is for the next line */
	f->ignore_next = f->text->marks[first] == MARK_COMMENT;
	return true;
}

static void find_in_line(struct finder *f)
{
	size_t index = f->line_at, next;

	if (f->text->kind == KIND_MUSTER && at(f, index) == '[')
		f->book = line_has(f, "[address:");
	if (is_ignored(f) || f->book)
		return;
	while (index < f->line_end && !f->stopped) {
		next = find_at(f, index);
		if (is_yaml(f->text->kind))
			count_brackets(f, index, next);
		index = next;
	}
	carry_word(f);
}

void scan_find(const struct scan_text *text, bool (*found)(void *user, const struct scan_hit *hit),
	       void *user)
{
	struct finder f = {.text = text, .bytes = text->bytes, .found = found, .user = user};
	const char *end;

	while (f.line_at < text->size && !f.stopped) {
		end = memchr(text->bytes + f.line_at, '\n', text->size - f.line_at);
		f.line_end = end ? (size_t)(end - text->bytes) : text->size;
		f.line++;
		find_in_line(&f);
		f.line_at = f.line_end + 1;
	}
}
