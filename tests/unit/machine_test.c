/* SPDX-License-Identifier: MIT */
#include "machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * The whole matrix. docs/state-machine.md holds it for a plain service (a readiness probe, no
 * hooks, restarts allowed, failures not ended well); `machine_test --print` writes that table.
 */
#define DOCUMENT "docs/state-machine.md"

static const char events[EV_COUNT][14] = {
	[EV_WANT] = "want",
	[EV_UNWANT] = "unwant",
	[EV_RESTART] = "restart",
	[EV_DEPS_MET] = "deps_met",
	[EV_DEPS_FAILED] = "deps_failed",
	[EV_LAUNCH_FAILED] = "launch_failed",
	[EV_HOOK_OK] = "hook_ok",
	[EV_HOOK_FAILED] = "hook_failed",
	[EV_READY] = "ready",
	[EV_UNREADY] = "unready",
	[EV_DEAD] = "dead",
	[EV_ENDING] = "ending",
	[EV_EXITED] = "exited",
	[EV_DEADLINE] = "deadline",
	[EV_GONE] = "gone",
};

static const struct machine_facts plain = {
	.type = TYPE_SERVICE, .has_readiness = true, .may_restart = true};

/* Where an event leads, through the endings that come at once when nothing is left behind. */
static struct machine_step settle(enum phase phase, enum after after, enum event event,
				  const struct machine_facts *facts)
{
	struct machine_step step = machine_next(phase, after, event, facts);

	while (!step.ignored && step.effects & FX_SWEEP)
		step = machine_next(step.phase, step.after, EV_GONE, facts);
	return step;
}

static void row(char *out, size_t size, enum phase phase)
{
	size_t n = (size_t)snprintf(out, size, "| %s |", machine_phase_name(phase));

	for (enum event event = 0; event < EV_COUNT; event++) {
		struct machine_step step = settle(phase, AFTER_BACKOFF, event, &plain);

		n += (size_t)snprintf(out + n, size - n, " %s |",
				      step.ignored ? "-" : machine_phase_name(step.phase));
	}
}

static void head(char *out, size_t size)
{
	size_t n = (size_t)snprintf(out, size, "| phase |");

	for (enum event event = 0; event < EV_COUNT; event++)
		n += (size_t)snprintf(out + n, size - n, " %s |", events[event]);
}

static char *document(void)
{
	FILE *file = fopen(DOCUMENT, "r");
	char *text = calloc(1, 65536);

	assert_non_null(file);
	assert_non_null(text);
	assert_true(fread(text, 1, 65535, file) > 0);
	fclose(file);
	return text;
}

static void the_document_holds_the_table(void **state)
{
	char *text = document();
	char line[512];

	(void)state;
	head(line, sizeof(line));
	if (!strstr(text, line))
		fail_msg("%s lacks the head: %s", DOCUMENT, line);
	for (enum phase phase = 0; phase < PH_COUNT; phase++) {
		row(line, sizeof(line), phase);
		if (!strstr(text, line))
			fail_msg("%s lacks the row: %s", DOCUMENT, line);
	}
	free(text);
}

/* ---- every combination of facts, for what must always hold ---- */

#define FACTS 192

static struct machine_facts facts_of(unsigned number)
{
	return (struct machine_facts){
		.type = (enum service_type)(number / 64),
		.has_readiness = number & 1,
		.has_pre_start = number & 2,
		.has_stop_command = number & 4,
		.has_post_stop = number & 8,
		.ended_well = number & 16,
		.may_restart = number & 32,
	};
}

static bool is_rest(enum phase phase)
{
	return phase == PH_INACTIVE || phase == PH_COMPLETED || phase == PH_FAILED ||
	       phase == PH_WAITING || phase == PH_BACKOFF;
}

static bool is_ending(enum phase phase)
{
	return phase == PH_STOP_COMMAND || phase == PH_STOPPING || phase == PH_KILLING ||
	       phase == PH_POST_STOP;
}

typedef void check(enum phase phase, enum event event, const struct machine_facts *facts);

static void each(check *function)
{
	for (unsigned number = 0; number < FACTS; number++) {
		struct machine_facts facts = facts_of(number);

		for (enum phase phase = 0; phase < PH_COUNT; phase++)
			for (enum event event = 0; event < EV_COUNT; event++)
				function(phase, event, &facts);
	}
}

/* An ignored event changes nothing and does nothing. */
static void check_ignored(enum phase phase, enum event event, const struct machine_facts *facts)
{
	struct machine_step step = machine_next(phase, AFTER_FAILED, event, facts);

	if (!step.ignored)
		return;
	assert_int_equal(step.phase, phase);
	assert_int_equal(step.after, AFTER_FAILED);
	assert_int_equal(step.effects, 0);
}

static void ignored_events_do_nothing(void **state)
{
	(void)state;
	each(check_ignored);
}

/* A program is started from WAITING, or after its hook, and never while something ends. */
static void check_launch(enum phase phase, enum event event, const struct machine_facts *facts)
{
	struct machine_step step = machine_next(phase, AFTER_BACKOFF, event, facts);

	if (!(step.effects & FX_LAUNCH))
		return;
	assert_true((phase == PH_WAITING && event == EV_DEPS_MET) ||
		    (phase == PH_PRE_START && event == EV_HOOK_OK));
	assert_int_not_equal(facts->type, TYPE_EXTERNAL);
	assert_int_equal(facts->has_pre_start, phase == PH_PRE_START);
}

static void programs_start_only_when_nothing_runs(void **state)
{
	(void)state;
	for (unsigned number = 0; number < FACTS; number++) {
		struct machine_facts facts = facts_of(number);

		check_launch(PH_WAITING, EV_DEPS_MET, &facts);
		if (facts.has_pre_start && facts.type != TYPE_EXTERNAL)
			check_launch(PH_PRE_START, EV_HOOK_OK, &facts);
		for (enum phase phase = 0; phase < PH_COUNT; phase++)
			for (enum event event = 0; event < EV_COUNT; event++)
				if (phase != PH_PRE_START)
					check_launch(phase, event, &facts);
	}
}

/* Leaving a phase in which something runs, whoever asked, is never without an ending. */
static void check_no_shortcut(enum phase phase, enum event event, const struct machine_facts *facts)
{
	struct machine_step step = machine_next(phase, AFTER_BACKOFF, event, facts);
	bool runs = phase == PH_PRE_START || phase == PH_STARTING || phase == PH_RUNNING ||
		    phase == PH_READY || phase == PH_UNHEALTHY;

	if (!runs || facts->type == TYPE_EXTERNAL)
		return;
	assert_false(is_rest(step.phase));
	if (is_ending(step.phase))
		assert_true(step.effects & FX_ARM_GRACE);
}

static void nothing_that_runs_is_forgotten(void **state)
{
	(void)state;
	each(check_no_shortcut);
}

/* Every phase that waits for a process has a deadline that leads on without it. */
static void deadlines_end_in_kill_and_say_so(void **state)
{
	(void)state;
	for (unsigned number = 0; number < FACTS; number++) {
		struct machine_facts facts = facts_of(number);
		struct machine_step step;

		step = machine_next(PH_STOPPING, AFTER_INACTIVE, EV_DEADLINE, &facts);
		assert_int_equal(step.phase, PH_KILLING);
		assert_true(step.effects & FX_KILL_SIGNAL && step.effects & FX_ARM_KILL);
		step = machine_next(PH_STOP_COMMAND, AFTER_INACTIVE, EV_DEADLINE, &facts);
		assert_int_equal(step.phase, PH_KILLING);
		assert_true(step.effects & FX_KILL_HOOK && step.effects & FX_KILL_SIGNAL);
		step = machine_next(PH_KILLING, AFTER_INACTIVE, EV_DEADLINE, &facts);
		assert_true(step.effects & FX_STUCK && step.effects & FX_ARM_KILL);
		step = machine_next(PH_POST_STOP, AFTER_FAILED, EV_DEADLINE, &facts);
		assert_int_equal(step.phase, PH_FAILED);
		assert_true(step.effects & FX_KILL_HOOK);
	}
}

/* Plays an environment in which everything that is asked for happens. */
static enum phase play_stop(enum phase phase, const struct machine_facts *facts)
{
	struct machine_step step = settle(phase, AFTER_BACKOFF, EV_UNWANT, facts);

	for (unsigned turns = 0; turns < 8 && !is_rest(step.phase); turns++) {
		enum event event = step.phase == PH_POST_STOP      ? EV_HOOK_OK
				   : step.phase == PH_STOP_COMMAND ? EV_HOOK_FAILED
								   : EV_EXITED;

		step = settle(step.phase, step.after, event, facts);
	}
	return step.phase;
}

static void a_service_that_is_not_wanted_comes_to_rest(void **state)
{
	(void)state;
	for (unsigned number = 0; number < FACTS; number++) {
		struct machine_facts facts = facts_of(number);

		for (enum phase phase = 0; phase < PH_COUNT; phase++)
			assert_int_equal(play_stop(phase, &facts), PH_INACTIVE);
	}
}

static void wishes_during_an_ending_decide_where_it_leads(void **state)
{
	static const enum phase endings[] = {PH_STOP_COMMAND, PH_STOPPING, PH_KILLING,
					     PH_POST_STOP};
	struct machine_step step;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		step = machine_next(endings[i], AFTER_BACKOFF, EV_UNWANT, &plain);
		assert_int_equal(step.after, AFTER_INACTIVE);
		assert_int_equal(step.phase, endings[i]);
		step = machine_next(endings[i], AFTER_INACTIVE, EV_WANT, &plain);
		assert_int_equal(step.after, AFTER_WAITING);
		step = machine_next(endings[i], AFTER_BACKOFF, EV_WANT, &plain);
		assert_int_equal(step.after, AFTER_BACKOFF);
		step = machine_next(endings[i], AFTER_BACKOFF, EV_RESTART, &plain);
		assert_int_equal(step.after, AFTER_WAITING);
	}
}

/* ---- endings by themselves ---- */

struct ending {
	enum phase phase;
	enum service_type type;
	bool well, restart;
	enum phase leads_to;
};

static void ends_lead_where_policy_says(void **state)
{
	static const struct ending endings[] = {
		{PH_STARTING, TYPE_ONESHOT, true, true, PH_COMPLETED},
		{PH_STARTING, TYPE_ONESHOT, false, true, PH_BACKOFF},
		{PH_STARTING, TYPE_ONESHOT, false, false, PH_FAILED},
		/* ended before it was ready: a failure, whatever its code */
		{PH_STARTING, TYPE_SERVICE, true, true, PH_BACKOFF},
		{PH_STARTING, TYPE_SERVICE, true, false, PH_FAILED},
		{PH_RUNNING, TYPE_SERVICE, true, false, PH_COMPLETED},
		{PH_RUNNING, TYPE_SERVICE, true, true, PH_BACKOFF},
		{PH_READY, TYPE_SERVICE, false, true, PH_BACKOFF},
		{PH_READY, TYPE_SERVICE, false, false, PH_FAILED},
		{PH_UNHEALTHY, TYPE_SERVICE, false, true, PH_BACKOFF},
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		const struct ending *e = &endings[i];
		struct machine_facts facts = {
			.type = e->type, .ended_well = e->well, .may_restart = e->restart};

		assert_int_equal(settle(e->phase, AFTER_INACTIVE, EV_EXITED, &facts).phase,
				 e->leads_to);
	}
}

static void an_external_service_is_never_stopped_only_left(void **state)
{
	struct machine_facts facts = {.type = TYPE_EXTERNAL, .has_readiness = true};
	struct machine_step step = machine_next(PH_READY, AFTER_INACTIVE, EV_UNWANT, &facts);

	(void)state;
	assert_int_equal(step.phase, PH_INACTIVE);
	assert_false(step.effects & (FX_STOP_SIGNAL | FX_KILL_SIGNAL));
	assert_true(step.effects & FX_PROBES_OFF);
	step = machine_next(PH_READY, AFTER_INACTIVE, EV_DEAD, &facts);
	assert_int_equal(step.phase, PH_UNHEALTHY);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_document_holds_the_table),
		cmocka_unit_test(ignored_events_do_nothing),
		cmocka_unit_test(programs_start_only_when_nothing_runs),
		cmocka_unit_test(nothing_that_runs_is_forgotten),
		cmocka_unit_test(deadlines_end_in_kill_and_say_so),
		cmocka_unit_test(a_service_that_is_not_wanted_comes_to_rest),
		cmocka_unit_test(wishes_during_an_ending_decide_where_it_leads),
		cmocka_unit_test(ends_lead_where_policy_says),
		cmocka_unit_test(an_external_service_is_never_stopped_only_left),
	};
	char line[512];

	if (argc < 2 || strcmp(argv[1], "--print") != 0)
		return cmocka_run_group_tests(tests, NULL, NULL);
	printf("| phase |");
	for (enum event event = 0; event < EV_COUNT; event++)
		printf(" %s |", events[event]);
	printf("\n|---|");
	for (enum event event = 0; event < EV_COUNT; event++)
		printf("---|");
	for (enum phase phase = 0; phase < PH_COUNT; phase++) {
		row(line, sizeof(line), phase);
		printf("\n%s", line);
	}
	printf("\n");
	return 0;
}
