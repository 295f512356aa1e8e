/* SPDX-License-Identifier: MIT */
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"

/* The value as it was understood, or where and what is wrong. */
static void expect(const char *bytes, size_t size, const char *expected)
{
	struct arena *arena = arena_create();
	struct json_error error = {0};
	const struct json *value;
	char text[200];

	assert_non_null(arena);
	value = json_parse(arena, bytes, size, &error);
	if (!value)
		snprintf(text, sizeof(text), "! %u:%u %s", error.line, error.column, error.what);
	else if (value->text)
		snprintf(text, sizeof(text), "%s", value->text);
	else
		snprintf(text, sizeof(text), "%u %s of %u", value->kind,
			 value->truth ? "true" : "false", value->count);
	if (strcmp(text, expected) != 0)
		fail_msg("%s: %s, not %s", bytes, text, expected);
	arena_destroy(arena);
}

static void check(const char *bytes, const char *expected)
{
	expect(bytes, strlen(bytes), expected);
}

static void escapes_are_read(void **state)
{
	(void)state;
	check("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t");
	check("\"\\u0041\\u00E9\\u20aC\"", "A\xc3\xa9\xe2\x82\xac");
	check("\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80");
}

static void characters_that_are_none_are_refused(void **state)
{
	static const char said[] = "expected \\u and the four digits of a character";
	static const struct {
		const char *text;
		unsigned column;
	} cases[] = {
		{"\"\\u12\"", 2},          {"\"\\u12g4\"", 2},        {"\"\\u12G4\"", 2},
		{"\"\\u12`4\"", 2},        {"\"\\u12@4\"", 2},        {"\"\\u12/4\"", 2},
		{"\"\\u12:4\"", 2},        {"\"\\ud83d\"", 2},        {"\"\\ude00\"", 2},
		{"\"\\ud83d\\n\"", 2},     {"\"\\ud83dxu\"", 2},      {"\"\\udfff\\udc00\"", 2},
		{"\"\\ud83d\\u0041\"", 8}, {"\"\\ud83d\\ue000\"", 8}, {"\"\\ud83d\\u", 8},
	};
	char expected[100];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(expected, sizeof(expected), "! 1:%u %s", cases[i].column, said);
		check(cases[i].text, expected);
	}
	check("\"\\u0000\"", "! 1:2 a text may hold no NUL");
	check("\"\\x\"", "! 1:2 there is no such escape");
	expect("\"\\\0\"", 4, "! 1:2 there is no such escape");
}

static void numbers_are_as_they_are_written(void **state)
{
	static const char *const good[] = {"0", "-0", "10", "-12.50", "1e3", "1E+3", "2.5e-07"};
	static const char *const bad[] = {"-",  "01",  "-01",  "1.", "1.e3",
					  "1e", "1e+", "1E-x", "-x"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		check(good[i], good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		check(bad[i], "! 1:1 this is not a number");
}

static void containers_are_closed_by_their_own(void **state)
{
	(void)state;
	check("[1, [], {} ,\"x\" ]", "4 false of 4");
	check("{\"a\": [1], \"b\" :null}", "5 false of 2");
	check("[1 2]", "! 1:4 expected a comma or ]");
	check("[1}", "! 1:3 expected a comma or ]");
	check("{\"a\": 1]", "! 1:8 expected a comma or }");
	check("{\"a\": {\"b\": true\n\"c\": 1}}", "! 2:1 expected a comma or }");
}

/* In a process that gets no more memory. */
static int parse_without_memory(const char *bytes, size_t size)
{
	struct rlimit none = {0, 0};
	struct arena *arena = arena_create();
	struct json_error error = {0};

	if (!arena || setrlimit(RLIMIT_AS, &none) < 0)
		return 2;
	return json_parse(arena, bytes, size, &error) || strcmp(error.what, "out of memory") != 0;
}

static void without_memory_that_is_said(void **state)
{
	static const struct {
		char begin, repeated[4], end[4];
	} kinds[] = {{'[', "1,", "1]"}, {'[', "[],", "1]"}, {'"', "x", "\""}, {'1', "1", "1"}};
	size_t room = 4 << 20;
	char *text = malloc(room + 8);
	int status;

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t used = 1, len = strlen(kinds[i].repeated);
		pid_t pid;

		text[0] = kinds[i].begin;
		for (; used + len < room; used += len)
			memcpy(text + used, kinds[i].repeated, len);
		strcpy(text + used, kinds[i].end);
		pid = fork();
		if (pid == 0)
			_exit(parse_without_memory(text, strlen(text)));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (status)
			fail_msg("%c%s...: %x", kinds[i].begin, kinds[i].repeated,
				 (unsigned)status);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(escapes_are_read),
		cmocka_unit_test(characters_that_are_none_are_refused),
		cmocka_unit_test(numbers_are_as_they_are_written),
		cmocka_unit_test(containers_are_closed_by_their_own),
		cmocka_unit_test(without_memory_that_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
