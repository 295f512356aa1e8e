/* SPDX-License-Identifier: MIT */
#include "media.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEALTH "application/health+json"

static void the_closest_range_counts(void **state)
{
	static const struct {
		const char *accept, *type;
		unsigned quality;
	} cases[] = {
		{NULL, HEALTH, 1000},
		{"", HEALTH, 1000},
		{" \t", HEALTH, 1000},
		{"*/*", HEALTH, 1000},
		{"application/*", HEALTH, 1000},
		{"text/*", HEALTH, 0},
		{"application/json", HEALTH, 0},
		{"application/health+jso", HEALTH, 0},
		{"application/health+json2", HEALTH, 0},
		{"APPLICATION/Health+JSON", HEALTH, 1000},
		{"text/html, application/health+json;q=0.5", HEALTH, 500},
		{"application/health+json ; q=0.25 ,*/*", HEALTH, 250},
		{"*/*, application/health+json;q=0", HEALTH, 0},
		{"*/*;q=0.1,application/*;q=0.2", HEALTH, 200},
		{"application/*;q=0.2,*/*;q=0.1", HEALTH, 200},
		{"application/health+json;charset=utf-8;q=0.007", HEALTH, 7},
		{"application/health+json;q=1.000", HEALTH, 1000},
		{"application/health+json;q=1.001", HEALTH, 0},
		{"application/health+json;q=0.1234", HEALTH, 0},
		{"application/health+json;q=0.123", HEALTH, 123},
		{"application/health+json;q=2", HEALTH, 0},
		{"application/health+json;q=x", HEALTH, 0},
		{"application/health+json;q=", HEALTH, 0},
		{"application/health+json;q=-1", HEALTH, 0},
		{",,;;,*/*,,", HEALTH, 1000},
		{";q=1", HEALTH, 0},
		{"*", HEALTH, 0},
		{"application/", HEALTH, 0},
		{"application/health+json;", HEALTH, 1000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(media_quality(cases[i].accept, cases[i].type), cases[i].quality);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_closest_range_counts)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
