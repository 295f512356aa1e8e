/* SPDX-License-Identifier: MIT */
#include "media.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_closest_range_counts(void **state)
{
	static const struct {
		const char *accept;
		int quality;
	} cases[] = {
		{NULL, 1000},
		{"", 1000},
		{" \t", 1000},
		{"*/*", 1000},
		{"application/*", 1000},
		{"text/*", 0},
		{"application/json", 0},
		{"application/health+jso", 0},
		{"application/health+json2", 0},
		{"APPLICATION/Health+JSON", 1000},
		{"text/html, application/health+json;q=0.5", 500},
		{"application/health+json ; q=0.25 ,*/*", 250},
		{"*/*, application/health+json;q=0", 0},
		{"*/*;q=0.1,application/*;q=0.2", 200},
		{"application/*;q=0.2,*/*;q=0.1", 200},
		{"application/health+json;charset=utf-8;q=0.007", 7},
		{"application/health+json;q=1.000", 1000},
		{"application/health+json;q=1.001", 0},
		{"application/health+json;q=0.1234", 0},
		{"application/health+json;q=0.123", 123},
		{"application/health+json;q=2", 0},
		{"application/health+json;q=x", 0},
		{"application/health+json;q=", 0},
		{"application/health+json;q=-1", 0},
		{",, ,*/*,,", 1000},
		{",,;;,*/*,,", 0},
		{"application/health+json;q=0.5,;,*/*", 500},
		{";q=1", 0},
		{"*", 0},
		{"application/", 0},
		{"application/health+json;", 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(media_quality(cases[i].accept, "application", "health+json"),
				 cases[i].quality);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_closest_range_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
