/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LEARNED_H
#define MUSTER_LEARNED_H

#include <stdint.h>

/*
 * What earlier runs teach about this start-up: how long each service takes (common/durations.h).
 * Read once, before anything starts, as the configuration is; from then on PID 1 touches no disk
 * for it. init/learning.h writes it.
 */
struct config;
struct supervisor;

/* Reads what is there. What cannot be used is said, and nothing is known then. */
void learned_open(struct supervisor *sup, const struct config *config);
/* One weight a service, for graph_remaining: milliseconds, at least 1; for services that nothing is
 * known about the median of the others. */
void learned_weights(const struct supervisor *sup, const struct config *config, uint32_t *weights);

#endif
