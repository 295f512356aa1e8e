/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_RESOLVE_H
#define SIDECAR_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "latency.h"
#include "target.h"

/*
 * Names to addresses, in the sidecar's loop, without a thread and without waiting: /etc/hosts
 * first, then DNS as /etc/resolv.conf says; the lines of the hosts file that are muster's own
 * (hosts_file.h) are passed over, since they would answer ourselves. One lookup a name is under way
 * at a time, however many ask. A good answer is kept: when it has expired it is still given at
 * once, and renewed behind the asker's back; it is forgotten only when the name is said not to
 * exist, twice. A name that cannot be resolved is asked for again with growing pauses.
 *
 * Addresses that address_is_refused are left out.
 */
struct loop;
struct resolver;

#define ANSWER_MAX 8

struct answer {
	const char *error; /* NULL: there are addresses; else why not (static text) */
	uint64_t time;     /* when it came */
	unsigned count;
	union address list[ANSWER_MAX]; /* ports are 0 */
};

/* A question under way; owned by the asker, all of it zero before the first use. */
typedef void lookup_done(void *data, const struct answer *answer);
struct lookup {
	lookup_done *call;
	void *data;
	struct name *name; /* NULL: not under way */
	struct lookup *next, *previous;
};

struct resolver *resolver_create(struct loop *loop);
void resolver_destroy(struct resolver *resolver);

/* Asks these name servers ("1.2.3.4:53,[::1]:53", empty: none) in place of those of resolv.conf;
 * NULL: those again. */
void resolver_use(struct resolver *resolver, const char *servers);

/*
 * Asks for `host`. True: *answer is filled now and `call` will not be called. False: it will be,
 * later, unless lookup_cancel comes first.
 */
bool lookup_begin(struct resolver *resolver, struct lookup *lookup, const char *host,
		  struct answer *answer);
void lookup_cancel(struct lookup *lookup);

/* SRV records. `call` comes once for each question, perhaps before srv_begin returns; the answer is
 * not kept. The lookup is the asker's, all of it zero before the first use. */
struct srv_answer;
typedef void srv_done(void *data, const struct srv_answer *answer);
struct srv_lookup {
	srv_done *call;
	void *data;
	struct srv_query *query; /* NULL: not under way */
};
void srv_begin(struct resolver *resolver, struct srv_lookup *lookup, const char *name);
void srv_cancel(struct srv_lookup *lookup);

struct resolver_counts {
	uint64_t lookups; /* sent to hosts file or DNS */
	uint64_t failures;
	struct latency took; /* those that failed, too */
};
const struct resolver_counts *resolver_counts(const struct resolver *resolver);

#endif
