/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_STALL_H
#define SIDECAR_STALL_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Processes that stand still for want of memory: the kernel says so by itself (a trigger of PSI),
 * so nothing is polled. It is a warning from the first time on that more than STALL_SHARE of
 * STALL_WINDOW were lost, and until that has not happened for STALL_HOLD.
 */
#define STALL_SHARE_MS  200
#define STALL_WINDOW_MS 2000 /* who has no privilege is given multiples of two seconds only */
#define STALL_HOLD_MS   10000
#define STALL_AVG10     0.01 /* what was lost of the last 10 s is more than this, then */

struct feed;
struct loop;
struct stall;

/*
 * Of our own cgroup (`cgroup_dir`; NULL: it has no such thing) where we may, else of the whole
 * machine. To be called before this program confines itself. Where the kernel refuses there will
 * be no warning; why is logged for who wants to know. Never NULL. `revision` is counted up with
 * each change.
 */
struct stall *stall_create(struct loop *loop, struct feed *feed, uint32_t *revision,
			   const char *proc_root, const char *cgroup_dir);
/* The same for a descriptor that has EPOLLPRI whenever too much was lost, or -1, which is taken
 * over; `hold` in ns. */
struct stall *stall_create_on(struct loop *loop, struct feed *feed, uint32_t *revision, int fd,
			      bool own, uint64_t hold);
void stall_destroy(struct stall *stall);

struct stall_state {
	bool watched; /* there is a trigger */
	bool own;     /* of our cgroup, not of the machine */
	bool warns;
	uint64_t since; /* CLOCK_REALTIME of the last change; 0: there was none */
	uint64_t times; /* that it began */
};
struct stall_state stall_state(const struct stall *stall);

#endif
