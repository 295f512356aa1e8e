/* SPDX-License-Identifier: MIT */
#include "expand.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"
#include "words.h"

static struct arena *arena;

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return arena ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	arena_destroy(arena);
	return 0;
}

/* ---- expand ---- */

static char big[100001];

static const char *find_variable(void *user, const char *name, size_t len)
{
	static const struct {
		const char *name, *value;
	} known[] = {
		{"A", "1"},        {"B", "two words"}, {"EMPTY", ""},
		{"RAW", "${A}$$"}, {"BIG", big},       {"a_1", "low"},
	};
	unsigned *calls = user;

	++*calls;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len && strncmp(known[i].name, name, len) == 0)
			return known[i].value;
	return NULL;
}

static const char *find_address(void *user, const char *text, size_t len, const char **error)
{
	(void)user;
	if (len == 5 && strncmp(text, "redis", 5) == 0)
		return "redis:6379";
	*error = "there is no such address";
	return NULL;
}

static unsigned calls;
static const struct expand_source source = {&calls, find_variable, find_address};

static void gives(const char *text, const char *expected)
{
	const char *error, *value = expand(arena, text, &source, &error);

	assert_non_null(value);
	assert_null(error);
	assert_string_equal(value, expected);
}

static void fails(const char *text, const char *expected)
{
	const char *error;

	assert_null(expand(arena, text, &source, &error));
	assert_string_equal(error, expected);
}

static void variables_and_dollars(void **state)
{
	(void)state;
	gives("plain", "plain");
	gives("${A}", "1");
	gives("x${A}y${B}z", "x1ytwo wordsz");
	gives("${a_1}", "low");
	gives("$$ $$$$ $${A}", "$ $$ ${A}");
	gives("$A $ {A} $(A) $1 $", "$A $ {A} $(A) $1 $");
	gives("[${EMPTY}]", "[]");
	gives("a}b", "a}b");
}

static void values_are_not_expanded_again(void **state)
{
	(void)state;
	gives("${RAW}", "${A}$$");
	gives("${NO:-${RAW}}", "${A}$$");
}

static void defaults_are_used_when_unset_or_empty(void **state)
{
	(void)state;
	gives("${NO:-x y}", "x y");
	gives("${EMPTY:-x}", "x");
	gives("${A:-x}", "1");
	gives("${NO:-}", "");
	gives("${NO:-${EMPTY:-${A}-$$}}!", "1-$!");
	gives("${A:-${NO}}", "1");
	gives("${NO:-a:-b:?c}", "a:-b:?c");
	gives("${NO:-{}}", "{}");
}

static void messages_stop_it(void **state)
{
	(void)state;
	gives("${A:?never}", "1");
	fails("${NO:?say ${A} why}", "${NO} is not set: say 1 why");
	fails("${EMPTY:?}", "${EMPTY} is not set: it is required");
	gives("${A:-${NO:?not needed}}", "1");
	fails("${NO:-${NO2:?needed}}", "${NO2} is not set: needed");
}

static void addresses(void **state)
{
	(void)state;
	gives("tcp://${address:redis}/", "tcp://redis:6379/");
	fails("${address:db}", "there is no such address");
	gives("${A:-${address:db}}", "1");
	fails("${address:redis", "\"${\" without its \"}\"");
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	fails("a ${NO} b", "${NO} is not set; ${NO:-default} gives it a default");
	fails("${", "\"${\" is no variable: use ${NAME}, ${NAME:-default} or $$ for a $");
	fails("${A", "\"${\" without its \"}\"");
	fails("${NO:-x", "\"${\" without its \"}\"");
	fails("${NO:-${A}", "\"${\" without its \"}\"");
	fails("${A:=x}", "\"${A:\" must go on with \"-default}\" or \"?message}\"");
	fails("${A b}", "\"${A b}\" is no variable: use ${NAME}, ${NAME:-default} or $$ for a $");
	fails("${9}", "\"${9}\" is no variable: use ${NAME}, ${NAME:-default} or $$ for a $");
}

/* ${X:-${X:-...}} `depth` times */
static char *nest(int depth)
{
	char *text = calloc((size_t)depth * 6 + 2, 1);

	assert_non_null(text);
	for (int i = 0; i < depth; i++)
		strcat(text, "${X:-");
	strcat(text, "v");
	for (int i = 0; i < depth; i++)
		strcat(text, "}");
	return text;
}

static void depth_and_size_are_bounded(void **state)
{
	char *fits = nest(EXPAND_DEPTH), *deep = nest(EXPAND_DEPTH + 1);
	char many[12 * 7];

	(void)state;
	gives(fits, "v");
	fails(deep, "variables more than 16 deep inside each other");
	free(fits);
	free(deep);
	memset(big, 'x', sizeof(big) - 1);
	many[0] = '\0';
	for (int i = 0; i < 10; i++)
		strcat(many, "${BIG}");
	assert_int_equal(strlen(expand(arena, many, &source, &(const char *){NULL})), 1000000);
	strcat(many, "${BIG}");
	fails(many, "grows by more than 1048576 bytes");
}

/* ---- words ---- */

/* The words with | behind each; a quoted one with ' before it. */
static void splits(const char *text, bool expands, const char *expected)
{
	struct words words;
	char said[256] = "";

	assert_null(words_split(arena, text, expands, &words));
	for (size_t i = 0; i < words.count; i++) {
		strcat(said, words.list[i].quoted ? "'" : "");
		strcat(said, words.list[i].text);
		strcat(said, "|");
	}
	assert_string_equal(said, expected);
}

static void words_as_in_a_shell(void **state)
{
	(void)state;
	splits("", true, "");
	splits(" \t\n ", true, "");
	splits("a  b\tc\nd", true, "a|b|c|d|");
	splits("'a b' \"c d\" e\\ f", true, "'a b|'c d|e f|");
	splits("a'b'\"c\"d", true, "'abcd|");
	splits("'' \"\"", true, "'|'|");
	splits("\"a\\\"b\\\\c\\d\"", true, "'a\"b\\c\\d|");
	splits("'a\\b'", true, "'a\\b|");
	splits("a \\\n b", true, "a|b|");
	splits("\"a\\\nb\"", true, "'ab|");
	splits("x | y > z", true, "x|||y|>|z|");
}

static void protected_dollars_stay(void **state)
{
	(void)state;
	splits("${A} \"${A}\" '${A}' \\${A} \"\\${A}\" $$", true,
	       "${A}|'${A}|'$${A}|$${A}|'$${A}|$$|");
	splits("'$' \\$", false, "'$|$|");
	splits("${A:?a b} ${B:-c ${D:-e f}}g $${h i ${J:-'k l'} m", true,
	       "${A:?a b}|${B:-c ${D:-e f}}g|$${h|i|'${J:-k l}|m|");
	splits("${A b}", false, "${A|b}|");
}

static void open_quotes_are_errors(void **state)
{
	struct words words;

	(void)state;
	assert_string_equal(words_split(arena, "a 'b", true, &words), "a ' is not closed");
	assert_string_equal(words_split(arena, "a \"b\\\"", true, &words), "a \" is not closed");
	assert_string_equal(words_split(arena, "a \\", true, &words),
			    "a backslash at the end escapes nothing");
}

static void unquotes(const char *text, const char *expected)
{
	const char *error, *value = words_unquote(arena, text, &error);

	if (expected) {
		assert_non_null(value);
		assert_string_equal(value, expected);
	} else {
		assert_null(value);
		assert_non_null(error);
	}
}

static void a_value_in_quotes(void **state)
{
	(void)state;
	unquotes("a \"b\"", "a \"b\"");
	unquotes("\"a ; b\"", "a ; b");
	unquotes("'${A}'", "$${A}");
	unquotes("\"${A}\"", "${A}");
	unquotes("\"\"", "");
	unquotes("\"a\" b", NULL);
	unquotes("\"a", NULL);
	unquotes("'", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_and_dollars),
		cmocka_unit_test(values_are_not_expanded_again),
		cmocka_unit_test(defaults_are_used_when_unset_or_empty),
		cmocka_unit_test(messages_stop_it),
		cmocka_unit_test(addresses),
		cmocka_unit_test(what_is_wrong_is_named),
		cmocka_unit_test(depth_and_size_are_bounded),
		cmocka_unit_test(words_as_in_a_shell),
		cmocka_unit_test(protected_dollars_stay),
		cmocka_unit_test(open_quotes_are_errors),
		cmocka_unit_test(a_value_in_quotes),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
