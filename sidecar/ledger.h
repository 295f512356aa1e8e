/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LEDGER_H
#define SIDECAR_LEDGER_H

#include <stdint.h>

#include "status.h"

/*
 * Counters of services that go on where those of the status page begin again: a reload that changes
 * a service makes another record of it. What happens between two looks at the page is not seen, so
 * that a total may be too low then, but it never goes backwards.
 */
struct view;

struct ledger_entry {
	char name[STATUS_NAME_MAX];
	uint32_t starts, restarts;               /* on the page at the last look */
	uint64_t starts_before, restarts_before; /* of earlier records */
};

/* All of it zero at first. */
struct ledger {
	struct ledger_entry *entries; /* entry I is that of record I */
	uint32_t count;
};

/* Looks at the page. Who is no longer on it is forgotten. */
void ledger_update(struct ledger *ledger, const struct view *view);
void ledger_free(struct ledger *ledger);

#endif
