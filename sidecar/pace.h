/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PACE_H
#define SIDECAR_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "cgroup.h"
#include "clock.h"

/*
 * How much longer than configured the periods of probes are: where the container is throttled, or
 * processors are hard to get, or this program itself takes more than its share, checks that nobody
 * is waiting for come up to PACE_MOST times as far apart. It comes and goes smoothly.
 *
 * Looked at when a probe asks, at most each PACE_LOOK: no timer, no wake-up.
 */
#define PACE_MOST   4.0
#define PACE_LOOK   (2 * NSEC_PER_SEC)
#define PACE_SETTLE (10 * NSEC_PER_SEC) /* about the time in which it goes half of its way */

/* Of a limited container's periods, the share that was throttled: from where on to where to. */
#define PACE_THROTTLED_FROM 0.05
#define PACE_THROTTLED_TO   0.5
/* Likewise of the time in which somebody waited for a processor. */
#define PACE_WAITED_FROM 0.25
#define PACE_WAITED_TO   0.9
/* Processor time that this program may take for probes, of one core, and what one check may have
 * cost at the most: what was used beyond that was used for something else. */
#define PACE_BUDGET      0.02
#define PACE_CHECK_COSTS (2 * NSEC_PER_MSEC)

enum pace_cause { PACE_FREE, PACE_THROTTLED, PACE_WAITED, PACE_OVER_BUDGET, PACE_CAUSES };
const char *pace_cause_name(unsigned cause);

struct pace_look {
	uint64_t at; /* CLOCK_MONOTONIC */
	struct cgroup_load load;
	uint64_t own_cpu; /* ns of this process */
	uint64_t checks;  /* counted up */
};

struct pace_verdict {
	double stretch; /* 1 to PACE_MOST */
	uint8_t cause;  /* enum pace_cause: what asks for most; PACE_FREE: nothing does */
};

/* The next one, from what was seen since the last look. */
struct pace_verdict pace_decide(struct pace_verdict last, const struct pace_look *before,
				const struct pace_look *now);

struct pace;

struct pace *pace_create(struct cgroup *cgroup); /* borrowed */
void pace_destroy(struct pace *pace);

void pace_count_check(struct pace *pace);
struct pace_verdict pace_ask(struct pace *pace, uint64_t now);
/* As of the last look. */
struct pace_verdict pace_last(const struct pace *pace);

#endif
