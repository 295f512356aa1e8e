/* SPDX-License-Identifier: MIT */
#include "children.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PIDS 2000

/* Adds and takes at random, beside a plain array that cannot be wrong. */
static void random_use_loses_and_invents_nothing(void **state)
{
	static uint16_t model[PIDS]; /* slot + 1; 0: not in */
	struct children children = {0};
	uint32_t random = 1;

	(void)state;
	assert_true(children_reserve(&children, 400));
	for (unsigned i = 0; i < 200000; i++) {
		pid_t pid;

		random = random * 1664525u + 1013904223u;
		pid = (pid_t)(1 + (random >> 8) % (PIDS - 1));
		if (model[pid]) {
			struct child_entry entry = children_take(&children, pid);

			assert_int_equal(entry.kind, CHILD_MAIN);
			assert_int_equal(entry.slot + 1, model[pid]);
			model[pid] = 0;
		} else if (children_has_room(&children)) {
			model[pid] = (uint16_t)(1 + random % 1000);
			children_add(&children, pid, CHILD_MAIN, (uint16_t)(model[pid] - 1), 0);
		}
		assert_int_equal(children_find(&children, pid).kind,
				 model[pid] ? CHILD_MAIN : CHILD_STRANGER);
	}
	for (pid_t pid = 1; pid < PIDS; pid++)
		assert_int_equal(children_take(&children, pid).kind,
				 model[pid] ? CHILD_MAIN : CHILD_STRANGER);
	assert_int_equal(children.used, 0);
	free(children.table);
}

static void growing_keeps_what_is_in(void **state)
{
	struct children children = {0};

	(void)state;
	assert_true(children_reserve(&children, 10));
	for (pid_t pid = 100; pid < 160; pid++)
		children_add(&children, pid, CHILD_PROBE, (uint16_t)pid, 2);
	assert_true(children_reserve(&children, 5000));
	assert_int_equal(children.probes, 60);
	for (pid_t pid = 100; pid < 160; pid++) {
		struct child_entry entry = children_take(&children, pid);

		assert_int_equal(entry.slot, pid);
		assert_int_equal(entry.extra, 2);
	}
	assert_int_equal(children.probes, 0);
	free(children.table);
}

static void a_full_table_says_so_before_it_is_full(void **state)
{
	struct children children = {0};
	pid_t pid = 1;

	(void)state;
	assert_true(children_reserve(&children, 1));
	while (children_has_room(&children))
		children_add(&children, pid++, CHILD_MAIN, 0, 0);
	assert_true(children.used < children.capacity);
	assert_int_equal(children_find(&children, 1 << 22).kind, CHILD_STRANGER);
	free(children.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_use_loses_and_invents_nothing),
		cmocka_unit_test(growing_keeps_what_is_in),
		cmocka_unit_test(a_full_table_says_so_before_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
