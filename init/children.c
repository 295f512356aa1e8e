/* SPDX-License-Identifier: MIT */
#include "children.h"

#include <stdlib.h>

/* Main process and a few hooks and probes for each service at a load of at most three quarters. */
static uint32_t capacity_for(uint32_t services)
{
	uint32_t capacity = 128;

	while (capacity < 2 * services + 64)
		capacity *= 2;
	return capacity;
}

static uint32_t place_of(const struct children *children, pid_t pid)
{
	return ((uint32_t)pid * UINT32_C(2654435761)) & (children->capacity - 1);
}

bool children_reserve(struct children *children, uint32_t services)
{
	struct children bigger = {.capacity = capacity_for(services)};

	if (bigger.capacity <= children->capacity)
		return true;
	bigger.table = calloc(bigger.capacity, sizeof(bigger.table[0]));
	if (!bigger.table)
		return false;
	for (uint32_t i = 0; i < children->capacity; i++) {
		const struct child_entry *e = &children->table[i];

		if (e->pid)
			children_add(&bigger, e->pid, e->kind, e->slot, e->extra);
	}
	free(children->table);
	*children = bigger;
	return true;
}

bool children_has_room(const struct children *children)
{
	return children->used < children->capacity / 4 * 3;
}

void children_add(struct children *children, pid_t pid, enum child_kind kind, uint16_t slot,
		  uint8_t extra)
{
	uint32_t place = place_of(children, pid);

	while (children->table[place].pid)
		place = (place + 1) & (children->capacity - 1);
	children->table[place] = (struct child_entry){pid, slot, (uint8_t)kind, extra};
	children->used++;
	children->probes += kind == CHILD_PROBE;
}

static struct child_entry *lookup(const struct children *children, pid_t pid)
{
	uint32_t place = place_of(children, pid);

	while (children->table[place].pid) {
		if (children->table[place].pid == pid)
			return &children->table[place];
		place = (place + 1) & (children->capacity - 1);
	}
	return NULL;
}

struct child_entry children_find(const struct children *children, pid_t pid)
{
	const struct child_entry *entry = lookup(children, pid);

	return entry ? *entry : (struct child_entry){.pid = pid};
}

struct child_entry children_take(struct children *children, pid_t pid)
{
	struct child_entry *entry = lookup(children, pid);
	struct child_entry taken = {.pid = pid};
	uint32_t hole, next;

	if (!entry)
		return taken;
	taken = *entry;
	hole = (uint32_t)(entry - children->table);
	next = hole;
	/* close the hole: move back whatever could no longer be found behind it */
	for (;;) {
		uint32_t home;

		next = (next + 1) & (children->capacity - 1);
		if (!children->table[next].pid)
			break;
		home = place_of(children, children->table[next].pid);
		if (((next - home) & (children->capacity - 1)) <
		    ((next - hole) & (children->capacity - 1)))
			continue;
		children->table[hole] = children->table[next];
		hole = next;
	}
	children->table[hole].pid = 0;
	children->used--;
	children->probes -= taken.kind == CHILD_PROBE;
	return taken;
}
