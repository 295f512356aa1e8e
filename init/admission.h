/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ADMISSION_H
#define MUSTER_ADMISSION_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

/*
 * start_parallel = auto: how many services start at the same time. One that sleeps or waits while
 * it starts takes nothing from the others, so it is not held back. Those that compute do: when as
 * many of them are at work as there are processors, a further one would only make all of them late,
 * and with them what waits for the one with the longest way to go. Which is which is seen by
 * looking: each start is taken on trust for ADMISSION_TICK_MS, then its main process's processor
 * time tells.
 *
 * There is a timer only while somebody waits to be admitted.
 */
#define ADMISSION_TICK_MS 4

struct supervisor;

struct admission {
	struct loop_timer timer;
	uint64_t looked;    /* when, on CLOCK_MONOTONIC */
	uint32_t cores;     /* processors that this container may use, at least 1 */
	uint32_t computing; /* starting services that were seen to compute at the last look */
	uint32_t trusted;   /* started since then */
};

/*
 * Whether one more may start now; if so, it is counted. If not, schedule_run is called again when
 * that may have changed.
 */
bool admission_takes(struct supervisor *sup);

#endif
