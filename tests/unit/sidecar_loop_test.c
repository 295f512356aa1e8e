/* SPDX-License-Identifier: MIT */
#include "../../sidecar/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

#define TIMERS 300
#define PIPES  4

struct fixture {
	struct loop *loop;
	struct loop_timer timers[TIMERS];
	struct loop_timer last; /* stops the loop */
	struct loop_timer *fired[TIMERS];
	unsigned fired_count;
	int pipes[PIPES][2];
	unsigned ready_count;
};

static void stop(void *data, uint64_t now)
{
	(void)now;
	loop_stop(data, 3);
}

static int setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	fixture->loop = loop_create();
	fixture->last.call = stop;
	fixture->last.data = fixture->loop;
	for (int i = 0; i < PIPES; i++)
		assert_int_equal(pipe(fixture->pipes[i]), 0);
	*state = fixture;
	return fixture->loop ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < PIPES; i++) {
		close(fixture->pipes[i][0]);
		close(fixture->pipes[i][1]);
	}
	loop_destroy(fixture->loop);
	free(fixture);
	return 0;
}

/* ---- timers ---- */

static struct fixture *current;

static void timer_fired(void *data, uint64_t now)
{
	struct loop_timer *timer = data;

	assert_true(timer->at <= now);
	assert_false(loop_armed(timer));
	current->fired[current->fired_count++] = timer;
}

static void arm(struct fixture *fixture, unsigned index, uint64_t at)
{
	struct loop_timer *timer = &fixture->timers[index];

	timer->call = timer_fired;
	timer->data = timer;
	loop_arm(fixture->loop, timer, at);
	assert_true(loop_armed(timer));
}

static void timers_fire_in_order(void **state)
{
	struct fixture *fixture = *state;
	uint64_t now = clock_monotonic();
	unsigned seed = 1, moved = 0;

	current = fixture;
	for (unsigned i = 0; i < TIMERS; i++)
		arm(fixture, i, now + (uint64_t)rand_r(&seed) % NSEC_PER_MSEC);
	for (unsigned i = 0; i < TIMERS; i += 3, moved++) /* armed again: moved */
		arm(fixture, i, now + (uint64_t)rand_r(&seed) % NSEC_PER_MSEC);
	for (unsigned i = 1; i < TIMERS; i += 3)
		loop_disarm(fixture->loop, &fixture->timers[i]);
	loop_disarm(fixture->loop, &fixture->timers[1]); /* twice is no harm */
	loop_arm(fixture->loop, &fixture->last, now + NSEC_PER_MSEC);
	assert_int_equal(loop_run(fixture->loop), 3);
	assert_int_equal(fixture->fired_count, TIMERS - moved);
	for (unsigned i = 1; i < fixture->fired_count; i++)
		assert_true(fixture->fired[i - 1]->at <= fixture->fired[i]->at);
	for (unsigned i = 1; i < TIMERS; i += 3)
		assert_false(loop_armed(&fixture->timers[i]));
}

/* ---- descriptors ---- */

/* Whoever is first takes all the others off: their events of the same wake-up must not come. */
static void first_takes_all(void *data, int fd, uint32_t events)
{
	struct fixture *fixture = data;

	(void)fd;
	assert_true(events & EPOLLIN);
	fixture->ready_count++;
	for (int i = 0; i < PIPES; i++)
		loop_forget(fixture->loop, fixture->pipes[i][0]);
	loop_arm(fixture->loop, &fixture->last, clock_monotonic() + NSEC_PER_MSEC);
}

static void forgotten_descriptors_are_silent(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < PIPES; i++) {
		assert_int_equal(write(fixture->pipes[i][1], "x", 1), 1);
		assert_int_equal(loop_watch(fixture->loop, fixture->pipes[i][0], EPOLLIN,
					    first_takes_all, fixture),
				 0);
	}
	assert_int_equal(loop_run(fixture->loop), 3);
	assert_int_equal(fixture->ready_count, 1);
	loop_forget(fixture->loop, fixture->pipes[0][0]);
	loop_forget(fixture->loop, -1);
	loop_forget(fixture->loop, 100000);
}

static void not_expected(void *data, int fd, uint32_t events)
{
	(void)data;
	(void)fd;
	(void)events;
	fail_msg("an event of another life of this number");
}

/* The number of a closed descriptor is used anew within one wake-up. */
static void renumber(void *data, int fd, uint32_t events)
{
	struct fixture *fixture = data;
	int other = fd == fixture->pipes[0][0] ? 1 : 0;
	int number = fixture->pipes[other][0];

	(void)events;
	loop_forget(fixture->loop, fd);
	loop_forget(fixture->loop, number);
	/* the same number, another pipe that is silent */
	assert_int_equal(dup2(fixture->pipes[2][0], number), number);
	assert_int_equal(loop_watch(fixture->loop, number, EPOLLIN, not_expected, fixture), 0);
	loop_arm(fixture->loop, &fixture->last, clock_monotonic() + NSEC_PER_MSEC);
}

static void numbers_used_anew_get_no_old_events(void **state)
{
	struct fixture *fixture = *state;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(write(fixture->pipes[i][1], "x", 1), 1);
		loop_watch(fixture->loop, fixture->pipes[i][0], EPOLLIN, renumber, fixture);
	}
	assert_int_equal(loop_run(fixture->loop), 3);
}

static void bad_descriptors_are_errors(void **state)
{
	struct fixture *fixture = *state;

	assert_true(loop_watch(fixture->loop, 1000, EPOLLIN, not_expected, NULL) < 0);
	loop_arm(fixture->loop, &fixture->last, 0);
	assert_int_equal(loop_run(fixture->loop), 3);
}

/* ---- hooks ---- */

static uint64_t hook(void *data, uint64_t now)
{
	struct fixture *fixture = data;

	(void)now;
	if (++fixture->ready_count == 5)
		loop_stop(fixture->loop, 4);
	return 0; /* again, at once */
}

static void hooks_keep_the_loop_awake(void **state)
{
	struct fixture *fixture = *state;

	loop_before_sleep(fixture->loop, hook, fixture);
	assert_int_equal(loop_run(fixture->loop), 4);
	assert_int_equal(fixture->ready_count, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(timers_fire_in_order),
		TEST(forgotten_descriptors_are_silent),
		TEST(numbers_used_anew_get_no_old_events),
		TEST(bad_descriptors_are_errors),
		TEST(hooks_keep_the_loop_awake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
