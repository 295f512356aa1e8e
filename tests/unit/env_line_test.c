/* SPDX-License-Identifier: MIT */
#include "env_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

struct sample {
	const char *line;
	const char *name; /* NULL: nothing on the line, or refused */
	const char *text; /* the value, or the reason */
};

static void check(const struct sample *s)
{
	char line[256], *name, *value = NULL;
	const char *problem;

	snprintf(line, sizeof(line), "%s", s->line);
	problem = env_line_parse(line, &name, &value);
	if (s->name) {
		assert_null(problem);
		assert_string_equal(name, s->name);
		assert_string_equal(value, s->text);
	} else if (s->text) {
		assert_string_equal(problem, s->text);
		assert_null(name);
	} else {
		assert_null(problem);
		assert_null(name);
	}
}

static void values(void **state)
{
	static const struct sample samples[] = {
		{"A=1", "A", "1"},
		{"A=", "A", ""},
		{"  A=1  ", "A", "1"},
		{"A= 1", "A", " 1"},
		{"A=b=c", "A", "b=c"},
		{"A=b#c", "A", "b#c"},
		{"A=b #c", "A", "b"},
		{"A=#c", "A", "#c"},
		{"A=\t# c", "A", ""},
		{"export A=1", "A", "1"},
		{"export\tA=1", "A", "1"},
		{"export=1", "export", "1"},
		{"exported=1", "exported", "1"},
		{"A=\"b c\"", "A", "b c"},
		{"A=\"b\\\"\\\\\\n\\t\\r\\$\"", "A", "b\"\\\n\t\r$"},
		{"A=\"b\" # c", "A", "b"},
		{"A=\"b\"#c", "A", "b"},
		{"A='b \\n \"c\"'", "A", "b \\n \"c\""},
		{"A=''", "A", ""},
		{"A=b\"c\"", "A", "b\"c\""},
		{"a.b-c_1=x", "a.b-c_1", "x"},
		{"A=$HOME ${X}", "A", "$HOME ${X}"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check(&samples[i]);
}

static void lines_that_hold_nothing(void **state)
{
	static const struct sample samples[] = {{"", NULL, NULL},
						{" \t", NULL, NULL},
						{"# A=1", NULL, NULL},
						{"  # x", NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check(&samples[i]);
}

static void wrong_lines(void **state)
{
	static const struct sample samples[] = {
		{"A", NULL, "expected NAME=value"},
		{"export A", NULL, "expected NAME=value"},
		{"=1", NULL, "there is no name before the ="},
		{"1A=1", NULL, "the name of a variable begins with a letter or _"},
		{"-A=1", NULL, "the name of a variable begins with a letter or _"},
		{"A B=1", NULL, "the name of a variable has letters, digits and _ only"},
		{"A =1", NULL, "the name of a variable has letters, digits and _ only"},
		{"\xc3\xa4=1", NULL, "the name of a variable begins with a letter or _"},
		{"A=\"b", NULL, "the quote is not closed on this line"},
		{"A=\"b\\\"", NULL, "the quote is not closed on this line"},
		{"A=\"b\\", NULL, "the quote is not closed on this line"},
		{"A='b", NULL, "the quote is not closed on this line"},
		{"A='b'c", NULL, "text behind the closing quote"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
		check(&samples[i]);
}

static void names_have_a_limit(void **state)
{
	char name[300];

	(void)state;
	memset(name, 'A', sizeof(name));
	name[299] = '\0';
	assert_null(env_name_problem(name, 255));
	assert_string_equal(env_name_problem(name, 256), "the name is longer than 255 characters");
}

static void texts_are_cut_into_lines(void **state)
{
	char text[] = "\xef\xbb\xbf"
		      "one\ntwo\r\n\n\r\nlast";
	static const char *const expected[] = {"one", "two", "", "", "last"};
	char *at = env_text_begin(text), *line;
	size_t count = 0;

	(void)state;
	while ((line = env_text_line(&at))) {
		assert_true(count < 5);
		assert_string_equal(line, expected[count++]);
	}
	assert_int_equal(count, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(lines_that_hold_nothing),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(names_have_a_limit),
		cmocka_unit_test(texts_are_cut_into_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
