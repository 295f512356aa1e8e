/* SPDX-License-Identifier: MIT */
#include "trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define STEPS 20000

static char shared[] = "data that has been changed";

/* Resident pages of this program, in kB. */
static long resident(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	char line[256];
	long size = -1;

	if (!file)
		skip();
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Rss: %ld", &size) == 1)
			break;
	fclose(file);
	assert_true(size > 0);
	return size;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Something that uses several libraries, and memory of all kinds. */
static void work(void)
{
	json_t *value = json_pack("{s:[i,i,s]}", "list", 1, 2, shared);
	char *text = json_dumps(value, JSON_COMPACT);
	int *numbers = malloc(STEPS * sizeof(*numbers));

	assert_non_null(numbers);
	assert_string_equal(text, "{\"list\":[1,2,\"Data that has been changed\"]}");
	for (int i = 0; i < STEPS; i++)
		numbers[i] = i * 7919 % STEPS;
	qsort(numbers, STEPS, sizeof(*numbers), compare);
	for (int i = 1; i < STEPS; i++)
		assert_true(numbers[i - 1] <= numbers[i]);
	free(numbers);
	free(text);
	json_decref(value);
}

static void all_goes_on_with_less_memory(void **state)
{
	long before;

	(void)state;
	shared[0] = 'D';
	work();
	before = resident();
	trim_now();
	assert_true(resident() < before);
	work();
	trim_now();
	work();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_goes_on_with_less_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
