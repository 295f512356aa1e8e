/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_FAMILY_H
#define SIDECAR_FAMILY_H

#include <ares.h>
#include <stdbool.h>

#include "resolve.h"

/*
 * A name's addresses of one family. Each family is asked for on its own, since there are name
 * servers that never answer for the other.
 */
enum { V4, V6, FAMILIES };
extern const int family_kinds[FAMILIES]; /* AF_INET, AF_INET6 */

#define FAMILY_TTL_MOST 60 /* seconds */

struct family {
	struct name *name;
	bool asking;    /* the rest is of the last answer, and `list` of the last good one */
	int status;     /* of c-ares */
	int ttl;        /* seconds, FAMILY_TTL_MOST at most */
	bool refused;   /* there are some, but none to connect to */
	unsigned rank;  /* as family_rank says */
	unsigned count; /* in `list` */
	union address list[ANSWER_MAX];
};

/* Whether it said that there is no such name, or no such address of the name. */
bool status_is_miss(int status);
bool family_is_answered(const struct family *family);

/* Takes over those addresses that are of AF_INET or AF_INET6, `kind`. */
void family_take(struct family *family, int kind, const struct ares_addrinfo *info);

/* Which of the names that `host` may stand for `found` is, counted as they are tried: with each of
 * the search domains, and as it is, first or last. */
unsigned family_rank(ares_channel channel, const char *host, const char *found);

/*
 * Both families' addresses, in turns one of each (RFC 8305, section 4), so that both are tried and
 * neither fills the answer. Those of a name of a higher rank are forgotten: they may be another
 * host's.
 */
void families_merge(struct family families[FAMILIES], struct answer *answer);

#endif
