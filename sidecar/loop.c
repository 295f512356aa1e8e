/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

#define BATCH       64
#define STOOD_STILL NSEC_PER_SEC /* later than this is more than a busy machine */

/* What is watched, by descriptor number. */
struct slot {
	loop_ready *call; /* NULL: not watched */
	void *data;
	uint32_t round; /* changes whenever the slot is taken or left */
};

struct hook {
	loop_hook *call;
	void *data;
};

struct loop {
	int epoll;
	bool stopped;
	int code;
	uint64_t now, resumed;
	struct slot *slots;
	size_t slot_count;
	struct loop_timer **heap; /* the earliest first */
	size_t heap_count, heap_size;
	struct hook hooks[LOOP_HOOKS];
	size_t hook_count;
};

struct loop *loop_create(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct loop *loop;

	if (epoll < 0)
		return NULL;
	loop = mem_alloc(sizeof(*loop));
	loop->epoll = epoll;
	loop->now = loop->resumed = clock_monotonic();
	return loop;
}

void loop_destroy(struct loop *loop)
{
	close(loop->epoll);
	free(loop->slots);
	free(loop->heap);
	free(loop);
}

uint64_t loop_now(const struct loop *loop)
{
	return loop->now;
}

uint64_t loop_resumed(const struct loop *loop)
{
	return loop->resumed;
}

/* ---- descriptors ---- */

static struct slot *slot_at(struct loop *loop, int fd)
{
	size_t index = (size_t)fd;
	size_t count = loop->slot_count;

	if (index >= count) {
		count = (index + 32) & ~(size_t)31;
		loop->slots = mem_resize(loop->slots, count, sizeof(*loop->slots));
		for (size_t i = loop->slot_count; i < count; i++)
			loop->slots[i] = (struct slot){0};
		loop->slot_count = count;
	}
	return &loop->slots[index];
}

int loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready *call, void *data)
{
	struct slot *slot = slot_at(loop, fd);
	uint32_t round = slot->call ? slot->round : slot->round + 1;
	struct epoll_event event = {
		.events = events,
		.data.u64 = (uint64_t)round << 32 | (uint32_t)fd,
	};

	if (epoll_ctl(loop->epoll, slot->call ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*slot = (struct slot){call, data, round};
	return 0;
}

void loop_forget(struct loop *loop, int fd)
{
	struct slot *slot;

	if (fd < 0 || (size_t)fd >= loop->slot_count)
		return;
	slot = &loop->slots[fd];
	if (!slot->call)
		return;
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, fd, NULL);
	slot->call = NULL;
	slot->round++;
}

/* An event of a descriptor that was forgotten meanwhile, or whose number was used anew, is old. */
static void dispatch(struct loop *loop, const struct epoll_event *event)
{
	size_t fd = (uint32_t)event->data.u64;
	struct slot *slot = &loop->slots[fd];

	if (slot->call && slot->round == (uint32_t)(event->data.u64 >> 32))
		slot->call(slot->data, (int)fd, event->events);
}

/* ---- timers: a binary heap, places counted from 1 ---- */

static void put(struct loop *loop, size_t place, struct loop_timer *timer)
{
	loop->heap[place - 1] = timer;
	timer->place = place;
}

static void rise(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place;

	while (place > 1 && loop->heap[place / 2 - 1]->at > timer->at) {
		put(loop, place, loop->heap[place / 2 - 1]);
		place /= 2;
	}
	put(loop, place, timer);
}

static void sink(struct loop *loop, struct loop_timer *timer)
{
	size_t place = timer->place, child;

	while ((child = place * 2) <= loop->heap_count) {
		if (child < loop->heap_count && loop->heap[child]->at < loop->heap[child - 1]->at)
			child++;
		if (loop->heap[child - 1]->at >= timer->at)
			break;
		put(loop, place, loop->heap[child - 1]);
		place = child;
	}
	put(loop, place, timer);
}

void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t at)
{
	timer->at = at;
	if (!timer->place) {
		if (loop->heap_count == loop->heap_size) {
			loop->heap_size = loop->heap_size ? loop->heap_size * 2 : 64;
			loop->heap = mem_resize(loop->heap, loop->heap_size, sizeof(*loop->heap));
		}
		put(loop, ++loop->heap_count, timer);
	}
	rise(loop, timer);
	sink(loop, timer);
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
	struct loop_timer *last;
	size_t place = timer->place;

	if (!place)
		return;
	last = loop->heap[--loop->heap_count];
	timer->place = 0;
	if (last == timer)
		return;
	put(loop, place, last);
	rise(loop, last);
	sink(loop, last);
}

static void fire(struct loop *loop)
{
	while (loop->heap_count && loop->heap[0]->at <= loop->now && !loop->stopped) {
		struct loop_timer *timer = loop->heap[0];

		loop_disarm(loop, timer);
		timer->call(timer->data, loop->now);
	}
}

/* ---- the loop ---- */

void loop_before_sleep(struct loop *loop, loop_hook *hook, void *data)
{
	if (loop->hook_count < LOOP_HOOKS)
		loop->hooks[loop->hook_count++] = (struct hook){hook, data};
}

static uint64_t nearest(struct loop *loop)
{
	uint64_t deadline = NEVER;

	for (size_t i = 0; i < loop->hook_count; i++) {
		uint64_t at = loop->hooks[i].call(loop->hooks[i].data, loop->now);

		if (at < deadline)
			deadline = at;
	}
	if (loop->heap_count && loop->heap[0]->at < deadline)
		deadline = loop->heap[0]->at;
	return deadline;
}

/* Milliseconds for epoll, rounded up: too early would only mean another round. */
static int timeout_of(uint64_t deadline)
{
	uint64_t now, left;

	if (deadline == NEVER)
		return -1;
	now = clock_monotonic();
	if (deadline <= now)
		return 0;
	left = (deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return left > 86400000 ? 86400000 : (int)left;
}

int loop_run(struct loop *loop)
{
	struct epoll_event events[BATCH];

	while (!loop->stopped) {
		uint64_t before = loop->now, due = nearest(loop);
		int count = epoll_wait(loop->epoll, events, BATCH, timeout_of(due));

		if (due < before)
			due = before;
		loop->now = clock_monotonic();
		if (due < loop->now && loop->now - due > STOOD_STILL)
			loop->resumed = loop->now;
		for (int i = 0; i < count && !loop->stopped; i++)
			dispatch(loop, &events[i]);
		fire(loop);
	}
	return loop->code;
}

void loop_stop(struct loop *loop, int code)
{
	loop->stopped = true;
	loop->code = code;
}
