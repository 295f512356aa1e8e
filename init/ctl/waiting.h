/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WAITING_H
#define MUSTER_WAITING_H

#include <stdbool.h>
#include <stdint.h>

#include "condition.h"
#include "view.h"

/* Waiting for conditions with progress on a terminal; shared by all verbs that wait. */
struct ctl;

/*
 * Waits until all conditions hold; with none, until the phase is ready. What can no longer happen
 * and what timed out is said on stderr. Returns an enum ctl_exit.
 */
int waiting_run(const struct ctl *ctl, struct follow *follow, const struct condition *conditions,
		uint32_t count, uint64_t deadline);
/* Waits until init has ended. */
int waiting_for_end(const struct ctl *ctl, struct follow *follow, uint64_t deadline);

/* The instant after which a verb gives up; NEVER when `timeout_ms` is 0. */
uint64_t waiting_deadline(uint32_t timeout_ms);

#endif
