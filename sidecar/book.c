/* SPDX-License-Identifier: MIT */
#include "book.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "mem.h"
#include "probe_link.h"
#include "table.h"

struct book_draft {
	struct link_step *steps;
	size_t count, room;
	uint32_t serial;
};

/* A book and the memory of all that is in it. */
struct owned_book {
	struct address_book book;
	struct arena *arena;
};

void book_draft_free(struct book_draft **draft)
{
	if (*draft)
		free((*draft)->steps);
	free(*draft);
	*draft = NULL;
}

void book_free(struct address_book *book)
{
	struct owned_book *owned = (struct owned_book *)(void *)book;

	if (owned)
		arena_destroy(owned->arena);
	free(owned);
}

void book_take_step(struct book_draft **draft, const struct link_step *step)
{
	struct book_draft *d;

	if (*draft && (*draft)->serial != step->serial)
		book_draft_free(draft);
	if (!*draft) {
		*draft = mem_alloc(sizeof(**draft));
		(*draft)->serial = step->serial;
	}
	d = *draft;
	if (d->count == d->room) {
		d->room = d->room ? d->room * 2 : 16;
		d->steps = mem_resize(d->steps, d->room, sizeof(*d->steps));
	}
	d->steps[d->count++] = *step;
}

/* ---- the book ---- */

static void *room_for(struct owned_book *owned, size_t count, size_t size)
{
	return mem_check(arena_array(owned->arena, count ? count : 1, size));
}

static const char *keep(struct owned_book *owned, const char *text, size_t size)
{
	size_t len = strnlen(text, size);
	char *copy = room_for(owned, len + 1, 1);

	memcpy(copy, text, len);
	return copy;
}
#define KEEP(field) keep(owned, field, sizeof(field))

static void add_candidate(struct owned_book *owned, struct address_entry *entry,
			  struct address_candidate *candidates, const struct link_step *step)
{
	struct address_candidate *candidate = &candidates[entry->count++];

	candidate->host = KEEP(step->host);
	candidate->srv = step->srv[0] ? KEEP(step->srv) : NULL;
	candidate->port = step->port;
	candidate->source = KEEP(step->source);
}

static const char *tried_text(struct owned_book *owned, const struct address_entry *entry)
{
	const char *old = "";

	for (uint32_t i = 0; i < entry->step_count; i++) {
		const struct address_step *step = &entry->steps[i];
		size_t size = strlen(old) + strlen(step->source) + strlen(step->note) + 8;
		char *text = room_for(owned, size, 1);

		snprintf(text, size, "%s%s%s (%s)", old, i ? "; " : "", step->source, step->note);
		old = text;
	}
	return old;
}

static void start_now(struct owned_book *owned, struct address_entry *entry)
{
	entry->now = room_for(owned, 1, sizeof(*entry->now));
	snprintf(entry->now->host, sizeof(entry->now->host), "%s", entry->candidates[0].host);
	entry->now->port = entry->candidates[0].port;
}

/* One address from its steps. */
static void fill_entry(struct owned_book *owned, struct address_entry *entry,
		       const struct link_step *from, size_t count)
{
	struct address_step *steps = room_for(owned, count, sizeof(*steps));
	struct address_candidate *candidates = room_for(owned, count, sizeof(*candidates));

	entry->name = KEEP(from->name);
	entry->check = from->check;
	entry->check_period = from->check_period;
	entry->steps = steps;
	entry->candidates = candidates;
	for (size_t i = 0; i < count; i++) {
		steps[i].source = KEEP(from[i].source);
		steps[i].candidate = from[i].found ? (int32_t)entry->count : -1;
		if (from[i].found)
			add_candidate(owned, entry, candidates, &from[i]);
		else
			steps[i].note = KEEP(from[i].note);
	}
	entry->step_count = (uint32_t)count;
	if (entry->count)
		start_now(owned, entry);
	else
		entry->tried = tried_text(owned, entry);
}

/* False: the steps of an address do not stand together. */
static bool fill_book(struct owned_book *owned, const struct book_draft *draft, uint32_t count)
{
	struct address_entry *entries = room_for(owned, count, sizeof(*entries));
	struct table *index = mem_check(table_create(owned->arena));

	for (size_t i = 0, next; i < draft->count; i = next) {
		uint16_t address = draft->steps[i].address;

		for (next = i; next < draft->count && draft->steps[next].address == address;)
			next++;
		if (address < count && entries[address].name)
			return false;
		if (address < count)
			fill_entry(owned, &entries[address], &draft->steps[i], next - i);
	}
	owned->book.entries = entries;
	owned->book.index = index;
	/* where a step was lost the book ends */
	for (uint32_t i = 0; i < count && entries[i].name; i++) {
		const char *name = entries[i].name;
		struct table_entry *place = mem_check(table_add(index, name, strlen(name)));

		place->value = owned->book.count++;
	}
	return true;
}

struct address_book *book_finish(struct book_draft **draft, const struct link_book *end)
{
	static const struct book_draft nothing;
	const struct book_draft *from = *draft ? *draft : &nothing;
	struct owned_book *owned;
	bool whole;

	if ((*draft && from->serial != end->serial) || end->addresses > ADDRESS_MAX) {
		book_draft_free(draft);
		return NULL;
	}
	owned = mem_alloc(sizeof(*owned));
	owned->arena = mem_check(arena_create());
	whole = fill_book(owned, from, end->addresses);
	owned->book.mode = KEEP(end->mode);
	owned->book.mode_source = KEEP(end->mode_source);
	book_draft_free(draft);
	if (whole && owned->book.count == end->addresses)
		return &owned->book;
	book_free(&owned->book);
	return NULL;
}
