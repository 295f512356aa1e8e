/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_FACTS_H
#define SIDECAR_FACTS_H

#include <stdbool.h>
#include <stdint.h>

/* What the sidecar knows of services beside the status page: its own probes, and /proc. */
struct probe;
struct prober;
struct sidecar;
struct view;

/*
 * Per record of the view the probe of this sidecar that says most about it (readiness, of several
 * one that fails, else
 * start-up, else liveness), or NULL. An array of header.record_count, freed by the caller.
 */
const struct probe **facts_probes(const struct prober *prober, const struct view *view);

/* Time on the processor and resident memory of a process. False: it cannot be seen. */
struct usage {
	uint64_t cpu;    /* ns */
	uint64_t memory; /* bytes */
	uint64_t begin;  /* ns after boot of the machine */
};
bool facts_usage(const char *proc_root, int pid, struct usage *usage);

/* Whether process numbers on the page are numbers in this program's /proc. */
bool facts_same_processes(const struct sidecar *sidecar);

#endif
