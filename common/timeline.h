/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TIMELINE_H
#define MUSTER_TIMELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "status.h"

/*
 * The start-up as it was, computed from a status page: when each service waited, started and was
 * ready, and which chain of services decided how long the whole took (the critical path). Used by
 * musterctl and by the sidecar, hence here.
 */
struct timeline_entry {
	char name[STATUS_NAME_MAX];
	uint8_t state, type;
	uint64_t wait_begin, start_begin, ready_at; /* ns after boot; 0: not (yet) */
	uint64_t failed_at; /* ns after boot at which it failed for good; 0: it has not */
	int32_t last_dep;   /* entry index of the dependency that was met last; -1: none */
	bool critical;      /* lies on the critical path */
	uint16_t service;   /* index in the page */
};

/* What is worth looking at: a service of the critical path, those with the longest own time first.
 */
#define TIMELINE_ADVICE 3
struct timeline_advice {
	uint32_t entry;
	uint64_t own;  /* ns from start to ready */
	uint64_t gain; /* ns by which the critical path is shorter with half of that */
};

struct timeline {
	struct timeline_entry *entries; /* in the order in which they began to start; malloc'ed */
	uint32_t count;
	uint64_t total; /* ns after boot at which the last service was ready */
	/* own start times along the critical path, the chain of dependencies where they are
	 * longest: what the start-up takes at least, whatever the number of parallel starts */
	uint64_t critical;
	struct timeline_advice advice[TIMELINE_ADVICE];
	uint32_t advice_count;
	uint64_t sequential; /* ns the same starts would have taken one after another */
};

/*
 * 0 or -errno. Services that took part in the start-up: internal ones and those first wanted after
 * it was over are left out. Entries that never began to start come last.
 */
int timeline_build(struct timeline *timeline, const struct status_page *page);
void timeline_free(struct timeline *timeline);

/* Where the bar of an entry ends: ready, failed, or `until` for what is still under way. */
static inline uint64_t timeline_entry_end(const struct timeline_entry *entry, uint64_t until)
{
	if (entry->ready_at)
		return entry->ready_at;
	return entry->failed_at ? entry->failed_at : until;
}

#endif
