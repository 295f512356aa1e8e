/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CGROUPS_H
#define MUSTER_CGROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * memory_max, cpu_max and pids_max: where the cgroup v2 that init is in is delegated to it, each
 * service with such a limit gets a cgroup below that, `service.NAME`, and init and all others are
 * in one called `init`, since only leaves may hold processes. Elsewhere it is said once for each
 * key that services run without. And who was killed for want of memory: by the kernel's own
 * counters, in v1, too.
 * That all is made so is start/cgroup_root.h. Nothing here allocates.
 */
struct config;
struct service;
struct supervisor;

/* Counters of a cgroup: how often it was at its limit, and how many processes that cost. */
struct cgroup_events {
	uint64_t oom, oom_kill;
};

struct cgroups {
	int root;          /* the directory; -1: not opened, or not ours to use */
	int events;        /* where the kernel counts what it kills in our container; -1 */
	uint64_t killed;   /* the count when it was looked at last, */
	uint64_t moved_at; /* and the time of the loop when it was found to have moved */
	uint8_t asked;     /* limits that services have asked for, by bit */
	uint8_t missing;   /* of those, the ones that cannot be set */
	bool ours;         /* init is in its leaf */
};

/* The limits, in the order of the bits in struct cgroups. */
enum limit { LIMIT_MEMORY, LIMIT_CPU, LIMIT_PIDS, LIMIT_COUNT };
struct cgroup_limit {
	char key[12], file[12], controller[8];
};
extern const struct cgroup_limit cgroup_limits[LIMIT_COUNT];

/* What the service is limited to; 0: not at all. */
uint64_t cgroups_value(const struct service *service, unsigned limit);
/* Before a process of the service is started: a descriptor of the cgroup.procs that it is to join,
 * for the caller to close; -1: none. */
int cgroups_enter(struct supervisor *sup, struct service *service);
/* KILL to all of the service's cgroup. */
void cgroups_kill(struct supervisor *sup, const struct service *service);
/* The service is down: what is still there goes, and its cgroup, too. */
void cgroups_leave(struct supervisor *sup, struct service *service);
/* The same at the end of all, for whoever has a limit. */
void cgroups_remove(struct supervisor *sup, const struct service *service);
/* An adopted process has ended: cgroups of services that are down may be empty now. */
void cgroups_tidy(struct supervisor *sup);
/* Whether it was the kernel that killed the service's main process, for want of memory; then what
 * was short stands in `text`. */
bool cgroups_killed(struct supervisor *sup, const struct service *service, char *text, size_t size);

#endif
