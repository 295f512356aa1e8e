/* SPDX-License-Identifier: MIT */
#include "loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

#define TIMERS 500

static struct loop loop;

static int set_up(void **state)
{
	(void)state;
	loop = (struct loop){0};
	return loop_open(&loop) < 0 || !loop_reserve_timers(&loop, TIMERS + 1);
}

static int tear_down(void **state)
{
	(void)state;
	close(loop.epoll);
	free(loop.heap);
	return 0;
}

/* ---- timers ---- */

static uint64_t last_when;
static unsigned fired;

static void in_order(struct loop *l, struct loop_timer *timer)
{
	(void)l;
	assert_true(timer->when >= last_when);
	assert_int_equal(timer->slot, 0);
	last_when = timer->when;
	fired++;
}

static void timers_fire_in_order_whatever_was_moved(void **state)
{
	static struct loop_timer timers[TIMERS];
	unsigned armed = 0;
	uint32_t random = 7;

	(void)state;
	for (unsigned i = 0; i < 20000; i++) {
		struct loop_timer *timer;

		random = random * 1664525u + 1013904223u;
		timer = &timers[(random >> 8) % TIMERS];
		timer->expired = in_order;
		if (random % 3 == 0)
			loop_disarm(&loop, timer);
		else
			loop_arm(&loop, timer, 1 + random % 1000);
	}
	for (unsigned i = 0; i < TIMERS; i++)
		armed += timers[i].slot != 0;
	assert_true(armed > TIMERS / 4);
	assert_int_equal(armed, loop.armed);
	last_when = fired = 0;
	loop_turn(&loop);
	assert_int_equal(fired, armed);
	assert_int_equal(loop.armed, 0);
}

static void again(struct loop *l, struct loop_timer *timer)
{
	fired++;
	loop_arm(l, timer, 1);
}

static void a_timer_that_is_always_due_does_not_keep_the_turn(void **state)
{
	struct loop_timer timer = {.expired = again};

	(void)state;
	fired = 0;
	loop_arm(&loop, &timer, 1);
	loop_turn(&loop);
	assert_int_equal(fired, 1);
}

/* ---- sources ---- */

static char order[8];
static unsigned seen;

struct named {
	struct loop_source source;
	char name;
	struct named *closes;
};

static void note(struct loop *l, struct loop_source *source, uint32_t events)
{
	struct named *named = (struct named *)(void *)source;

	(void)events;
	order[seen++] = named->name;
	if (named->closes)
		loop_close(l, &named->closes->source);
}

static void open_readable(struct named *named, char name, enum loop_class class)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	close(ends[1]);
	*named = (struct named){.source = {.ready = note, .class = class}, .name = name};
	assert_int_equal(loop_add(&loop, &named->source, ends[0], EPOLLIN), 0);
}

static void facts_come_before_children_and_wishes(void **state)
{
	struct named wish, child, fact;

	(void)state;
	open_readable(&wish, 'w', CLASS_WISH);
	open_readable(&child, 'c', CLASS_CHILD);
	open_readable(&fact, 'f', CLASS_FACT);
	seen = 0;
	loop_turn(&loop);
	assert_memory_equal(order, "fcw", 3);
	loop_close(&loop, &wish.source);
	loop_close(&loop, &child.source);
	loop_close(&loop, &fact.source);
}

static void what_a_handler_closes_is_not_reported_in_the_same_turn(void **state)
{
	struct named first, second;

	(void)state;
	open_readable(&second, '2', CLASS_WISH);
	open_readable(&first, '1', CLASS_FACT);
	first.closes = &second;
	seen = 0;
	loop_turn(&loop);
	assert_int_equal(seen, 1);
	assert_int_equal(order[0], '1');
	assert_int_equal(second.source.fd, -1);
	loop_close(&loop, &first.source);
}

/* After vfork a child may still hold a copy of a descriptor that we close: it must not go on
 * reporting. */
static void a_closed_source_with_a_copy_elsewhere_is_silent(void **state)
{
	struct named named;
	struct loop_timer timer = {.expired = in_order};
	int copy;

	(void)state;
	open_readable(&named, 'x', CLASS_FACT);
	copy = dup(named.source.fd);
	loop_close(&loop, &named.source);
	seen = 0;
	last_when = 0;
	loop_arm(&loop, &timer, 1);
	loop_turn(&loop);
	assert_int_equal(seen, 0);
	close(copy);
}

/* ---- calls that fail ---- */

#define TURNS 10

static uint64_t time_of_turns(void)
{
	uint64_t begin = clock_monotonic();

	for (int i = 0; i < TURNS; i++)
		loop_turn(&loop);
	return clock_monotonic() - begin;
}

static void refuse(struct loop *l, struct loop_source *source, uint32_t events)
{
	(void)source;
	(void)events;
	l->failed = true;
	seen++;
}

static void what_cannot_be_taken_is_no_spin(void **state)
{
	struct named named;

	(void)state;
	open_readable(&named, 'x', CLASS_FACT);
	named.source.ready = refuse;
	seen = 0;
	assert_true(time_of_turns() > msec(9 * (TURNS - 1)));
	assert_int_equal(seen, TURNS);
	loop_close(&loop, &named.source);
}

static void a_wait_that_fails_is_no_spin(void **state)
{
	struct named named;
	int epoll = loop.epoll;

	(void)state;
	open_readable(&named, 'x', CLASS_FACT);
	loop.epoll = -1;
	assert_true(time_of_turns() > msec(9 * (TURNS - 1)));
	loop.epoll = epoll;
	seen = 0;
	loop_turn(&loop);
	assert_int_equal(seen, 1);
	loop_close(&loop, &named.source);
}

static void what_cannot_be_taken_out_is_no_spin_and_can_be_added_again(void **state)
{
	struct named named;
	int epoll = loop.epoll, fd;

	(void)state;
	open_readable(&named, 'x', CLASS_FACT);
	fd = named.source.fd;
	loop.epoll = -1;
	loop_remove(&loop, &named.source);
	loop.epoll = epoll;
	seen = 0;
	assert_true(time_of_turns() > msec(9 * (TURNS - 1)));
	assert_int_equal(seen, 0);
	assert_int_equal(loop_add(&loop, &named.source, fd, EPOLLIN), 0);
	loop_turn(&loop);
	assert_int_equal(seen, 1);
	loop_close(&loop, &named.source);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_in_order_whatever_was_moved, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_timer_that_is_always_due_does_not_keep_the_turn,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(facts_come_before_children_and_wishes, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			what_a_handler_closes_is_not_reported_in_the_same_turn, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_closed_source_with_a_copy_elsewhere_is_silent,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_cannot_be_taken_is_no_spin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wait_that_fails_is_no_spin, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_cannot_be_taken_out_is_no_spin_and_can_be_added_again, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
