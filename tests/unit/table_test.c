/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arena.h"

#define MANY 20000

static void keys_are_found_again(void **state)
{
	struct arena *arena = arena_create();
	struct table *table = table_create(arena);
	char(*keys)[16] = calloc(MANY, sizeof(*keys));

	(void)state;
	assert_non_null(table);
	assert_non_null(keys);
	assert_null(table_find(table, "key-0", 5));
	for (uint32_t i = 0; i < MANY; i++) {
		struct table_entry *entry;

		snprintf(keys[i], sizeof(keys[i]), "key-%u", i);
		entry = table_add(table, keys[i], strlen(keys[i]));
		assert_non_null(entry);
		assert_int_equal(entry->value, TABLE_NEW);
		entry->value = i;
	}
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(table_find(table, keys[i], strlen(keys[i]))->value, i);
		assert_int_equal(table_add(table, keys[i], strlen(keys[i]))->value, i);
	}
	assert_null(table_find(table, "key-20000", 9));
	free(keys);
	arena_destroy(arena);
}

static void keys_are_bytes(void **state)
{
	struct arena *arena = arena_create();
	struct table *table = table_create(arena);

	(void)state;
	table_add(table, "a\0b", 3)->value = 1;
	table_add(table, "a\0c", 3)->value = 2;
	table_add(table, "a", 1)->value = 3;
	table_add(table, "", 0)->value = 4;
	assert_int_equal(table_find(table, "a\0b", 3)->value, 1);
	assert_int_equal(table_find(table, "a\0c", 3)->value, 2);
	assert_int_equal(table_find(table, "abc", 1)->value, 3);
	assert_int_equal(table_find(table, "x", 0)->value, 4);
	assert_null(table_find(table, "a\0", 2));
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_found_again),
		cmocka_unit_test(keys_are_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
