/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_WATCH_H
#define SIDECAR_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"

/*
 * Who waits for something that is looked at anyway, an address or a service of another host: a
 * probe that is reported as a prober would. It is the beginning of what is allocated for it.
 */
struct watch {
	struct probe probe; /* what reports are given: spec, last, streak */
	probe_report *report;
	void *data;
	int told; /* 1: good, 0: not, with the reason in `probe`; -1: nothing */
	struct watch *next;
};

/* Puts it, zeroed but for its own fields, in front of the list. */
void watch_add(struct watch **list, struct watch *watch, const struct probe_spec *spec,
	       probe_report *report, void *data);
/* Frees the one in this slot. serial 0: whatever it has. False: there is none. */
bool watch_drop(struct watch **list, uint16_t slot, uint32_t serial);
void watch_drop_all(struct watch **list);
/* Reports it; what cannot be passed on counts as not told. */
void watch_tell(struct watch *watch, bool ok, const char *reason, uint64_t now);

#endif
