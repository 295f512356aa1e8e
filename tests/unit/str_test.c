/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void uint_takes_decimal_digits_only(void **state)
{
	static const char *const bad[] = {"", "-1", "+1", " 1", "1 ", "0x10", "1.0", "1e3", "one"};
	uint64_t value = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse_uint(bad[i], UINT64_MAX, &value));
	assert_int_equal(value, 7);
	assert_true(parse_uint("0", 0, &value));
	assert_int_equal(value, 0);
	assert_true(parse_uint("010", 100, &value));
	assert_int_equal(value, 10);
	assert_true(parse_uint("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(parse_uint("18446744073709551616", UINT64_MAX, &value));
	assert_false(parse_uint("99999999999999999999999", UINT64_MAX, &value));
	assert_true(parse_uint("65535", 65535, &value));
	assert_false(parse_uint("65536", 65535, &value));
}

static void duration_needs_its_unit(void **state)
{
	static const struct {
		const char *text;
		uint32_t ms;
	} good[] = {
		{"0", 0},
		{"0s", 0},
		{"250ms", 250},
		{"10s", 10000},
		{"2m", 120000},
		{"1h", 3600000},
		{"1d", 86400000},
		{"4294967295ms", UINT32_MAX},
		{"49d", 4233600000},
	};
	static const char *const bad[] = {
		"",      "s",     "10",  "10 s",         "10S", "1.5s",     "-1s",
		"1m30s", "10sec", "50d", "4294967296ms", "ms",  "4294968s", "0x1s"};
	uint32_t ms = 7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse_duration(bad[i], &ms));
	assert_int_equal(ms, 7);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(parse_duration(good[i].text, &ms));
		assert_int_equal(ms, good[i].ms);
	}
}

static void size_counts_in_1024(void **state)
{
	uint64_t bytes = 7;

	(void)state;
	assert_true(parse_size("64K", &bytes));
	assert_int_equal(bytes, 65536);
	assert_true(parse_size("512M", &bytes));
	assert_int_equal(bytes, 536870912);
	assert_true(parse_size("2g", &bytes));
	assert_int_equal(bytes, UINT64_C(2) << 30);
	assert_true(parse_size("16777215T", &bytes));
	assert_true(bytes == UINT64_C(16777215) << 40);
	assert_true(parse_size("100", &bytes));
	assert_int_equal(bytes, 100);
	assert_false(parse_size("16777216T", &bytes));
	assert_false(parse_size("64KB", &bytes));
	assert_false(parse_size("K", &bytes));
	assert_false(parse_size("-1", &bytes));
	assert_int_equal(bytes, 100);
}

static void bool_knows_eight_words(void **state)
{
	static const char *const yes[] = {"yes", "true", "on", "1", "YES", "True"};
	static const char *const no[] = {"no", "false", "off", "0", "NO", "Off"};
	bool value;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		value = false;
		assert_true(parse_bool(yes[i], &value) && value);
		assert_true(parse_bool(no[i], &value) && !value);
	}
	assert_false(parse_bool("", &value));
	assert_false(parse_bool("y", &value));
	assert_false(parse_bool("yes ", &value));
	assert_false(parse_bool("2", &value));
}

static void octal_is_a_mode(void **state)
{
	unsigned value = 7;

	(void)state;
	assert_true(parse_octal("022", &value));
	assert_int_equal(value, 022);
	assert_true(parse_octal("0777", &value));
	assert_int_equal(value, 0777);
	assert_true(parse_octal("0", &value));
	assert_int_equal(value, 0);
	assert_false(parse_octal("08", &value));
	assert_false(parse_octal("1000", &value));
	assert_false(parse_octal("00022", &value));
	assert_false(parse_octal("", &value));
}

static void distance_counts_edits_and_swaps(void **state)
{
	char *longer = calloc(1, 100001);

	(void)state;
	assert_non_null(longer);
	memset(longer, 'a', 100000);
	assert_int_equal(str_distance("user", "user", 0), 0);
	assert_int_equal(str_distance("uesr", "user", 2), 1);
	assert_int_equal(str_distance("comand", "command", 2), 1);
	assert_int_equal(str_distance("depends-on", "depends_on", 2), 1);
	assert_int_equal(str_distance("kitten", "sitting", 3), 3);
	assert_int_equal(str_distance("kitten", "sitting", 2), 3);
	assert_int_equal(str_distance("", "abc", 3), 3);
	assert_int_equal(str_distance("", "abc", 2), 3);
	assert_int_equal(str_distance(longer, longer, 5), 6);
	assert_int_equal(str_distance(longer, "a", 5), 6);
	free(longer);
}

static void durations_are_written_for_people(void **state)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{0, "0ms"},
		{999999, "0ms"},
		{250000000, "250ms"},
		{999999999, "999ms"},
		{1200000000, "1.20s"},
		{59999999999, "59.99s"},
		{125000000000, "2m05s"},
		{3600000000000, "1h00m"},
		{90000000000000, "1d01h"},
		{UINT64_MAX, "213503d23h"},
	};
	char buffer[24];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_duration(buffer, sizeof(buffer), cases[i].ns),
				    cases[i].text);
}

/* Beside gmtime_r, over leap years, centuries and every month's end. */
static void times_are_those_of_the_calendar(void **state)
{
	char ours[40], theirs[40];

	(void)state;
	for (uint64_t day = 0; day < 365 * 500; day++) {
		time_t seconds = (time_t)(day * 86400 + day % 86400);
		struct tm tm;

		gmtime_r(&seconds, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S", &tm);
		format_time(ours, sizeof(ours), (uint64_t)seconds * UINT64_C(1000000000) + 7000000);
		assert_memory_equal(ours, theirs, strlen(theirs));
		assert_string_equal(ours + strlen(theirs), ".007Z");
	}
}

static void sizes_are_written_as_they_are_read(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {{0, "0"},          {1000, "1000"},        {1024, "1K"},
		     {64 << 20, "64M"}, {1536 << 10, "1536K"}, {UINT64_C(5) << 40, "5T"}};
	char buffer[24];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(format_size(buffer, sizeof(buffer), cases[i].bytes),
				    cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_those_of_the_calendar),
		cmocka_unit_test(uint_takes_decimal_digits_only),
		cmocka_unit_test(duration_needs_its_unit),
		cmocka_unit_test(size_counts_in_1024),
		cmocka_unit_test(bool_knows_eight_words),
		cmocka_unit_test(octal_is_a_mode),
		cmocka_unit_test(distance_counts_edits_and_swaps),
		cmocka_unit_test(durations_are_written_for_people),
		cmocka_unit_test(sizes_are_written_as_they_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
