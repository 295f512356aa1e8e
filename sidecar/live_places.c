/* SPDX-License-Identifier: MIT */
#include "live_places.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "loop.h"
#include "mem.h"
#include "srv.h"
#include "states.h"

#define CHECK_TIMEOUT_MS 2000
#define SRV_LEAST        5 /* seconds */
#define SRV_MOST         60
#define PLACES_MAX       64

/* The SRV record of a candidate. */
struct srv_watch {
	struct place_owner *owner;
	uint32_t candidate;
	struct srv_lookup lookup;
	struct loop_timer timer;
};

/* ---- places ---- */

static uint32_t take_slot(struct live *live, struct place *place)
{
	uint32_t slot = 0;

	while (slot < live->slots && live->by_slot[slot])
		slot++;
	if (slot > UINT16_MAX)
		return NO_PLACE;
	if (slot == live->slots) {
		live->slots = live->slots ? live->slots * 2 : 16;
		live->by_slot = mem_resize(live->by_slot, live->slots, sizeof(*live->by_slot));
		for (uint32_t i = slot; i < live->slots; i++)
			live->by_slot[i] = NULL;
	}
	live->by_slot[slot] = place;
	return slot;
}

static void begin_check(struct place *place)
{
	struct live *live = place->owner->live;
	const struct address_entry *entry = place->owner->entry;
	char endpoint[ENDPOINT_SIZE], url[ENDPOINT_SIZE + 8];
	struct probe_spec spec = {
		.serial = ++live->probe_serial,
		.role = ROLE_READINESS,
		.kind = PROBE_TCP,
		.period_ms = entry->check_period,
		.timeout_ms = CHECK_TIMEOUT_MS,
		.success_threshold = 2,
		.failure_threshold = 2,
	};

	place->slot = take_slot(live, place);
	if (place->slot == NO_PLACE)
		return;
	spec.slot = (uint16_t)place->slot;
	place->serial = spec.serial;
	snprintf(url, sizeof(url), "%s://%s", entry->check == ADDRESS_DNS ? "dns" : "tcp",
		 endpoint_format(endpoint, place->host, place->port));
	prober_watch(live->prober, &spec, url);
}

static void lookup_answered(void *data, const struct answer *answer)
{
	struct place *place = data;

	place->answer = *answer;
}

void place_look_up(struct place *place)
{
	union address literal;

	if (address_parse(&literal, place->host, 0)) {
		place->answer.count = 1;
		place->answer.list[0] = literal;
		return;
	}
	if (!place->lookup.name &&
	    lookup_begin(place->owner->live->resolver, &place->lookup, place->host, &place->answer))
		lookup_answered(place, &place->answer);
}

static struct place *place_create(struct place_owner *owner, uint32_t candidate, const char *host,
				  uint16_t port)
{
	struct place *place = mem_alloc(sizeof(*place));

	place->owner = owner;
	place->candidate = candidate;
	place->port = port;
	place->slot = NO_PLACE;
	place->lookup.call = lookup_answered;
	place->lookup.data = place;
	snprintf(place->host, sizeof(place->host), "%s", host);
	return place;
}

static void place_free(struct place *place)
{
	struct live *live = place->owner->live;

	lookup_cancel(&place->lookup);
	if (place->slot != NO_PLACE) {
		prober_drop(live->prober, (uint16_t)place->slot, place->serial);
		live->by_slot[place->slot] = NULL;
	}
	if (place->owner->current == place)
		place->owner->current = NULL;
	free(place);
}

static void place_put(struct place_owner *owner, struct place *place)
{
	uint32_t at = owner->count;

	owner->places = mem_resize(owner->places, owner->count + 1, sizeof(struct place *));
	while (at > 0 && owner->places[at - 1]->candidate > place->candidate) {
		owner->places[at] = owner->places[at - 1];
		at--;
	}
	owner->places[at] = place;
	owner->count++;
}

/* Takes the places of a candidate out of the list. */
static uint32_t take_places(struct place_owner *owner, uint32_t candidate, struct place **out)
{
	uint32_t kept = 0, taken = 0;

	for (uint32_t i = 0; i < owner->count; i++) {
		if (owner->places[i]->candidate == candidate)
			out[taken++] = owner->places[i];
		else
			owner->places[kept++] = owner->places[i];
	}
	owner->count = kept;
	return taken;
}

/* ---- SRV ---- */

static struct place *find_place(struct place **list, uint32_t count, const char *host,
				uint16_t port)
{
	for (uint32_t i = 0; i < count; i++) {
		struct place *place = list[i];

		if (place && place->port == port && strcmp(place->host, host) == 0 &&
		    place->slot != NO_PLACE) {
			list[i] = NULL;
			return place;
		}
	}
	return NULL;
}

/* The targets are the places now; those that were there before go on. */
static void take_targets(struct place_owner *owner, uint32_t candidate,
			 const struct srv_answer *answer)
{
	struct place *old[SRV_MAX + 1];
	uint32_t count = take_places(owner, candidate, old);

	for (unsigned i = 0; i < answer->count; i++) {
		const struct srv_target *target = &answer->targets[i];
		struct place *place = find_place(old, count, target->host, target->port);

		if (!place) {
			place = place_create(owner, candidate, target->host, target->port);
			begin_check(place);
		}
		place_put(owner, place);
	}
	for (uint32_t i = 0; i < count; i++)
		if (old[i])
			place_free(old[i]);
}

/* Without an answer the last targets stay; where there are none this is a place that is down. */
static void take_failure(struct place_owner *owner, uint32_t candidate, const char *error)
{
	const struct address_candidate *from = &owner->entry->candidates[candidate];
	struct place *place = NULL;

	for (uint32_t i = 0; i < owner->count; i++)
		if (owner->places[i]->candidate == candidate)
			place = owner->places[i];
	if (place && place->slot != NO_PLACE)
		return;
	if (!place) {
		place = place_create(owner, candidate, from->host, from->port);
		place_put(owner, place);
	}
	place->state = PLACE_DOWN;
	snprintf(place->error, sizeof(place->error), "SRV: %s", error);
}

static void srv_answered(void *data, const struct srv_answer *answer)
{
	struct srv_watch *watch = data;
	struct place_owner *owner = watch->owner;
	uint32_t seconds = answer->error ? SRV_LEAST : answer->ttl;

	if (answer->error)
		take_failure(owner, watch->candidate, answer->error);
	else
		take_targets(owner, watch->candidate, answer);
	seconds = seconds < SRV_LEAST ? SRV_LEAST : seconds > SRV_MOST ? SRV_MOST : seconds;
	loop_arm(owner->live->loop, &watch->timer, clock_monotonic() + seconds * NSEC_PER_SEC);
	owner_choose(owner, false);
}

static void srv_due(void *data, uint64_t now)
{
	struct srv_watch *watch = data;

	(void)now;
	srv_begin(watch->owner->live->resolver, &watch->lookup,
		  watch->owner->entry->candidates[watch->candidate].srv);
}

static void srv_start(struct place_owner *owner, uint32_t candidate)
{
	struct srv_watch *watch;

	if (!owner->srv)
		owner->srv = mem_alloc(owner->entry->count * sizeof(*owner->srv));
	watch = &owner->srv[candidate];
	watch->owner = owner;
	watch->candidate = candidate;
	watch->lookup.call = srv_answered;
	watch->lookup.data = watch;
	watch->timer.call = srv_due;
	watch->timer.data = watch;
	srv_due(watch, 0);
}

/* ---- all places of an address ---- */

void owner_begin(struct place_owner *owner)
{
	for (uint32_t i = 0; i < owner->entry->count && i < PLACES_MAX; i++) {
		const struct address_candidate *candidate = &owner->entry->candidates[i];
		struct place *place;

		if (candidate->srv && owner->checked) {
			srv_start(owner, i);
			continue;
		}
		place = place_create(owner, i, candidate->host, candidate->port);
		place_put(owner, place);
		if (owner->checked)
			begin_check(place);
	}
}

void owner_end(struct place_owner *owner)
{
	for (uint32_t i = 0; i < owner->count; i++)
		place_free(owner->places[i]);
	for (uint32_t i = 0; owner->srv && i < owner->entry->count; i++) {
		if (!owner->srv[i].owner)
			continue;
		srv_cancel(&owner->srv[i].lookup);
		loop_disarm(owner->live->loop, &owner->srv[i].timer);
	}
	free(owner->srv);
	free(owner->places);
}

void owner_inherit(struct place_owner *owner, const struct place_owner *before)
{
	for (uint32_t i = 0; i < owner->count; i++) {
		struct place *place = owner->places[i];

		for (uint32_t n = 0; n < before->count; n++) {
			const struct place *old = before->places[n];

			if (old->port != place->port || strcmp(old->host, place->host) != 0)
				continue;
			place->state = old->state;
			place->seen = old->seen;
			place->good = old->good;
			memcpy(place->error, old->error, sizeof(place->error));
			if (before->current == old)
				owner->current = place;
		}
	}
}
