/* SPDX-License-Identifier: MIT */
#include "states.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

typedef const char *name_function(unsigned);

static void check_names(name_function *name, const char *const *names, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		assert_string_equal(name(i), names[i]);
	assert_string_equal(name(count), "?");
	assert_string_equal(name(~0U), "?");
}

/* The order is that of docs/status-page.md: numbers that other programs have stored. */
static void numbers_and_names_stay(void **state)
{
	static const char *const states[] = {"inactive",  "waiting",   "starting", "running",
					     "ready",     "unhealthy", "stopping", "backoff",
					     "completed", "failed"};
	static const char *const phases[] = {"starting", "ready", "degraded", "draining",
					     "stopping"};
	static const char *const types[] = {"service", "oneshot", "external"};
	static const char *const conditions[] = {"started", "healthy", "completed"};
	static const char *const roles[] = {"startup", "readiness", "liveness"};
	static const char *const kinds[] = {"none", "notify", "fd",   "tcp", "http",
					    "exec", "file",   "unix", "log", "grpc"};

	(void)state;
	check_names(state_name, states, 10);
	check_names(phase_name, phases, 5);
	check_names(type_name, types, 3);
	check_names(condition_name, conditions, 3);
	check_names(role_name, roles, 3);
	check_names(probe_kind_name, kinds, 10);
}

static void who_counts_as_ready_and_as_active(void **state)
{
	static const struct {
		unsigned state;
		int ready, active;
	} table[] = {
		{STATE_INACTIVE, 0, 0}, {STATE_WAITING, 0, 0}, {STATE_STARTING, 0, 1},
		{STATE_RUNNING, 1, 1},  {STATE_READY, 1, 1},   {STATE_UNHEALTHY, 0, 1},
		{STATE_STOPPING, 0, 1}, {STATE_BACKOFF, 0, 0}, {STATE_COMPLETED, 0, 0},
		{STATE_FAILED, 0, 0},   {STATE_COUNT, 0, 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_int_equal(!!state_is_ready(table[i].state), table[i].ready);
		assert_int_equal(!!state_is_active(table[i].state), table[i].active);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_stay),
		cmocka_unit_test(who_counts_as_ready_and_as_active),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
