/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ctl.h"

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

static int no_verb(struct ctl *ctl, char **argv)
{
	(void)ctl;
	(void)argv;
	return CTL_DONE;
}

static const struct verb verb = {"test", no_verb, "[NAME]", "[-f]", "a verb for tests"};

struct values {
	bool follow;
	const char *word;
	uint32_t time, lines;
};

static struct ctl ctl;
static struct values values;
static int exit_code;

static int parse(char **argv)
{
	const struct arg_option options[] = {{"follow", 'f', ARG_FLAG, &values.follow},
					     {"word", 'w', ARG_TEXT, &values.word},
					     {"time", 't', ARG_DURATION, &values.time},
					     {"lines", 'n', ARG_COUNT, &values.lines}};

	ctl = (struct ctl){.verb = &verb, .run_dir = "default", .colour = true};
	values = (struct values){.lines = 7};
	exit_code = -1;
	return args_parse(&ctl, argv, options, 4, &exit_code);
}

/* Messages of what is refused are not the test's to show. */
static int parse_quietly(char **argv)
{
	int saved = dup(STDERR_FILENO), count;

	assert_non_null(freopen("/dev/null", "w", stderr));
	count = parse(argv);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	return count;
}

#define ARGV(...) ((char *[]){__VA_ARGS__, NULL})

static void options_may_stand_anywhere(void **state)
{
	char **argv = ARGV("web", "-f", "api", "--time=2s", "-n", "12", "--word", "x y", "db");

	(void)state;
	assert_int_equal(parse(argv), 3);
	assert_string_equal(argv[0], "web");
	assert_string_equal(argv[1], "api");
	assert_string_equal(argv[2], "db");
	assert_null(argv[3]);
	assert_true(values.follow);
	assert_int_equal(values.time, 2000);
	assert_int_equal(values.lines, 12);
	assert_string_equal(values.word, "x y");
}

static void letters_may_stand_together(void **state)
{
	(void)state;
	assert_int_equal(parse(ARGV("-fn5")), 0);
	assert_true(values.follow);
	assert_int_equal(values.lines, 5);
	assert_int_equal(parse(ARGV("-fn", "6")), 0);
	assert_int_equal(values.lines, 6);
}

static void two_dashes_end_the_options(void **state)
{
	char **argv = ARGV("-f", "--", "-n", "--word");

	(void)state;
	assert_int_equal(parse(argv), 2);
	assert_string_equal(argv[0], "-n");
	assert_string_equal(argv[1], "--word");
	argv = ARGV("-");
	assert_int_equal(parse(argv), 1);
	assert_string_equal(argv[0], "-");
}

static void every_verb_knows_the_common_ones(void **state)
{
	(void)state;
	assert_int_equal(
		parse(ARGV("--run-dir=/x", "-c", "a.ini", "--config", "b.ini", "--no-color")), 0);
	assert_string_equal(ctl.run_dir, "/x");
	assert_int_equal(ctl.config_count, 2);
	assert_string_equal(ctl.configs[1], "b.ini");
	assert_null(ctl.configs[2]);
	assert_false(ctl.colour);
}

static void what_is_wrong_is_refused(void **state)
{
	char **const wrong[] = {
		ARGV("--nope"),
		ARGV("-x"),
		ARGV("-fx"),
		ARGV("--word"),
		ARGV("-n"),
		ARGV("-n", "-1"),
		ARGV("-n5x"),
		ARGV("--time", "soon"),
		ARGV("--time="),
		ARGV("--follow=yes"),
		ARGV("--fol"),
		ARGV("--followed"),
		ARGV("--lines=99999999999"),
		ARGV("--=x"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (parse_quietly(wrong[i]) != -1 || exit_code != CTL_USAGE)
			fail_msg("%zu was taken", i);
	}
}

static void too_many_files_are_refused(void **state)
{
	static char option[] = "-c", file[] = "x.ini";
	char *argv[2 * (CTL_CONFIGS_MAX + 1) + 1];
	size_t i;

	(void)state;
	for (i = 0; i < 2 * (CTL_CONFIGS_MAX + 1); i += 2) {
		argv[i] = option;
		argv[i + 1] = file;
	}
	argv[i] = NULL;
	assert_int_equal(parse_quietly(argv), -1);
	assert_int_equal(exit_code, CTL_USAGE);
	assert_int_equal(ctl.config_count, CTL_CONFIGS_MAX);
}

static void leading_options_end_at_the_verb(void **state)
{
	char **argv = ARGV("--run-dir", "/y", "status", "--json");

	(void)state;
	ctl = (struct ctl){.run_dir = "default"};
	assert_int_equal(args_parse_leading(&ctl, argv, &exit_code), 2);
	assert_string_equal(ctl.run_dir, "/y");
	assert_string_equal(argv[2], "status");
	argv = ARGV("--run-dir", "/y");
	assert_int_equal(args_parse_leading(&ctl, argv, &exit_code), 2);
	assert_null(argv[2]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_may_stand_anywhere),
		cmocka_unit_test(letters_may_stand_together),
		cmocka_unit_test(two_dashes_end_the_options),
		cmocka_unit_test(every_verb_knows_the_common_ones),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(too_many_files_are_refused),
		cmocka_unit_test(leading_options_end_at_the_verb),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
