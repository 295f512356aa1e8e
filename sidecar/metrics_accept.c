/* SPDX-License-Identifier: MIT */
#include "metrics_accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#define NAME_SIZE 48 /* longer names and values are none that we know */

/* A media range with the parameters that mean something here. */
struct range {
	char type[NAME_SIZE], subtype[NAME_SIZE];
	char version[NAME_SIZE], escaping[NAME_SIZE];
	int q;
};

/* ---- words ---- */

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_space(const char *at)
{
	while (*at == ' ' || *at == '\t')
		at++;
	return at;
}

/* One that is too long becomes "?", which is like none that we know. */
static void take(char out[NAME_SIZE], size_t len, char c)
{
	if (len < NAME_SIZE - 1) {
		out[len] = c;
		out[len + 1] = '\0';
	} else {
		memcpy(out, "?", 2);
	}
}

/* These return what follows, or NULL when there is no such thing at `at`. */
static const char *read_token(const char *at, char out[NAME_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	while (is_token(*at))
		take(out, len++, *at++);
	return len ? at : NULL;
}

static const char *read_quoted(const char *at, char out[NAME_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	for (at++; *at != '"'; at++) {
		if (*at == '\\')
			at++;
		if (!*at)
			return NULL;
		take(out, len++, *at);
	}
	return at + 1;
}

/* 0 or 1 with at most three decimals, in thousandths. -1: it is no such number. */
static int read_weight(const char *text)
{
	int weight = 0, unit = 1000;

	if (text[0] != '0' && text[0] != '1')
		return -1;
	weight = (text[0] - '0') * unit;
	text++;
	if (*text == '.')
		text++;
	for (; *text >= '0' && *text <= '9' && unit > 1; text++)
		weight += (*text - '0') * (unit /= 10);
	return *text || weight > 1000 ? -1 : weight;
}

/* ---- ranges ---- */

static const char *read_parameter(const char *at, struct range *range)
{
	char name[NAME_SIZE], value[NAME_SIZE];

	at = read_token(at, name);
	if (!at || *at != '=')
		return NULL;
	at = at[1] == '"' ? read_quoted(at + 1, value) : read_token(at + 1, value);
	if (!at)
		return NULL;
	if (strcasecmp(name, "q") == 0)
		range->q = read_weight(value);
	else if (strcasecmp(name, "version") == 0)
		memcpy(range->version, value, sizeof(value));
	else if (strcasecmp(name, "escaping") == 0)
		memcpy(range->escaping, value, sizeof(value));
	return range->q < 0 ? NULL : at;
}

static const char *read_range(const char *at, struct range *range)
{
	memset(range, 0, sizeof(*range));
	range->q = 1000;
	at = read_token(at, range->type);
	if (!at || *at != '/')
		return NULL;
	at = read_token(at + 1, range->subtype);
	while (at && *(at = skip_space(at)) == ';') {
		at = skip_space(at + 1);
		if (*at && *at != ';' && *at != ',') /* an empty parameter is allowed */
			at = read_parameter(at, range);
	}
	return at;
}

/* How closely the range names the format, or -1: it does not. */
static int closeness(const struct range *range, const char *type, const char *subtype,
		     const char *version)
{
	if (strcmp(range->type, "*") == 0)
		return strcmp(range->subtype, "*") == 0 ? 0 : -1;
	if (strcasecmp(range->type, type) != 0)
		return -1;
	if (strcmp(range->subtype, "*") == 0)
		return 1;
	if (strcasecmp(range->subtype, subtype) != 0)
		return -1;
	if (range->version[0])
		return strcmp(range->version, version) == 0 ? 3 : -1;
	return 2;
}

static void consider(struct metrics_wish *wish, const struct range *range, int close, int place)
{
	if (close <= wish->closeness)
		return;
	*wish = (struct metrics_wish){
		.q = range->q,
		.closeness = close,
		.place = place,
		.underscores = strcasecmp(range->escaping, "underscores") == 0,
	};
}

/* ---- the header ---- */

void metrics_accept_begin(struct metrics_accept *accept)
{
	const struct metrics_wish none = {.q = -1, .closeness = -1};

	*accept = (struct metrics_accept){.open = none, .text = none};
}

void metrics_accept_read(struct metrics_accept *accept, const char *header)
{
	struct range range;

	for (const char *at = skip_space(header); *at; at = skip_space(at)) {
		if (*at == ',') { /* an empty element is allowed */
			at++;
			continue;
		}
		at = read_range(at, &range);
		if (!at || (*at && *at != ',')) {
			accept->malformed = true;
			return;
		}
		accept->ranges++;
		consider(&accept->open, &range,
			 closeness(&range, "application", "openmetrics-text", "1.0.0"),
			 accept->ranges);
		consider(&accept->text, &range, closeness(&range, "text", "plain", "0.0.4"),
			 accept->ranges);
	}
}

bool metrics_accept_open(const struct metrics_accept *accept)
{
	const struct metrics_wish *open = &accept->open, *text = &accept->text;

	if (accept->malformed || open->q <= 0)
		return false;
	if (open->q != text->q)
		return open->q > text->q;
	if (open->closeness != text->closeness)
		return open->closeness > text->closeness;
	return open->place < text->place;
}

const char *metrics_accept_type(const struct metrics_accept *accept)
{
	static const char *const types[2][2] = {
		{"text/plain; version=0.0.4; charset=utf-8",
		 "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"},
		{"application/openmetrics-text; version=1.0.0; charset=utf-8",
		 "application/openmetrics-text; version=1.0.0; charset=utf-8; "
		 "escaping=underscores"},
	};
	bool open = metrics_accept_open(accept);

	return types[open][!accept->malformed &&
			   (open ? accept->open.underscores : accept->text.underscores)];
}
