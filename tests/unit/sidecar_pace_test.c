/* SPDX-License-Identifier: MIT */
#include "../../sidecar/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* What one look sees, as it goes on by so much each second. */
struct course {
	double periods, throttled; /* a second; `periods` 0: there is no limit */
	double waited;             /* share of the time; below 0: not known */
	double own;                /* likewise, of this program's processor time */
	double checks;             /* a second */
};

static struct pace_look look_at(const struct course *course, double second)
{
	struct pace_look look = {
		.at = (uint64_t)((1000 + second) * NSEC_PER_SEC),
		.load = {COUNTER_UNKNOWN, COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		.own_cpu = (uint64_t)(course->own * second * NSEC_PER_SEC),
		.checks = (uint64_t)(course->checks * second),
	};

	if (course->periods > 0) {
		look.load.periods = (uint64_t)(course->periods * second);
		look.load.throttled_periods = (uint64_t)(course->throttled * second);
	}
	if (course->waited >= 0)
		look.load.waited = (uint64_t)(course->waited * second * NSEC_PER_SEC);
	return look;
}

/* `seconds` of it, looked at every two. It moves without a leap and stays within its bounds. */
static struct pace_verdict follow(struct pace_verdict verdict, struct course course, int seconds)
{
	struct pace_look before = look_at(&course, 0);

	for (int second = 2; second <= seconds; second += 2) {
		struct pace_look now = look_at(&course, second);
		struct pace_verdict next = pace_decide(verdict, &before, &now);

		if (next.stretch < 1 || next.stretch > PACE_MOST)
			fail_msg("%g", next.stretch);
		if (next.stretch - verdict.stretch > 0.6 || verdict.stretch - next.stretch > 0.6)
			fail_msg("a leap from %g to %g", verdict.stretch, next.stretch);
		before = now;
		verdict = next;
	}
	return verdict;
}

static const struct pace_verdict calm = {.stretch = 1, .cause = PACE_FREE};

static void nothing_is_stretched_without_need(void **state)
{
	static const struct course courses[] = {
		{.waited = -1},
		{.waited = 0.2},
		{.periods = 10, .throttled = 0.4, .waited = 0},
		{.waited = 0, .own = 0.019, .checks = 100},
		{.waited = 0, .own = 0.9, .checks = 8}, /* that was not for probes */
		{.waited = 0, .own = 0.9},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(courses) / sizeof(courses[0]); i++) {
		struct pace_verdict verdict = follow(calm, courses[i], 600);

		if (verdict.stretch > 1 || verdict.cause != PACE_FREE)
			fail_msg("%zu: %g", i, verdict.stretch);
	}
}

static void check_most(struct course course, unsigned cause)
{
	struct pace_verdict verdict = follow(calm, course, 200);

	if (verdict.stretch < PACE_MOST - 0.05)
		fail_msg("%s: only %g", pace_cause_name(cause), verdict.stretch);
	assert_int_equal(verdict.cause, cause);
	/* and comes back, all the way */
	verdict = follow(verdict, (struct course){.periods = 10, .waited = 0.01}, 200);
	assert_true(verdict.stretch == 1);
	assert_int_equal(verdict.cause, PACE_FREE);
}

static void each_cause_stretches_to_the_most_and_back(void **state)
{
	(void)state;
	check_most((struct course){.periods = 10, .throttled = 10, .waited = -1}, PACE_THROTTLED);
	check_most((struct course){.waited = 1}, PACE_WAITED);
	check_most((struct course){.waited = 0, .own = 1, .checks = 1000}, PACE_OVER_BUDGET);
}

static void some_load_stretches_some(void **state)
{
	struct pace_verdict verdict;

	(void)state;
	verdict = follow(calm, (struct course){.periods = 10, .throttled = 2.75, .waited = 0}, 200);
	assert_true(verdict.stretch > 2.3 && verdict.stretch < 2.7);
	verdict = follow(calm, (struct course){.waited = 0.575}, 200);
	assert_true(verdict.stretch > 2.3 && verdict.stretch < 2.7);
}

/* With fewer checks less is used: it settles where the budget is kept, and does not swing. */
static void budget_is_kept(void **state)
{
	struct pace_verdict verdict = calm;

	(void)state;
	for (int round = 0; round < 100; round++) {
		struct course course = {.waited = 0,
					.own = 0.05 / verdict.stretch,
					.checks = 500 / verdict.stretch};

		verdict = follow(verdict, course, 2);
	}
	if (verdict.stretch < 2.4 || verdict.stretch > 2.6)
		fail_msg("%g", verdict.stretch);
	assert_int_equal(verdict.cause, PACE_OVER_BUDGET);
}

/* Counters of another cgroup, or a machine that slept: nothing comes of it. */
static void odd_counters_do_no_harm(void **state)
{
	struct pace_look before = look_at(&(struct course){.periods = 10, .throttled = 9}, 100);
	struct pace_look now = look_at(&(struct course){.periods = 1}, 102);
	struct pace_verdict verdict = pace_decide(calm, &before, &now);

	(void)state;
	assert_true(verdict.stretch == 1);
	now = before;
	verdict = pace_decide(calm, &before, &now); /* no time has gone by */
	assert_true(verdict.stretch == 1);
	now.at += (uint64_t)NSEC_PER_SEC * 86400;
	now.load.waited = UINT64_C(1) << 63;
	before.load.waited = 0;
	verdict = pace_decide(calm, &before, &now);
	assert_true(verdict.stretch > 3.9 && verdict.stretch <= PACE_MOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_stretched_without_need),
		cmocka_unit_test(each_cause_stretches_to_the_most_and_back),
		cmocka_unit_test(some_load_stretches_some),
		cmocka_unit_test(budget_is_kept),
		cmocka_unit_test(odd_counters_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
