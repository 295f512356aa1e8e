/* SPDX-License-Identifier: MIT */
#include "metrics_accept.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "media.h"

/* How closely the range names the format, or -1: it does not. */
static int closeness(const struct media_range *range, const char *type, const char *subtype,
		     const char *version)
{
	int close = media_closeness(range, type, subtype);

	if (close < 2 || !range->version[0])
		return close;
	return strcmp(range->version, version) == 0 ? 3 : -1;
}

static void consider(struct metrics_wish *wish, const struct media_range *range, int close,
		     int place)
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
	struct media_range range;

	if (accept->malformed)
		return;
	while ((header = media_next(header, &range))) {
		accept->ranges++;
		consider(&accept->open, &range,
			 closeness(&range, "application", "openmetrics-text", "1.0.0"),
			 accept->ranges);
		consider(&accept->text, &range, closeness(&range, "text", "plain", "0.0.4"),
			 accept->ranges);
	}
	accept->malformed = range.type[0] != '\0';
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
