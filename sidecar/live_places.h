/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LIVE_PLACES_H
#define SIDECAR_LIVE_PLACES_H

#include <stdbool.h>
#include <stdint.h>

#include "address.h"
#include "live.h"
#include "probe.h"
#include "probe_link.h"
#include "resolve.h"

/*
 * Between live.c, which chooses and tells, and live_places.c, which keeps the places of each
 * address: candidates, and the targets of their SRV records. For these two only.
 */
#define NO_PLACE UINT32_MAX

enum place_state { PLACE_UNKNOWN, PLACE_UP, PLACE_DOWN };

/* Where an address may be: a candidate, or one target of its SRV record. */
struct place {
	struct place_owner *owner;
	uint32_t candidate;
	char host[HOST_SIZE];
	uint16_t port;
	uint32_t slot; /* of its probe; NO_PLACE: none */
	uint32_t serial;
	uint8_t state; /* enum place_state */
	uint8_t other_seen;
	uint32_t failures;
	uint64_t failing_since;
	uint64_t seen; /* when it answered last; 0: never */
	char error[OUTCOME_REASON];
	union address good, other; /* the number in use, and one that may take its place */
	/* the last lookup, for those who ask */
	struct lookup lookup;
	struct answer answer;
};

struct srv_watch;
struct watch;

/* One address at work. */
struct place_owner {
	struct live *live;
	const struct address_entry *entry;
	uint32_t index;
	bool checked;
	bool ended;            /* of a book that is not in force any more: its checks say nothing */
	bool held, held_moved; /* its answer is to be offered again */
	struct place **places; /* in order of preference */
	uint32_t count;
	const struct place *current; /* in force; NULL: nothing was found yet */
	struct link_answer told;
	bool was_told;
	struct srv_watch *srv; /* by candidate; NULL: it has none */
};

struct live {
	struct loop *loop;
	struct resolver *resolver;
	struct prober *prober;
	live_report *report;
	void *data;
	live_begun *begun; /* NULL: nobody waits for a book */
	void *begun_data;
	const struct address_book *book;
	uint32_t serial, probe_serial, generation;
	struct place_owner *owners;
	struct place **by_slot;
	uint32_t slots;
	struct watch *watches;
};

/* Makes the places of the address and begins to check them, if it is checked. */
void owner_begin(struct place_owner *owner);
/* Carries what was known of a place over to the same place of the new book. */
void owner_inherit(struct place_owner *owner, const struct place_owner *before);
/* Frees the places, and what is under way for them. */
void owner_end(struct place_owner *owner);

/* Finds out where its host is, for those who ask; the answer may come later. */
void place_look_up(struct place *place);

/* In live.c: decides anew, as a place has changed. `moved`: the one in force has another number. */
void owner_choose(struct place_owner *owner, bool moved);

#endif
