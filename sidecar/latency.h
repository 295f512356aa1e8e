/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LATENCY_H
#define SIDECAR_LATENCY_H

#include <stdint.h>

#include "clock.h"

/* How long things of one kind took, in few buckets: all histograms have the same. */
#define LATENCY_BOUNDS 7
static const double latency_bounds[LATENCY_BOUNDS] = {0.001, 0.005, 0.025, 0.1, 0.5, 1, 5}; /* s */

struct latency {
	uint64_t sum;                    /* ns */
	uint64_t in[LATENCY_BOUNDS + 1]; /* the last has no bound */
};

static inline void latency_add(struct latency *latency, uint64_t ns)
{
	double seconds = (double)ns / (double)NSEC_PER_SEC;
	unsigned bucket = 0;

	while (bucket < LATENCY_BOUNDS && seconds > latency_bounds[bucket])
		bucket++;
	latency->in[bucket]++;
	latency->sum += ns;
}

#endif
