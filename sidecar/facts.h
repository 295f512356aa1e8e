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
 * one that fails, else start-up, else liveness), or NULL. An array of header.record_count, freed by
 * the caller.
 */
const struct probe **facts_probes(const struct prober *prober, const struct view *view);

/* Resident memory of this program in bytes; COUNTER_UNKNOWN. */
uint64_t facts_own_memory(void);

/* Whether process numbers on the page are numbers in this program's /proc. */
bool facts_same_processes(const struct sidecar *sidecar);

#endif
