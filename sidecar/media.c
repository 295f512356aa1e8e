/* SPDX-License-Identifier: MIT */
#include "media.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

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
static void take(char out[MEDIA_NAME_SIZE], size_t len, char c)
{
	if (len < MEDIA_NAME_SIZE - 1) {
		out[len] = c;
		out[len + 1] = '\0';
	} else {
		memcpy(out, "?", 2);
	}
}

/* These return what follows, or NULL when there is no such thing at `at`. */
static const char *read_token(const char *at, char out[MEDIA_NAME_SIZE])
{
	size_t len = 0;

	out[0] = '\0';
	while (is_token(*at))
		take(out, len++, *at++);
	return len ? at : NULL;
}

static const char *read_quoted(const char *at, char out[MEDIA_NAME_SIZE])
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

static const char *read_parameter(const char *at, struct media_range *range)
{
	char name[MEDIA_NAME_SIZE], value[MEDIA_NAME_SIZE];

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

static const char *read_range(const char *at, struct media_range *range)
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

const char *media_next(const char *at, struct media_range *range)
{
	do { /* an empty element is allowed */
		at = skip_space(at);
	} while (*at == ',' && at++);
	range->type[0] = '\0';
	if (!*at)
		return NULL;
	at = read_range(at, range);
	if (at && (!*at || *at == ','))
		return at;
	memcpy(range->type, "?", 2);
	return NULL;
}

int media_closeness(const struct media_range *range, const char *type, const char *subtype)
{
	if (strcmp(range->type, "*") == 0)
		return strcmp(range->subtype, "*") == 0 ? 0 : -1;
	if (strcasecmp(range->type, type) != 0)
		return -1;
	if (strcmp(range->subtype, "*") == 0)
		return 1;
	return strcasecmp(range->subtype, subtype) == 0 ? 2 : -1;
}

int media_quality(const char *accept, const char *type, const char *subtype)
{
	struct media_range range;
	int best = -1, quality = 0, close;

	if (!accept || !*skip_space(accept))
		return 1000;
	while ((accept = media_next(accept, &range))) {
		close = media_closeness(&range, type, subtype);
		if (close > best) {
			best = close;
			quality = range.q;
		}
	}
	return quality;
}
