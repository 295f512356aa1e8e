/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CHILDREN_H
#define MUSTER_CHILDREN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Which child belongs to what: a hash table of pids, its size fixed at load. A pid cannot be used
 * again before its process has been waited for, so an entry is valid until children_take.
 */
enum child_kind {
	CHILD_STRANGER,
	CHILD_HOSTS,
	CHILD_LEARNED,
	CHILD_MAIN, /* from here on it is one of a service */
	CHILD_HOOK,
	CHILD_PROBE,
	CHILD_LOGGER
};

struct child_entry {
	pid_t pid;     /* 0: free */
	uint16_t slot; /* of its service, where its kind has one */
	uint8_t kind;  /* enum child_kind */
	uint8_t extra;
};

struct children {
	struct child_entry *table;
	uint32_t capacity; /* a power of two */
	uint32_t used;
	uint32_t probes; /* of kind CHILD_PROBE */
};

/* Room for `services` services; a second call grows and keeps what is in. False: no memory. */
bool children_reserve(struct children *children, uint32_t services);
/* False: the table is full (the caller must not start that process). */
bool children_has_room(const struct children *children);
void children_add(struct children *children, pid_t pid, enum child_kind kind, uint16_t slot,
		  uint8_t extra);
/* Finds; a stranger has kind CHILD_STRANGER. */
struct child_entry children_find(const struct children *children, pid_t pid);
/* Finds and removes. */
struct child_entry children_take(struct children *children, pid_t pid);

#endif
