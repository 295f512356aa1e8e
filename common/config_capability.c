/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "capability.h"
#include "config_load.h"

static void report_no_capability(struct load *load, const struct entry *entry, uint32_t line,
				 const char *name)
{
	const char *near = capability_nearest(name);
	char q[QUOTE_SIZE];

	report_line(load, entry, line,
		    "%s: expected a capability such as NET_BIND_SERVICE, or ALL%s%s%s",
		    quote(q, name), near ? "; did you mean \"" : "", near ? near : "",
		    near ? "\"?" : "");
}

static uint64_t read_set(struct load *load, const struct entry *entry)
{
	struct items items = value_items(load, entry);
	uint64_t set = 0, one;

	for (size_t i = 0; i < items.count; i++) {
		if (capability_parse(items.list[i].text, &one))
			set |= one;
		else
			report_no_capability(load, entry, items.list[i].line, items.list[i].text);
	}
	return set;
}

/* Nobody can give what he does not have: better said now than at every start. */
static void check_own(struct load *load, const struct entry *entry, uint64_t asked)
{
	char why[CAPABILITY_WHY_SIZE];

	if (!load->source->lenient_users && !capability_check(asked, why, sizeof(why)))
		report_entry(load, entry, "%s", why);
}

void load_capabilities(struct load *load, const struct service_draft *draft,
		       struct identity_config *identity)
{
	identity->cap_add = read_set(load, draft->cap_add);
	identity->cap_drop = read_set(load, draft->cap_drop);
	identity->change_caps = identity->cap_add || identity->cap_drop;
	if (identity->cap_add == CAPABILITY_ALL && identity->cap_drop == CAPABILITY_ALL)
		report_entry(load, draft->cap_drop, "ALL is in cap_add, too");
	else if (identity->cap_add)
		check_own(load, draft->cap_add, identity->cap_add);
}
