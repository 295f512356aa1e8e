/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CLOCK_H
#define MUSTER_CLOCK_H

#include <stdint.h>
#include <time.h>

/*
 * Intervals are measured on CLOCK_MONOTONIC only; CLOCK_REALTIME appears in what people read.
 * Times are nanoseconds in uint64_t. NEVER is a deadline that does not come.
 */
#define NSEC_PER_SEC  UINT64_C(1000000000)
#define NSEC_PER_MSEC UINT64_C(1000000)
#define NEVER         UINT64_MAX

static inline uint64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
}

static inline uint64_t clock_monotonic(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static inline uint64_t clock_realtime(void)
{
	return clock_ns(CLOCK_REALTIME);
}

static inline uint64_t msec(uint64_t ms)
{
	return ms * NSEC_PER_MSEC;
}

#endif
