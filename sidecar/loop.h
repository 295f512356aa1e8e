/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LOOP_H
#define SIDECAR_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The sidecar's one loop: descriptors and timers, each with a function and a pointer. It knows no
 * probes and no HTTP. Times are nanoseconds of CLOCK_MONOTONIC. Between events it sleeps until the
 * nearest deadline, or for ever when there is none.
 */
struct loop;

typedef void loop_ready(void *data, int fd, uint32_t events);
typedef void loop_expired(void *data, uint64_t now);
/* Returns when it wants to be called again at the latest: NEVER, or a time (past: at once). */
typedef uint64_t loop_hook(void *data, uint64_t now);

/* Owned by the user of the timer; `call` and `data` are set once, the rest is the loop's. */
struct loop_timer {
	loop_expired *call;
	void *data;
	uint64_t at;
	size_t place; /* 1 + index in the heap; 0: not armed */
};

struct loop *loop_create(void); /* NULL with errno */
void loop_destroy(struct loop *loop);

/* The time at which the loop last woke up: one reading of the clock per wake-up. */
uint64_t loop_now(const struct loop *loop);

/* When it was made, or last went on after it had stood still, stopped or without a processor, for
 * more than a second beyond what was due: what is known from before may be old. */
uint64_t loop_resumed(const struct loop *loop);

/* Calls `call` when `fd` has one of `events` (EPOLLIN ...). Again: changes what was asked. 0 or
 * -errno. */
int loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready *call, void *data);
/* To be called before the descriptor is closed. One that is not watched is no error. */
void loop_forget(struct loop *loop, int fd);

/* Arms or moves a timer. It fires once. */
void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t at);
void loop_disarm(struct loop *loop, struct loop_timer *timer);
static inline bool loop_armed(const struct loop_timer *timer)
{
	return timer->place != 0;
}

/* Called each time before the loop sleeps, in the order given; at most LOOP_HOOKS of them. */
#define LOOP_HOOKS 4
void loop_before_sleep(struct loop *loop, loop_hook *hook, void *data);

/* Runs until loop_stop; returns the code given there. */
int loop_run(struct loop *loop);
void loop_stop(struct loop *loop, int code);

#endif
