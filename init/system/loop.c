/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"

#define BATCH          64
#define FAULT_PAUSE_MS 10

/* The generation travels in the 16 bits of a pointer that user space does not use. */
#define POINTER_BITS 48
#define POINTER_MASK ((UINT64_C(1) << POINTER_BITS) - 1)

int loop_open(struct loop *loop)
{
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		return -errno;
	loop->now = clock_monotonic();
	return 0;
}

bool loop_reserve_timers(struct loop *loop, uint32_t capacity)
{
	struct loop_timer **heap;

	if (capacity <= loop->capacity)
		return true;
	heap = realloc(loop->heap, capacity * sizeof(struct loop_timer *));
	if (!heap)
		return false;
	loop->heap = heap;
	loop->capacity = capacity;
	return true;
}

static int control(struct loop *loop, int operation, struct loop_source *source, uint32_t events)
{
	struct epoll_event event = {.events = events};

	event.data.u64 = (uint64_t)(uintptr_t)source | (uint64_t)source->generation << POINTER_BITS;
	return epoll_ctl(loop->epoll, operation, source->fd, &event) < 0 ? -errno : 0;
}

int loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
	int rc;

	source->fd = fd;
	source->generation++;
	rc = control(loop, EPOLL_CTL_ADD, source, events);
	if (rc == -EEXIST) /* it could not be taken out */
		rc = control(loop, EPOLL_CTL_MOD, source, events);
	if (rc < 0)
		source->fd = -1;
	return rc;
}

int loop_add_pipe(struct loop *loop, struct loop_source *source)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	if (fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 &&
	    loop_add(loop, source, ends[0], EPOLLIN) == 0)
		return ends[1];
	close(ends[0]);
	close(ends[1]);
	errno = EAGAIN;
	return -1;
}

int loop_modify(struct loop *loop, struct loop_source *source, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, source, events);
}

void loop_remove(struct loop *loop, struct loop_source *source)
{
	if (source->fd < 0)
		return;
	control(loop, EPOLL_CTL_DEL, source, 0);
	source->fd = -1;
	source->generation++;
}

void loop_close(struct loop *loop, struct loop_source *source)
{
	int fd = source->fd;

	if (fd < 0)
		return;
	loop_remove(loop, source);
	close(fd);
}

/* ---- timers: a binary heap of pointers, each timer knows its place ---- */

static void heap_put(struct loop *loop, uint32_t place, struct loop_timer *timer)
{
	loop->heap[place] = timer;
	timer->slot = place + 1;
}

static void heap_up(struct loop *loop, uint32_t place, struct loop_timer *timer)
{
	while (place > 0) {
		uint32_t parent = (place - 1) / 2;

		if (loop->heap[parent]->when <= timer->when)
			break;
		heap_put(loop, place, loop->heap[parent]);
		place = parent;
	}
	heap_put(loop, place, timer);
}

static void heap_down(struct loop *loop, uint32_t place, struct loop_timer *timer)
{
	for (;;) {
		uint32_t child = 2 * place + 1;

		if (child >= loop->armed)
			break;
		if (child + 1 < loop->armed &&
		    loop->heap[child + 1]->when < loop->heap[child]->when)
			child++;
		if (timer->when <= loop->heap[child]->when)
			break;
		heap_put(loop, place, loop->heap[child]);
		place = child;
	}
	heap_put(loop, place, timer);
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
	uint32_t place = timer->slot - 1;
	struct loop_timer *last;

	if (!timer->slot)
		return;
	timer->slot = 0;
	last = loop->heap[--loop->armed];
	if (last == timer)
		return;
	if (place > 0 && last->when < loop->heap[(place - 1) / 2]->when)
		heap_up(loop, place, last);
	else
		heap_down(loop, place, last);
}

void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t when)
{
	loop_disarm(loop, timer);
	/* every timer has its place reserved at load; a full heap would be a bug, not a reason
	 * to write behind it */
	if (when == NEVER || loop->armed >= loop->capacity)
		return;
	timer->when = when;
	heap_up(loop, loop->armed++, timer);
}

/* Milliseconds until the nearest deadline, rounded up so that nothing wakes early; -1: none. */
static int next_timeout(const struct loop *loop)
{
	uint64_t now, left;

	if (!loop->armed)
		return -1;
	now = clock_monotonic();
	if (loop->heap[0]->when <= now)
		return 0;
	left = (loop->heap[0]->when - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return left > INT_MAX ? INT_MAX : (int)left;
}

static void expire(struct loop *loop)
{
	/* a handler may arm a timer that is due at once; it waits for the next turn, so that no
	 * chain of timers keeps descriptors from being served */
	uint32_t budget = loop->armed;

	while (budget-- > 0 && loop->armed && loop->heap[0]->when <= loop->now) {
		struct loop_timer *timer = loop->heap[0];

		loop_disarm(loop, timer);
		timer->expired(loop, timer);
	}
}

/* Whether there was any of this class. */
static bool dispatch(struct loop *loop, const struct epoll_event *events, int count, unsigned class)
{
	bool any = false;

	for (int i = 0; i < count; i++) {
		uint64_t data = events[i].data.u64;
		struct loop_source *source = (struct loop_source *)(uintptr_t)(data & POINTER_MASK);

		/* closed, or closed and used again, by a handler of this very turn: stale */
		if (source->class != class || source->fd < 0 ||
		    source->generation != (uint16_t)(data >> POINTER_BITS))
			continue;
		source->ready(loop, source, events[i].events);
		any = true;
	}
	return any;
}

void loop_turn(struct loop *loop)
{
	struct epoll_event events[BATCH];
	int count;
	bool any;

	if (loop->failed)
		poll(NULL, 0, FAULT_PAUSE_MS); /* whatever it is, it must not become a spin */
	count = epoll_wait(loop->epoll, events, BATCH, next_timeout(loop));
	loop->failed = count < 0;
	loop->now = clock_monotonic();
	any = dispatch(loop, events, count, CLASS_FACT);
	any |= dispatch(loop, events, count, CLASS_CHILD);
	expire(loop);
	any |= dispatch(loop, events, count, CLASS_WISH);
	loop->failed |= count > 0 && !any; /* what could not be taken out of epoll */
}
