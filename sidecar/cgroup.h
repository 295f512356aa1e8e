/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_CGROUP_H
#define SIDECAR_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"
#include "pressure.h"

/*
 * What our own container uses, may use, and waits for, by the kernel's own counters: of the cgroup
 * that we are in, of version 1 or 2 or, of a machine with both, each controller where it is.
 */
struct cgroup;

enum cgroup_event {
	CGROUP_EVENT_LOW,
	CGROUP_EVENT_HIGH,
	CGROUP_EVENT_MAX, /* of v1: the limit was hit */
	CGROUP_EVENT_OOM,
	CGROUP_EVENT_OOM_KILL,
	CGROUP_EVENT_OOM_GROUP_KILL,
	CGROUP_EVENTS
};
const char *cgroup_event_name(unsigned event);

/* Times in ns, sizes in bytes. COUNTER_UNKNOWN: not known; a limit: COUNTER_UNLIMITED. */
struct cgroup_facts {
	unsigned version; /* 2: nothing of it comes from v1; 0: there is no cgroup that is ours */
	uint64_t cpu, cpu_user, cpu_system;
	uint64_t periods, throttled_periods, throttled; /* of the limit of processor time */
	double cpu_limit;                               /* cores; INFINITY: none; NAN: not known */
	uint64_t memory, memory_peak;
	uint64_t working_set;  /* without what is only a cache of files not used for a while */
	uint64_t memory_limit; /* the smallest, from our cgroup up */
	uint64_t events[CGROUP_EVENTS];
	uint64_t pids, pids_limit;
	uint64_t io_read, io_written;
	struct pressure pressure[PRESSURE_COUNT];
	bool pressure_own; /* of our cgroup; else of the whole machine */
};

/* As of cgroup_places_find. Strings are borrowed. */
struct cgroup *cgroup_create(const char *proc_root, const char *cgroup_root, bool below_init);
void cgroup_destroy(struct cgroup *cgroup);

/* Read from the kernel at most once a second, and only when asked. Valid until the next call. */
const struct cgroup_facts *cgroup_refresh(struct cgroup *cgroup, uint64_t now);

/* Where the pressure of our own cgroup is; NULL: it has none. Valid until the next call. */
const char *cgroup_pressure_dir(const struct cgroup *cgroup);

/* How hard processor time is to get: two files, read anew with each call. */
struct cgroup_load {
	uint64_t periods, throttled_periods; /* COUNTER_UNKNOWN: there is no limit */
	uint64_t waited;                     /* ns in which somebody waited; COUNTER_UNKNOWN */
};
void cgroup_read_load(struct cgroup *cgroup, struct cgroup_load *load);

#endif
