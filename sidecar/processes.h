/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PROCESSES_H
#define SIDECAR_PROCESSES_H

#include <stdbool.h>
#include <stdint.h>

#include "counters.h"

/*
 * What services use, each with all its processes: its main process, what descends from that, and
 * what was seen to descend from it, or is in its session, though its parent has ended. Processes of
 * others in the same PID namespace do not count. Read in one pass over /proc, at most once a
 * second, and only when somebody asks.
 */
struct processes;
struct view;

/* COUNTER_UNKNOWN: it may not be seen, or the service has no process. */
struct tree {
	/* ns, that of ended children included. Does not go backwards as long as the main process is
	 * the same */
	uint64_t cpu;
	/* Likewise, with what was seen of main processes before this one: never goes backwards */
	uint64_t cpu_ever;
	uint64_t memory; /* bytes, resident; what processes share counts for each */
	uint64_t processes, threads, open_fds;
	uint64_t pss; /* bytes; what processes share counts in parts. Only when asked for */
};

struct processes *processes_create(const char *proc_root); /* borrowed */
void processes_destroy(struct processes *processes);

/*
 * Reads, unless that was done less than a second ago for the same main processes. `pss` asks for
 * what the kernel has to walk all memory for.
 */
void processes_refresh(struct processes *processes, const struct view *view, bool pss);

/* Of the service with this index in the view of the last refresh; of no service nothing is known.
 * Valid until the next. */
#define PROCESSES_NOBODY UINT32_MAX
const struct tree *processes_tree(const struct processes *processes, uint32_t index);

/* The index of the service that this process belonged to at the last refresh, or -1. */
int32_t processes_owner(const struct processes *processes, int32_t pid);

#endif
