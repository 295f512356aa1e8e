/* SPDX-License-Identifier: MIT */
#include "live.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "explain.h"
#include "live_places.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "probe_link.h"
#include "resolve.h"
#include "watch.h"

#define RECHECK_MS   4000 /* as if it had been checked so long: the next one comes after 250 ms */
#define NUMBERS_SIZE (ANSWER_MAX * 48)

static const char place_states[][8] = {"unknown", "up", "down"};

struct address_watch {
	struct watch watch;
	char name[64];
};

/* ---- what is found, told ---- */

static void number_text(const union address *address, char *out, size_t size)
{
	out[0] = '\0';
	if (address->any.sa_family == AF_INET6)
		inet_ntop(AF_INET6, &address->v6.sin6_addr, out, (socklen_t)size);
	else if (address->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &address->v4.sin_addr, out, (socklen_t)size);
}

static int state_of(const struct place_owner *owner)
{
	if (!owner->checked || !owner->current)
		return -1;
	return owner->current->state == PLACE_UNKNOWN ? -1 : owner->current->state == PLACE_UP;
}

int live_state(const struct live *live, uint32_t index)
{
	return state_of(&live->owners[index]);
}

static void tell_watch(struct live *live, struct watch *watch)
{
	const char *name = ((const struct address_watch *)watch)->name;
	const struct address_entry *entry = live->book ? address_find(live->book, name) : NULL;
	const struct place_owner *owner = entry ? &live->owners[entry - live->book->entries] : NULL;
	int state = owner ? state_of(owner) : -1;

	if (state >= 0 && state != watch->told)
		watch_tell(watch, state, state ? "" : owner->current->error, loop_now(live->loop));
}

static void tell_watches(struct live *live)
{
	for (struct watch *watch = live->watches; watch; watch = watch->next)
		tell_watch(live, watch);
}

static void tell(struct place_owner *owner, bool moved)
{
	const struct place *place = owner->current;
	const struct address_candidate *candidate = &owner->entry->candidates[place->candidate];
	struct link_answer answer = {
		.type = LINK_ANSWER,
		.serial = owner->live->serial,
		.address = (uint16_t)owner->index,
		.candidate = (uint16_t)place->candidate,
		.port = place->port,
	};

	if (candidate->srv)
		snprintf(answer.host, sizeof(answer.host), "%s", place->host);
	number_text(&place->good, answer.number, sizeof(answer.number));
	if (owner->was_told && !moved && memcmp(&answer, &owner->told, sizeof(answer)) == 0)
		return;
	address_choose(owner->live->book, owner->index, place->candidate, answer.host, place->port);
	owner->told = answer;
	answer.moved = moved;
	owner->was_told = !owner->live->report || owner->live->report(owner->live->data, &answer);
	owner->held = !owner->was_told;
	owner->held_moved = owner->held && moved;
}

/* ---- choosing ---- */

static bool stays(const struct place_owner *owner)
{
	return owner->current && owner->current->state == PLACE_UP;
}

/* The place that is to be in force; NULL: not known yet. */
static const struct place *best(const struct place_owner *owner)
{
	for (uint32_t i = 0; i < owner->count; i++) {
		const struct place *place = owner->places[i];

		if (place->state == PLACE_UP)
			return place;
		if (place->state == PLACE_UNKNOWN && !stays(owner))
			return NULL;
	}
	if (owner->current)
		return owner->current;
	return owner->count ? owner->places[0] : NULL;
}

void owner_choose(struct place_owner *owner, bool moved)
{
	const struct place *place = best(owner);

	if (place && place != owner->current && owner->current)
		log_debug("address %s: %s:%u is %s, %s:%u is in force", owner->entry->name,
			  owner->current->host, owner->current->port,
			  place_states[owner->current->state], place->host, place->port);
	moved = moved && place == owner->current;
	if (place) {
		owner->current = place;
		tell(owner, moved);
	}
	tell_watches(owner->live);
}

/* ---- checks ---- */

/* Looks again soon, and then ever more rarely, until it is known what this means. */
static void look_soon(struct probe *probe, uint64_t now)
{
	probe->settled = false;
	probe->begin = now > msec(RECHECK_MS) ? now - msec(RECHECK_MS) : 0;
}

static void check_failed(struct place *place, struct probe *probe, uint64_t now)
{
	if (!place->failures++) {
		place->failing_since = now;
		if (place->state == PLACE_UP)
			look_soon(probe, now);
	}
	snprintf(place->error, sizeof(place->error), "%s", probe->last.reason);
	if (place->failures >= 2 && now - place->failing_since >= msec(LIVE_DOWN_MS))
		place->state = PLACE_DOWN;
}

/* Whether another number is in use than before, twice in a row. */
static bool has_moved(struct place *place, const union address *good)
{
	union address now = *good;

	address_set_port(&now, 0);
	if (!place->good.any.sa_family)
		place->good = now;
	if (memcmp(&place->good, &now, sizeof(now)) == 0) {
		place->other_seen = 0;
		return false;
	}
	if (!place->other_seen++ || memcmp(&place->other, &now, sizeof(now)) != 0) {
		place->other = now;
		place->other_seen = 1;
		return false;
	}
	place->good = now;
	place->other_seen = 0;
	return true;
}

static bool check_succeeded(struct place *place, const struct probe *probe, uint64_t now)
{
	place->failures = 0;
	place->seen = now;
	place->error[0] = '\0';
	if (place->state == PLACE_DOWN && probe->streak < 2)
		return false;
	place->state = PLACE_UP;
	return has_moved(place, &probe->good);
}

static bool place_checked(void *data, struct probe *probe)
{
	struct live *live = data;
	struct place *place = live->by_slot[probe->spec.slot];
	uint64_t now = clock_monotonic();
	bool moved = false;

	if (place->owner->ended)
		return true;
	if (probe->last.ok)
		moved = check_succeeded(place, probe, now);
	else
		check_failed(place, probe, now);
	owner_choose(place->owner, moved && place == place->owner->current);
	return true;
}

/* ---- the book ---- */

/* To end a check lets others begin, which may be over at once: by then none of these is to decide
 * any more, as its places go one by one, and numbers are those of another book. */
static void end_owners(struct place_owner *owners, const struct address_book *book)
{
	uint32_t count = book ? book->count : 0;

	for (uint32_t i = 0; i < count; i++)
		owners[i].ended = true;
	for (uint32_t i = 0; i < count; i++)
		owner_end(&owners[i]);
	free(owners);
}

static void make_owners(struct live *live, const struct address_book *book, bool all)
{
	const struct address_book *before = live->book;
	struct place_owner *old = live->owners;

	live->book = book;
	live->owners = mem_alloc(book->count * sizeof(*live->owners));
	for (uint32_t i = 0; i < book->count; i++)
		live->owners[i] = (struct place_owner){
			.live = live,
			.entry = &book->entries[i],
			.index = i,
			.checked = book->entries[i].count &&
				   (all || book->entries[i].check != ADDRESS_UNCHECKED),
		};
	for (uint32_t i = 0; i < book->count; i++) {
		const struct address_entry *same =
			before ? address_find(before, book->entries[i].name) : NULL;

		owner_begin(&live->owners[i]);
		if (same)
			owner_inherit(&live->owners[i], &old[same - before->entries]);
	}
	end_owners(old, before);
}

void live_set_book(struct live *live, const struct address_book *book, uint32_t serial, bool all)
{
	live->serial = serial;
	live->generation++;
	make_owners(live, book, all);
	for (struct watch *watch = live->watches; watch; watch = watch->next)
		watch->told = -1;
	for (uint32_t i = 0; i < book->count; i++)
		if (live->owners[i].checked)
			owner_choose(&live->owners[i], false);
	if (live->begun && live->generation == 1)
		live->begun(live->begun_data);
}

void live_on_book(struct live *live, live_begun *call, void *data)
{
	live->begun = call;
	live->begun_data = data;
}

const struct address_book *live_book(const struct live *live)
{
	return live->book;
}

uint32_t live_generation(const struct live *live)
{
	return live->generation;
}

/* ---- waiting for an address ---- */

void live_watch(struct live *live, const struct probe_spec *spec, const char *name,
		probe_report *report, void *data)
{
	struct address_watch *watch = mem_alloc(sizeof(*watch));

	watch_drop(&live->watches, spec->slot, 0);
	snprintf(watch->name, sizeof(watch->name), "%s", name);
	watch_add(&live->watches, &watch->watch, spec, report, data);
	tell_watch(live, &watch->watch);
}

bool live_drop(struct live *live, uint16_t slot, uint32_t serial)
{
	return watch_drop(&live->watches, slot, serial);
}

void live_drop_all(struct live *live)
{
	watch_drop_all(&live->watches);
}

void live_resume(struct live *live)
{
	for (uint32_t i = 0; live->book && i < live->book->count; i++)
		if (live->owners[i].held)
			tell(&live->owners[i], live->owners[i].held_moved);
	tell_watches(live);
}

/* ---- for those who ask ---- */

/* The addresses that the last lookup gave, ", " between them. Returns buffer. */
static const char *numbers_of(const struct place *place, char buffer[NUMBERS_SIZE])
{
	size_t used = 0;

	buffer[0] = '\0';
	for (unsigned i = 0; i < place->answer.count; i++) {
		char number[48];

		number_text(&place->answer.list[i], number, sizeof(number));
		used += (size_t)snprintf(buffer + used, NUMBERS_SIZE - used, "%s%s",
					 used ? ", " : "", number);
	}
	return buffer;
}

static uint64_t age_of(uint64_t time, uint64_t now)
{
	return time && now > time ? now - time : 0;
}

/* A place that is not checked is known as far as its name can be looked up. */
static void explain_place(struct place *place, struct explained_place *out,
			  char numbers[NUMBERS_SIZE], uint64_t now)
{
	bool checked = place->owner->checked;

	place_look_up(place);
	*out = (struct explained_place){
		.candidate = place->candidate,
		.host = place->host,
		.port = place->port,
		.state = place_states[place->state],
		.error = place->error[0] ? place->error
			 : checked       ? NULL
					 : place->answer.error,
		.numbers = numbers_of(place, numbers),
		.age = age_of(checked ? place->seen : place->answer.time, now),
	};
}

void live_explain(struct live *live, uint32_t index, live_tell *tell_me, void *data)
{
	struct place_owner *owner = &live->owners[index];
	struct explained_place *places = mem_alloc(owner->count * sizeof(*places));
	char(*numbers)[NUMBERS_SIZE] = mem_alloc(owner->count * sizeof(*numbers));
	uint64_t now = clock_monotonic();
	struct explanation what = {.book = live->book,
				   .address = owner->entry,
				   .places = places,
				   .place_count = owner->count};

	for (uint32_t i = 0; i < owner->count; i++)
		explain_place(owner->places[i], &places[i], numbers[i], now);
	if (owner->checked)
		what.state = owner->current ? place_states[owner->current->state]
					    : place_states[PLACE_UNKNOWN];
	if (owner->current)
		what.age = age_of(owner->current->seen, now);
	tell_me(data, &what);
	free(numbers);
	free(places);
}

/* ---- life ---- */

struct live *live_create(struct loop *loop, struct resolver *resolver, struct prober *beside,
			 live_report *report, void *data)
{
	struct live *live = mem_alloc(sizeof(*live));

	live->loop = loop;
	live->resolver = resolver;
	live->prober = prober_create_beside(beside, place_checked, live);
	live->report = report;
	live->data = data;
	return live;
}

void live_destroy(struct live *live)
{
	end_owners(live->owners, live->book);
	live_drop_all(live);
	prober_destroy(live->prober);
	free(live->by_slot);
	free(live);
}
