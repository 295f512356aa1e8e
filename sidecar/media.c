/* SPDX-License-Identifier: MIT */
#include "media.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *skip_space(const char *at)
{
	return at + strspn(at, " \t");
}

/* 0 or 1 with at most three decimals; what is none counts as 0. */
static unsigned read_weight(const char *text, size_t len)
{
	unsigned weight = 0, unit = 1000;

	for (size_t i = 0; i < len; i++) {
		if (i == 1 && text[i] == '.')
			continue;
		if (text[i] < '0' || text[i] > '9' || unit == 0 || i == 1)
			return 0;
		weight += (unsigned)(text[i] - '0') * unit;
		unit /= 10;
	}
	return weight > 1000 ? 0 : weight;
}

/* How closely the range names the type: 0 not at all, 1 as one of all, 2 of its kind, 3 itself. */
static unsigned closeness(const char *range, size_t len, const char *type)
{
	size_t kind = strcspn(type, "/") + 1;

	if (len == strlen(type) && strncasecmp(range, type, len) == 0)
		return 3;
	if (len == kind + 1 && strncasecmp(range, type, kind) == 0 && range[kind] == '*')
		return 2;
	return len == 3 && strncmp(range, "*/*", 3) == 0;
}

/* The parameters of a range; returns their end, a comma or the end of the header. */
static const char *read_weight_of(const char *at, unsigned *weight)
{
	*weight = 1000;
	while (*(at = skip_space(at)) == ';') {
		size_t len;

		at = skip_space(at + 1);
		len = strcspn(at, " \t;,");
		if (len >= 2 && (at[0] == 'q' || at[0] == 'Q') && at[1] == '=')
			*weight = read_weight(at + 2, len - 2);
		at += len;
	}
	return at + strcspn(at, ",");
}

unsigned media_quality(const char *accept, const char *type)
{
	unsigned best = 0, quality = 0;

	if (!accept || !*skip_space(accept))
		return 1000;
	for (const char *at = accept; *at; at += *at == ',') {
		const char *range = skip_space(at);
		size_t len = strcspn(range, " \t;,");
		unsigned close = closeness(range, len, type), weight;

		at = read_weight_of(range + len, &weight);
		if (close > best) {
			best = close;
			quality = weight;
		}
	}
	return quality;
}
