/* SPDX-License-Identifier: MIT */
#include "watch.h"

#include <stdio.h>
#include <stdlib.h>

void watch_add(struct watch **list, struct watch *watch, const struct probe_spec *spec,
	       probe_report *report, void *data)
{
	watch->probe.spec = *spec;
	watch->report = report;
	watch->data = data;
	watch->told = -1;
	watch->next = *list;
	*list = watch;
}

bool watch_drop(struct watch **list, uint16_t slot, uint32_t serial)
{
	for (struct watch **at = list; *at; at = &(*at)->next) {
		struct watch *watch = *at;

		if (watch->probe.spec.slot != slot ||
		    (serial && watch->probe.spec.serial != serial))
			continue;
		*at = watch->next;
		free(watch);
		return true;
	}
	return false;
}

void watch_drop_all(struct watch **list)
{
	while (*list)
		watch_drop(list, (*list)->probe.spec.slot, 0);
}

void watch_tell(struct watch *watch, bool ok, const char *reason, uint64_t now)
{
	struct probe *probe = &watch->probe;

	probe->last = (struct outcome){.ok = ok};
	if (!ok)
		snprintf(probe->last.reason, sizeof(probe->last.reason), "%s", reason);
	probe->last_time = now;
	probe->streak = ok;
	watch->told = watch->report(watch->data, probe) ? ok : -1;
}
