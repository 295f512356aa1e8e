/* SPDX-License-Identifier: MIT */
#include "json_out.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* A stream in memory for what is written. */
struct memory {
	char *text;
	size_t size;
	FILE *out;
	struct json_out json;
};

static void memory_open(struct memory *memory, bool pretty)
{
	memory->out = open_memstream(&memory->text, &memory->size);
	assert_non_null(memory->out);
	json_begin(&memory->json, memory->out, pretty);
}

static void memory_expect(struct memory *memory, const char *expected)
{
	fclose(memory->out);
	assert_string_equal(memory->text, expected);
	free(memory->text);
}

static void values_and_commas(void **state)
{
	struct memory m;

	(void)state;
	memory_open(&m, false);
	json_object_begin(&m.json, NULL);
	json_text(&m.json, "name", "web");
	json_uint(&m.json, "big", UINT64_MAX);
	json_int(&m.json, "exit", -1);
	json_bool(&m.json, "ready", true);
	json_bool(&m.json, "failed", false);
	json_nothing(&m.json, "pid");
	json_text(&m.json, "cause", NULL);
	json_seconds(&m.json, "took", 12000345678);
	json_array_begin(&m.json, "empty");
	json_array_end(&m.json);
	json_array_begin(&m.json, "list");
	json_uint(&m.json, NULL, 1);
	json_object_begin(&m.json, NULL);
	json_object_end(&m.json);
	json_text(&m.json, NULL, "x");
	json_array_end(&m.json);
	json_uint(&m.json, "last", 0);
	json_object_end(&m.json);
	json_end(&m.json);
	memory_expect(&m, "{\"name\":\"web\",\"big\":18446744073709551615,\"exit\":-1,"
			  "\"ready\":true,\"failed\":false,\"pid\":null,\"cause\":null,"
			  "\"took\":12.000345,\"empty\":[],\"list\":[1,{},\"x\"],\"last\":0}\n");
}

static void lines_for_people(void **state)
{
	struct memory m;

	(void)state;
	memory_open(&m, true);
	json_object_begin(&m.json, NULL);
	json_uint(&m.json, "a", 1);
	json_array_begin(&m.json, "b");
	json_object_begin(&m.json, NULL);
	json_uint(&m.json, "c", 2);
	json_object_end(&m.json);
	json_array_end(&m.json);
	json_array_begin(&m.json, "d");
	json_array_end(&m.json);
	json_object_end(&m.json);
	json_end(&m.json);
	memory_expect(&m, "{\n  \"a\": 1,\n  \"b\": [\n    {\n      \"c\": 2\n    }\n  ],\n"
			  "  \"d\": []\n}\n");
}

static void text_is_escaped_and_valid(void **state)
{
	static const struct {
		const char *text, *json;
	} table[] = {
		{"", "\"\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"line\nnext\tcell\r", "\"line\\nnext\\tcell\\u000d\""},
		{"\x1b[31m\x7f", "\"\\u001b[31m\\u007f\""},
		{"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80",
		 "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""},
		{"\xff", "\"\\ufffd\""},
		{"\xc3", "\"\\ufffd\""},                       /* cut short */
		{"\xe2\x82", "\"\\ufffd\\ufffd\""},            /* cut short */
		{"\xc3(", "\"\\ufffd(\""},                     /* no continuation */
		{"\xc0\xaf", "\"\\ufffd\\ufffd\""},            /* overlong */
		{"\xe0\x80\xaf", "\"\\ufffd\\ufffd\\ufffd\""}, /* overlong */
		{"\xed\xa0\x80", "\"\\ufffd\\ufffd\\ufffd\""}, /* surrogate */
		{"\xf4\x90\x80\x80", "\"\\ufffd\\ufffd\\ufffd\\ufffd\""},
		{"\x80x", "\"\\ufffdx\""},
	};
	struct memory m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		memory_open(&m, false);
		json_text(&m.json, NULL, table[i].text);
		memory_expect(&m, table[i].json);
	}
}

static void times_are_rfc_3339(void **state)
{
	struct memory m;

	(void)state;
	memory_open(&m, false);
	json_array_begin(&m.json, NULL);
	json_time(&m.json, NULL, 0);
	json_time(&m.json, NULL, UINT64_C(1700000000123456789));
	json_array_end(&m.json);
	memory_expect(&m, "[null,\"2023-11-14T22:13:20.123Z\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_and_commas),
		cmocka_unit_test(lines_for_people),
		cmocka_unit_test(text_is_escaped_and_valid),
		cmocka_unit_test(times_are_rfc_3339),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
