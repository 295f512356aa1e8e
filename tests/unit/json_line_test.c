/* SPDX-License-Identifier: MIT */
#include "json_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const objects[] = {
	"{}",
	" {\t} \r",
	"{\"a\":1}",
	"{\"a\":-0.5e+10,\"b\":[],\"c\":{},\"d\":[1,2,[null,true,false]],\"e\":\"x\"}",
	"{ \"a\" : [ 1 , { \"b\" : \"\\u00e9\\n\\\\\\\"\\/\" } ] }",
	"{\"caf\xc3\xa9\":\"\xf0\x9f\x98\x80\"}",
	"{\"a\":1,\"a\":2}",
	"{\"\":0}",
	"{\"del\":\"\x7f\"}",
};

static const char *const others[] = {
	"",
	" ",
	"{",
	"}",
	"[]",
	"1",
	"\"a\"",
	"null",
	"{}}",
	"{} x",
	"{]",
	"{\"a\"}",
	"{\"a\":}",
	"{\"a\":1,}",
	"{,}",
	"{\"a\":1 \"b\":2}",
	"{a:1}",
	"{'a':1}",
	"{\"a\":01}",
	"{\"a\":1.}",
	"{\"a\":.5}",
	"{\"a\":+1}",
	"{\"a\":-}",
	"{\"a\":1e}",
	"{\"a\":nul}",
	"{\"a\":nulls}",
	"{\"a\":\"\\x\"}",
	"{\"a\":\"\\u12g4\"}",
	"{\"a\":\"\t\"}",
	"{\"a\":\"\xff\"}",
	"{\"a\":\"\xc3\"}",
	"{\"a\":\"b}",
	"{\"a\":\"b\\",
	"{\"a\":[1,2}",
	"{\"a\":[1,]}",
	"{\"a\":{\"b\":1]}",
	"{\"a\":1}{\"b\":2}",
	"{\"a\":NaN}",
	"{\"a\":\"\\u12",
	"{\"a\"",
};

/* The text in memory of exactly its size, so that a look behind its end is seen. */
static bool is_object(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	bool result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	result = json_line_is_object(copy, len);
	free(copy);
	return result;
}

static void test_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(objects) / sizeof(*objects); i++) {
		size_t len = strlen(objects[i]);

		if (!is_object(objects[i], len))
			fail_msg("%s: is an object", objects[i]);
		for (size_t n = 0; n < len; n++) /* no beginning of it is, but for blanks */
			if (is_object(objects[i], n) && strspn(objects[i] + n, " \t\r") != len - n)
				fail_msg("%.*s: is none", (int)n, objects[i]);
	}
}

static void test_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (is_object(others[i], strlen(others[i])))
			fail_msg("%s: is no object", others[i]);
	assert_false(is_object("{\"a\":\"\0\"}", 9));
	assert_false(is_object("{\0}", 3));
}

static void test_depth(void **state)
{
	char text[6 * JSON_LINE_DEPTH + 16];

	(void)state;
	for (unsigned depth = JSON_LINE_DEPTH - 1; depth <= JSON_LINE_DEPTH; depth++) {
		size_t n = (size_t)sprintf(text, "{\"a\":");

		memset(text + n, '[', depth);
		memset(text + n + depth, ']', depth);
		n += 2 * depth;
		text[n++] = '}';
		assert_int_equal(is_object(text, n), depth < JSON_LINE_DEPTH);
	}
}

static void expect_escaped(const char *text, size_t len, const char *wanted)
{
	char out[256];
	size_t n = json_line_escape(out, text, len);

	assert_int_equal(json_line_escape(NULL, text, len), n);
	assert_true(n <= 6 * len);
	out[n] = '\0';
	assert_string_equal(out, wanted);
}

static void test_escape(void **state)
{
	(void)state;
	expect_escaped("plain", 5, "plain");
	expect_escaped("a\"b\\c\td\0e", 9, "a\\\"b\\\\c\\u0009d\\u0000e");
	expect_escaped("caf\xc3\xa9 \xf0\x9f\x98\x80", 10, "caf\xc3\xa9 \xf0\x9f\x98\x80");
	expect_escaped("\xff\xc3", 2, "\\ufffd\\ufffd");
	expect_escaped("\xe2\x82", 2, "\\ufffd\\ufffd");
	expect_escaped("\x7f", 1, "\\u007f");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_escape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
