/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "snapshot.h"

/* Most often it is where it was. */
static const struct ledger_entry *find(const struct ledger *ledger, const char *name, uint32_t hint)
{
	if (hint < ledger->count && strcmp(ledger->entries[hint].name, name) == 0)
		return &ledger->entries[hint];
	for (uint32_t i = 0; i < ledger->count; i++)
		if (strcmp(ledger->entries[i].name, name) == 0)
			return &ledger->entries[i];
	return NULL;
}

static void enter(struct ledger_entry *entry, const struct status_record *record,
		  const struct ledger_entry *last)
{
	memcpy(entry->name, record->name, sizeof(entry->name));
	if (last) {
		entry->starts_before = last->starts_before;
		entry->restarts_before = last->restarts_before;
		if (record->starts < last->starts)
			entry->starts_before += last->starts;
		if (record->restarts < last->restarts)
			entry->restarts_before += last->restarts;
	}
	entry->starts = record->starts;
	entry->restarts = record->restarts;
}

void ledger_update(struct ledger *ledger, const struct view *view)
{
	uint32_t count = view->header.record_count;
	struct ledger_entry *entries;

	if (!view->present)
		return; /* it may come back */
	entries = mem_alloc(count * sizeof(*entries));
	for (uint32_t i = 0; i < count; i++)
		enter(&entries[i], &view->records[i], find(ledger, view->records[i].name, i));
	ledger_free(ledger);
	ledger->entries = entries;
	ledger->count = count;
}

void ledger_free(struct ledger *ledger)
{
	free(ledger->entries);
	*ledger = (struct ledger){0};
}
