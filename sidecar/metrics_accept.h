/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_METRICS_ACCEPT_H
#define SIDECAR_METRICS_ACCEPT_H

#include <stdbool.h>

/*
 * Which format a client of /metrics wants, by its Accept header (RFC 9110, 12.5.1): the one with
 * the higher q; of equals the one that is named more closely, else the one named first. Text 0.0.4
 * for whoever names neither, or writes what is no Accept header: a scrape is always answered.
 *
 * A client reads OpenMetrics 1.0.0 when it names that version or none, text 0.0.4 likewise. All our
 * names are legal in every scheme of escaping, so that a scheme is only named in the answer when it
 * is asked for.
 */
struct metrics_wish {
	int q;         /* in thousandths; -1: not named */
	int closeness; /* of the range that names it */
	int place;     /* of that range in the header */
	bool underscores;
};

struct metrics_accept {
	struct metrics_wish open, text;
	int ranges; /* read so far */
	bool malformed;
};

void metrics_accept_begin(struct metrics_accept *accept);
/* Reads one header; there may be several. */
void metrics_accept_read(struct metrics_accept *accept, const char *header);
/* Whether it is to be OpenMetrics, and the Content-Type of the answer. */
bool metrics_accept_open(const struct metrics_accept *accept);
const char *metrics_accept_type(const struct metrics_accept *accept);

#endif
