/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LOOP_H
#define MUSTER_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The event loop: descriptors (epoll) and deadlines (a heap), nothing else; signals are one more
 * descriptor. Knows no services. Sources and timers are embedded in what they belong to and are
 * never allocated here; only loop_reserve_timers allocates, at load.
 *
 * Within one wake-up facts come before wishes: what services and the sidecar say (CLASS_FACT), then
 * ended children (CLASS_CHILD), then expired timers, then commands (CLASS_WISH). A service that
 * says ready and ends is seen as both.
 */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

enum loop_class { CLASS_FACT, CLASS_CHILD, CLASS_WISH, CLASS_COUNT };

struct loop;

struct loop_source {
	void (*ready)(struct loop *loop, struct loop_source *source, uint32_t events);
	int fd; /* -1: not in the loop */
	uint16_t generation;
	uint8_t class;
};

struct loop_timer {
	void (*expired)(struct loop *loop, struct loop_timer *timer);
	uint64_t when;
	uint32_t slot; /* 1 + place in the heap; 0: not armed */
};

struct loop {
	struct loop_timer **heap;
	uint64_t now; /* CLOCK_MONOTONIC, read once per wake-up */
	uint32_t armed;
	uint32_t capacity;
	int epoll;
	bool failed; /* set by handlers that could not take what is there: the next turn waits a
		      * little, so that what keeps failing does not become a spin */
};

/* 0 or -errno. */
int loop_open(struct loop *loop);
/* Room for so many armed timers. False: no memory, the old room stays. */
bool loop_reserve_timers(struct loop *loop, uint32_t capacity);

/* Adds fd with these epoll events; source->ready and ->class are set by the caller. 0 or -errno. */
int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events);
/* Adds the reading end of a new pipe, which does not block. Returns the other end, which does, as
 * programs expect of their output; -1 with errno. */
int loop_add_pipe(struct loop *loop, struct loop_source *source);
int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events);
/* Takes it out of epoll first and then closes it: a child between vfork and exec still holds a
 * copy, so close alone would leave it reporting. Safe when fd is -1. */
void loop_close(struct loop *loop, struct loop_source *source);
/* As loop_close but leaves the descriptor open. */
void loop_remove(struct loop *loop, struct loop_source *source);

/* Arms, or moves, a timer; `when` NEVER disarms. */
void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t when);
void loop_disarm(struct loop *loop, struct loop_timer *timer);

/* Waits for the nearest deadline or event and runs handlers. */
void loop_turn(struct loop *loop);

#endif
