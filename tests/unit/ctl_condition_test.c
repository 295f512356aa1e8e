/* SPDX-License-Identifier: MIT */
#include "condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void names_and_conditions_are_read(void **state)
{
	static const struct {
		const char *text, *name;
		enum condition_kind kind;
		enum service_state state;
	} table[] = {
		{"web", "web", UNTIL_GOOD, 0},
		{"web:healthy", "web", UNTIL_GOOD, 0},
		{"web:ready", "web", UNTIL_GOOD, 0},
		{"web:started", "web", UNTIL_STARTED, 0},
		{"web:running", "web", UNTIL_STARTED, 0},
		{"w.e-b_1:completed", "w.e-b_1", UNTIL_COMPLETED, 0},
		{"web:failed", "web", UNTIL_STATE, STATE_FAILED},
		{"web:inactive", "web", UNTIL_STATE, STATE_INACTIVE},
		{"web:backoff", "web", UNTIL_STATE, STATE_BACKOFF},
	};
	struct condition condition;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		assert_null(condition_parse(&condition, table[i].text));
		assert_string_equal(condition.name, table[i].name);
		assert_int_equal(condition.kind, table[i].kind);
		if (condition.kind == UNTIL_STATE)
			assert_int_equal(condition.state, table[i].state);
	}
}

static void nonsense_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		":",
		":healthy",
		"web:",
		"web:up",
		"web:Healthy",
		"web:healthy:x",
		"a234567890123456789012345678901234567890123456789012345678901234"};
	struct condition condition;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (!condition_parse(&condition, wrong[i]))
			fail_msg("'%s' was taken", wrong[i]);
	assert_null(condition_parse(&condition, wrong[7] + 1)); /* 63 characters */
}

/* A row: what holds in each state of a service that has a process where it may have one. */
#define Y VERDICT_TRUE
#define N VERDICT_NEVER
#define W VERDICT_NOT_YET

struct row {
	const char *condition;
	enum service_type type;
	enum verdict verdict[STATE_COUNT];
};

/*   inactive waiting starting running ready unhealthy stopping backoff completed failed */
static const struct row normal[] = {
	{"x", TYPE_SERVICE, {W, W, W, Y, Y, W, W, W, N, N}},
	{"x", TYPE_ONESHOT, {W, W, W, Y, Y, W, W, W, Y, N}},
	{"x:started", TYPE_SERVICE, {W, W, Y, Y, Y, Y, W, W, Y, N}},
	{"x:completed", TYPE_ONESHOT, {W, W, W, W, W, W, W, W, Y, N}},
	{"x:failed", TYPE_SERVICE, {W, W, W, W, W, W, W, W, N, Y}},
	{"x:inactive", TYPE_SERVICE, {Y, W, W, W, W, W, W, W, N, N}},
	{"x:stopping", TYPE_SERVICE, {W, W, W, W, W, W, Y, W, N, N}},
};

/* While everything is being stopped nothing is started any more. */
static const struct row leaving[] = {
	{"x", TYPE_SERVICE, {N, N, N, Y, Y, N, N, N, N, N}},
	{"x:started", TYPE_SERVICE, {N, N, Y, Y, Y, Y, N, N, Y, N}},
	{"x:completed", TYPE_ONESHOT, {W, W, W, W, W, W, W, W, Y, N}},
	{"x:inactive", TYPE_SERVICE, {Y, W, W, W, W, W, W, W, N, N}},
	{"x:backoff", TYPE_SERVICE, {N, N, N, N, N, N, N, Y, N, N}},
};

static void check_rows(const struct row *rows, size_t count, enum system_phase phase)
{
	struct condition condition;
	unsigned s;

	for (; count > 0; count--, rows++) {
		assert_null(condition_parse(&condition, rows->condition));
		for (s = 0; s < STATE_COUNT; s++) {
			struct status_record record = {.state = (uint8_t)s,
						       .type = (uint8_t)rows->type,
						       .pid = state_is_active(s) ? 7 : 0};

			if (condition_check(&condition, &record, phase) != rows->verdict[s])
				fail_msg("%s of a %s that is %s while all is %s", rows->condition,
					 type_name(rows->type), state_name(s), phase_name(phase));
		}
	}
}

static void every_condition_in_every_state(void **state)
{
	(void)state;
	check_rows(normal, sizeof(normal) / sizeof(normal[0]), PHASE_STARTING);
	check_rows(normal, sizeof(normal) / sizeof(normal[0]), PHASE_DEGRADED);
	check_rows(leaving, sizeof(leaving) / sizeof(leaving[0]), PHASE_DRAINING);
	check_rows(leaving, sizeof(leaving) / sizeof(leaving[0]), PHASE_STOPPING);
}

static void a_hook_before_the_start_is_no_start(void **state)
{
	struct status_record record = {.state = STATE_STARTING, .pid = 0};
	struct condition condition;

	(void)state;
	condition_parse(&condition, "x:started");
	assert_int_equal(condition_check(&condition, &record, PHASE_READY), VERDICT_NOT_YET);
}

static void down_means_that_nothing_will_start_it(void **state)
{
	static const enum verdict expected[STATE_COUNT] = {
		[STATE_INACTIVE] = Y, [STATE_WAITING] = W, [STATE_STARTING] = W,
		[STATE_RUNNING] = W,  [STATE_READY] = W,   [STATE_UNHEALTHY] = W,
		[STATE_STOPPING] = W, [STATE_BACKOFF] = W, [STATE_COMPLETED] = Y,
		[STATE_FAILED] = Y};
	const struct condition condition = {.kind = UNTIL_DOWN};
	struct status_record record = {0};

	(void)state;
	for (record.state = 0; record.state < STATE_COUNT; record.state++)
		assert_int_equal(condition_check(&condition, &record, PHASE_STOPPING),
				 expected[record.state]);
}

static void check_words(const struct status_record *record, const struct status_record *cause,
			const char *expected)
{
	char text[160];

	assert_string_equal(condition_describe(text, sizeof(text), record, cause), expected);
}

static void why_in_a_few_words(void **state)
{
	const struct status_record db = {.name = "db"};
	struct status_record record = {.state = STATE_READY, .last_exit = -1};

	(void)state;
	check_words(&record, NULL, "ready");
	record.state = STATE_WAITING;
	record.flags = STATUS_DEP_CAUSE;
	check_words(&record, &db, "waiting for db");
	record.state = STATE_FAILED;
	check_words(&record, &db, "failed because of db");
	record.flags = 0;
	record.last_exit = 3;
	check_words(&record, NULL, "failed: exit code 3");
	record.last_exit = 137;
	check_words(&record, NULL, "failed: ended by signal 9");
	snprintf(record.reason, sizeof(record.reason), "connection refused");
	check_words(&record, NULL, "failed: connection refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_conditions_are_read),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(every_condition_in_every_state),
		cmocka_unit_test(a_hook_before_the_start_is_no_start),
		cmocka_unit_test(down_means_that_nothing_will_start_it),
		cmocka_unit_test(why_in_a_few_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
