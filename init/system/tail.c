/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include <string.h>

/* A block begins with the place of the next one of its share. Block 0 is never used. */
#define BLOCK_HEAD 8
#define BLOCK_ROOM (TAIL_BLOCK - BLOCK_HEAD)
#define HEAD       (sizeof(struct tail_entry))

_Static_assert(sizeof(struct tail_entry) == 24, "head of a line");

static struct tail_entry *entry_at(const struct tail *tail, uint32_t place)
{
	return (struct tail_entry *)(void *)((char *)(uintptr_t)tail->pool + place);
}

static uint32_t *next_of(const struct tail *tail, uint32_t block)
{
	return (uint32_t *)(void *)((char *)(uintptr_t)tail->pool + block);
}

static uint32_t block_of(uint32_t place)
{
	return place - place % (uint32_t)TAIL_BLOCK;
}

static size_t rounded(size_t size)
{
	return (size + 7) / 8 * 8;
}

/* ---- readers ---- */

static bool is_wanted(const struct tail_cursor *cursor, uint16_t slot)
{
	for (uint32_t i = 0; i < cursor->count; i++)
		if (cursor->slots[i] == slot)
			return true;
	return cursor->count == 0;
}

void tail_open(struct tail *tail, struct tail_cursor *cursor, uint32_t lines)
{
	cursor->at = 0;
	cursor->lost = 0;
	cursor->number = tail->number;
	for (uint32_t at = tail->last; at && lines; at = entry_at(tail, at)->earlier) {
		if (!is_wanted(cursor, entry_at(tail, at)->slot))
			continue;
		cursor->at = at;
		cursor->number = entry_at(tail, at)->number;
		lines--;
	}
	cursor->next = tail->cursors;
	tail->cursors = cursor;
}

void tail_close(struct tail *tail, struct tail_cursor *cursor)
{
	struct tail_cursor **at = &tail->cursors;

	while (*at && *at != cursor)
		at = &(*at)->next;
	if (*at)
		*at = cursor->next;
}

void tail_step(const struct tail *tail, struct tail_cursor *cursor)
{
	const struct tail_entry *entry = entry_at(tail, cursor->at);

	cursor->at = entry->later;
	cursor->number = entry->number + 1;
}

const struct tail_entry *tail_peek(const struct tail *tail, struct tail_cursor *cursor)
{
	while (cursor->at && !is_wanted(cursor, entry_at(tail, cursor->at)->slot))
		tail_step(tail, cursor);
	return cursor->at ? entry_at(tail, cursor->at) : NULL;
}

size_t tail_text(const struct tail *tail, const struct tail_entry *entry, size_t offset,
		 char *buffer, size_t size)
{
	uint32_t place = (uint32_t)((const char *)entry - tail->pool);
	uint32_t block = block_of(place), from = place + (uint32_t)HEAD;
	size_t left = tail_size(entry), done = 0;

	while (left && done < size) {
		size_t part = block + TAIL_BLOCK - from;

		if (part > left)
			part = left;
		left -= part;
		if (offset >= part) {
			offset -= part;
		} else {
			size_t take = part - offset < size - done ? part - offset : size - done;

			memcpy(buffer + done, tail->pool + from + offset, take);
			done += take;
			offset = 0;
		}
		block = *next_of(tail, block);
		from = block + BLOCK_HEAD;
	}
	return done;
}

/* ---- lines go ---- */

static void unlink_entry(struct tail *tail, uint32_t place, bool told)
{
	const struct tail_entry *entry = entry_at(tail, place);

	if (entry->earlier)
		entry_at(tail, entry->earlier)->later = entry->later;
	else
		tail->first = entry->later;
	if (entry->later)
		entry_at(tail, entry->later)->earlier = entry->earlier;
	else
		tail->last = entry->earlier;
	for (struct tail_cursor *c = tail->cursors; c; c = c->next) {
		if (told && (int32_t)(entry->number - c->number) >= 0 && is_wanted(c, entry->slot))
			c->lost++;
		if (c->at == place)
			tail_step(tail, c);
	}
}

/* The place of the share's line behind this one; 0: it is the newest. */
static uint32_t following(const struct tail *tail, const struct tail_share *share, uint32_t place)
{
	uint32_t block = block_of(place), at = place + (uint32_t)HEAD;
	size_t left = rounded(tail_size(entry_at(tail, place)));

	while (left > block + TAIL_BLOCK - at) {
		left -= block + TAIL_BLOCK - at;
		block = *next_of(tail, block);
		at = block + BLOCK_HEAD;
	}
	at += (uint32_t)left;
	if (at == share->end && block == share->last)
		return 0;
	return block + TAIL_BLOCK - at < HEAD ? *next_of(tail, block) + BLOCK_HEAD : at;
}

static void leave_ring(struct tail *tail, struct tail_share *share)
{
	share->previous->next = share->next;
	share->next->previous = share->previous;
	if (tail->shares == share)
		tail->shares = share->next == share ? NULL : share->next;
	*share = (struct tail_share){0};
}

static void free_first(struct tail *tail, struct tail_share *share)
{
	uint32_t block = share->first;

	share->first = *next_of(tail, block);
	*next_of(tail, block) = tail->unused;
	tail->unused = block;
	share->blocks--;
}

/* The lines that begin in the block of the oldest go, and the blocks that this empties; all of
 * them where no line is left, unless `keep`. */
static void drop_oldest(struct tail *tail, struct tail_share *share, bool keep, bool told)
{
	uint32_t block = block_of(share->oldest);

	do {
		uint32_t place = share->oldest;

		share->oldest = following(tail, share, place);
		unlink_entry(tail, place, told);
	} while (share->oldest && block_of(share->oldest) == block);
	while (share->first != (share->oldest ? block_of(share->oldest) : share->last))
		free_first(tail, share);
	if (share->oldest)
		return;
	share->end = share->last + BLOCK_HEAD;
	if (keep)
		return;
	while (share->first)
		free_first(tail, share);
	leave_ring(tail, share);
}

void tail_forget(struct tail *tail, struct tail_share *share)
{
	while (share->oldest)
		drop_oldest(tail, share, false, false);
}

/* ---- who gives up a block ---- */

static bool can_give(const struct tail_share *share)
{
	return share->oldest && share->blocks > 1;
}

/* The writer itself when nobody has more, else the one with the most. In the long run this is one
 * look: a stream that talks all the time has the most, or as much as the others like it. */
static struct tail_share *choose_victim(struct tail *tail, struct tail_share *writer)
{
	struct tail_share *best = NULL, *share = tail->shares;

	if (can_give(writer) && writer->blocks + 1 >= tail->most)
		return writer;
	do {
		if (share != writer && (!best || share->blocks > best->blocks))
			best = share;
		share = share->next;
	} while (share != tail->shares && !(best && best->blocks >= tail->most));
	if (best && best->blocks < tail->most)
		tail->most = best->blocks > writer->blocks ? best->blocks : writer->blocks;
	if (!best || (can_give(writer) && best->blocks <= writer->blocks))
		return writer;
	tail->shares = best->next; /* the next search begins behind it */
	return best;
}

static uint32_t take_block(struct tail *tail, struct tail_share *writer)
{
	uint32_t block;

	if (!tail->fresh)
		tail->fresh = TAIL_BLOCK;
	if (!tail->unused && tail->fresh < TAIL_SIZE) {
		block = tail->fresh;
		tail->fresh += (uint32_t)TAIL_BLOCK;
		return block;
	}
	while (!tail->unused) {
		struct tail_share *victim = choose_victim(tail, writer);

		drop_oldest(tail, victim, victim == writer, true);
	}
	block = tail->unused;
	tail->unused = *next_of(tail, block);
	return block;
}

/* ---- lines come ---- */

static void add_block(struct tail *tail, struct tail_share *share)
{
	uint32_t block = take_block(tail, share);

	*next_of(tail, block) = 0;
	if (share->first) {
		*next_of(tail, share->tip) = block;
	} else {
		share->first = share->last = block;
		share->end = block + BLOCK_HEAD;
		share->next = share->previous = share;
		if (tail->shares) {
			share->next = tail->shares;
			share->previous = tail->shares->previous;
			share->previous->next = share->next->previous = share;
		}
		tail->shares = share;
	}
	share->tip = block;
	if (++share->blocks > tail->most)
		tail->most = share->blocks;
}

/* Room for a line in the block in use and those behind it; a head is never split. */
static size_t room_of(const struct tail *tail, const struct tail_share *share)
{
	size_t room = share->first ? share->last + TAIL_BLOCK - share->end : 0;

	if (room < HEAD)
		room = 0;
	for (uint32_t block = share->last; block != share->tip; block = *next_of(tail, block))
		room += BLOCK_ROOM;
	return room;
}

static void next_block(const struct tail *tail, struct tail_share *share)
{
	share->last = *next_of(tail, share->last);
	share->end = share->last + BLOCK_HEAD;
}

static void put_text(struct tail *tail, struct tail_share *share, const char *text, size_t size)
{
	while (size) {
		size_t part = share->last + TAIL_BLOCK - share->end;

		if (part > size)
			part = size;
		memcpy(tail->pool + share->end, text, part);
		share->end += (uint32_t)rounded(part);
		text += part;
		size -= part;
		if (size)
			next_block(tail, share);
	}
}

void tail_add(struct tail *tail, struct tail_share *share, uint64_t time_realtime, uint16_t slot,
	      unsigned stream, const char *text, size_t size)
{
	struct tail_entry *entry;
	uint32_t place;

	while (room_of(tail, share) < HEAD + rounded(size))
		add_block(tail, share);
	if (share->last + TAIL_BLOCK - share->end < HEAD)
		next_block(tail, share);
	place = share->end;
	entry = entry_at(tail, place);
	*entry = (struct tail_entry){
		.time_realtime = time_realtime,
		.earlier = tail->last,
		.number = tail->number++,
		.slot = slot,
		.size_stream = (uint16_t)(size | (stream == 2 ? TAIL_STDERR : 0)),
	};
	share->end += (uint32_t)HEAD;
	put_text(tail, share, text, size);
	if (!share->oldest)
		share->oldest = place;
	if (tail->last)
		entry_at(tail, tail->last)->later = place;
	else
		tail->first = place;
	tail->last = place;
	for (struct tail_cursor *c = tail->cursors; c; c = c->next)
		if (!c->at)
			c->at = place;
}
