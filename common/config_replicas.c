/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <string.h>

#include "str.h"
#include "table.h"

/*
 * A service with `replicas` is as many services, NAME.0, NAME.1 ..., each with a section of its own
 * that says the same; only ${MUSTER_REPLICA} in it is different.
 */

uint32_t replicas_asked(struct load *load, const struct section *section)
{
	struct entry *entry = section_get(section, "replicas");
	char q[QUOTE_SIZE];
	const char *text;
	uint64_t number;

	if (!entry || !value_scalar(load, entry, &text))
		return 0;
	if (parse_uint(text, REPLICAS_MAX, &number) && number > 0)
		return (uint32_t)number;
	report_entry(load, entry, "%s: expected " FORM_REPLICAS, quote(q, text));
	return 0;
}

/* What becomes of an entry differs from one to the next, so each has its own. */
static void copy_entries(struct load *load, struct section *to, const struct section *from)
{
	for (const struct entry *entry = from->entries; entry; entry = entry->next) {
		struct entry *copy = load_alloc(load, 1, sizeof(*copy));

		*copy = *entry;
		copy->section = to;
		copy->next = NULL;
		*to->tail = copy;
		to->tail = &copy->next;
	}
}

struct section *replicas_make(struct load *load, const struct section *section, uint32_t number)
{
	struct section *replica = load_alloc(load, 1, sizeof(*replica));
	const char *problem;
	char q[QUOTE_SIZE];

	*replica = *section;
	replica->entries = NULL;
	replica->tail = &replica->entries;
	replica->replica_of = section->name;
	replica->replica = load_format(load, "%u", number);
	replica->name = load_format(load, "%s.%u", section->name, number);
	copy_entries(load, replica, section);
	problem = name_problem(replica->name);
	if (!problem && section_find(load, load_format(load, "service:%s", replica->name)))
		problem = "is a service of its own";
	if (!problem)
		return replica;
	report_entry(load, section_get(section, "replicas"), "the name of one of them, %s, %s",
		     quote(q, replica->name), problem);
	return NULL;
}
