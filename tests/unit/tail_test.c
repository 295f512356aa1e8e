/* SPDX-License-Identifier: MIT */
#include "tail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SHARES 40

static struct tail tail;
static struct tail_share shares[SHARES];

static int reset(void **state)
{
	(void)state;
	memset(&tail, 0, sizeof(tail));
	memset(shares, 0, sizeof(shares));
	return 0;
}

/* The text of line `number` of a share: what it is can be told from it alone. */
static size_t make_line(char *text, unsigned share, unsigned number, size_t size)
{
	int n = snprintf(text, TAIL_LINE_MAX + 1, "%u %u %zu ", share, number, size);

	if ((size_t)n < size)
		memset(text + n, 'a' + (int)(number % 26), size - (size_t)n);
	return (size_t)n < size ? size : (size_t)n;
}

static void add(unsigned share, unsigned number, size_t size)
{
	static char text[TAIL_LINE_MAX + 64];
	size_t len = make_line(text, share, number, size);

	tail_add(&tail, &shares[share], number, (uint16_t)share, 1 + share % 2, text, len);
}

/* The text is what was put in, also when it is read in pieces. */
static void check_entry(const struct tail_entry *entry, unsigned *share, unsigned *number)
{
	static char text[TAIL_LINE_MAX + 64], wanted[TAIL_LINE_MAX + 64];
	size_t len = tail_text(&tail, entry, 0, text, TAIL_LINE_MAX), size;
	size_t cut = len * 2 / 3;

	text[len] = '\0';
	assert_int_equal(len, tail_size(entry));
	assert_int_equal(sscanf(text, "%u %u %zu", share, number, &size), 3);
	assert_int_equal(make_line(wanted, *share, *number, size), len);
	assert_memory_equal(text, wanted, len);
	assert_int_equal(*share, entry->slot);
	assert_int_equal(*number, entry->time_realtime);
	assert_int_equal(tail_text(&tail, entry, cut, text, sizeof(text)), len - cut);
	assert_memory_equal(text, wanted + cut, len - cut);
}

/* Reads all; counts lines of each share, which are the last without a gap. */
static void read_all(unsigned counts[SHARES])
{
	struct tail_cursor cursor = {0};
	const struct tail_entry *entry;
	unsigned share, number;
	uint64_t last = 0;

	memset(counts, 0, SHARES * sizeof(*counts));
	tail_open(&tail, &cursor, UINT32_MAX);
	while ((entry = tail_peek(&tail, &cursor))) {
		check_entry(entry, &share, &number);
		assert_true(number > last);
		last = number;
		counts[share]++;
		tail_step(&tail, &cursor);
	}
	assert_int_equal(cursor.lost, 0);
	tail_close(&tail, &cursor);
	assert_null(tail.cursors);
}

static void test_one_has_all(void **state)
{
	unsigned counts[SHARES];

	(void)state;
	for (unsigned i = 1; i <= 100000; i++)
		add(3, i, 100);
	read_all(counts);
	assert_in_range(counts[3] * 128, TAIL_SIZE * 9 / 10, TAIL_SIZE);
}

static void test_the_quiet_is_not_pushed_out(void **state)
{
	unsigned counts[SHARES], number = 0;

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		add(7, ++number, 60);
	for (unsigned i = 0; i < 100000; i++)
		add(i % 2, ++number, 90);
	read_all(counts);
	assert_int_equal(counts[7], 20);
	/* and those that talk have equal parts, also one that begins late */
	assert_in_range(counts[0], counts[1] * 9 / 10, counts[1] * 11 / 10);
	for (unsigned i = 0; i < 100000; i++)
		add(i % 3, ++number, 90);
	read_all(counts);
	assert_int_equal(counts[7], 20);
	assert_in_range(counts[2], counts[1] * 9 / 10, counts[1] * 11 / 10);
	assert_in_range(counts[2], counts[0] * 9 / 10, counts[0] * 11 / 10);
}

/* Each wanted line is read or counted as lost, at whatever pace. */
static void test_losses_are_exact(void **state)
{
	const uint16_t wanted[] = {0, 5};
	struct tail_cursor cursor = {.slots = wanted, .count = 2};
	uint64_t seen = 0, lost = 0, added = 0;
	unsigned share, number;

	(void)state;
	tail_open(&tail, &cursor, 10);
	for (unsigned i = 1; i <= 60000; i++) {
		unsigned from = (unsigned)rand() % 8;

		add(from, i, (size_t)rand() % (i % 500 ? 300 : TAIL_LINE_MAX));
		added += from == 0 || from == 5;
		for (unsigned n = 0; i % 20000 > 14000 && n < 3; n++) {
			const struct tail_entry *entry = tail_peek(&tail, &cursor);

			lost += cursor.lost;
			cursor.lost = 0;
			if (!entry)
				break;
			check_entry(entry, &share, &number);
			assert_true(share == 0 || share == 5);
			seen++;
			tail_step(&tail, &cursor);
		}
	}
	while (tail_peek(&tail, &cursor)) {
		seen++;
		tail_step(&tail, &cursor);
	}
	lost += cursor.lost;
	assert_true(lost > 0);
	assert_int_equal(seen + lost, added);
	tail_close(&tail, &cursor);
}

static void test_last_lines(void **state)
{
	const uint16_t wanted[] = {2};
	struct tail_cursor cursor = {.slots = wanted, .count = 1};
	const struct tail_entry *entry;
	unsigned share, number;

	(void)state;
	for (unsigned i = 1; i <= 100; i++)
		add(i % 4, i, 30);
	tail_open(&tail, &cursor, 3);
	for (unsigned i = 0; i < 3; i++) {
		entry = tail_peek(&tail, &cursor);
		assert_non_null(entry);
		check_entry(entry, &share, &number);
		assert_int_equal(number, 90 + 4 * i);
		tail_step(&tail, &cursor);
	}
	assert_null(tail_peek(&tail, &cursor));
	/* and what comes later */
	add(1, 101, 30);
	assert_null(tail_peek(&tail, &cursor));
	add(2, 102, 30);
	assert_non_null(tail_peek(&tail, &cursor));
	tail_close(&tail, &cursor);
}

/* Lines of all sizes from all, and streams that go: the bounds hold, nothing is mixed up. */
static void test_at_random(void **state)
{
	unsigned counts[SHARES], number = 0;

	(void)state;
	for (unsigned round = 0; round < 30; round++) {
		unsigned some = 1 + (unsigned)rand() % SHARES;
		size_t most = rand() % 3 ? 200 : TAIL_LINE_MAX;

		for (unsigned i = 0; i < 3000; i++)
			add((unsigned)rand() % some, ++number, (size_t)rand() % (most + 1));
		read_all(counts);
		for (unsigned i = 0; i < some; i++)
			assert_true(counts[i] > 0);
		some = (unsigned)rand() % SHARES;
		tail_forget(&tail, &shares[some]);
		read_all(counts);
		assert_int_equal(counts[some], 0);
	}
	for (unsigned i = 0; i < SHARES; i++)
		tail_forget(&tail, &shares[i]);
	assert_null(tail.shares);
	assert_int_equal(tail.first, 0);
	assert_int_equal(tail.last, 0);
}

/* More streams than blocks: the newest lines are there. */
static void test_more_than_fit(void **state)
{
	static struct tail_share many[6000];
	char text[] = "one line";

	(void)state;
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < 6000; i++)
			tail_add(&tail, &many[i], i, (uint16_t)i, 1, text, sizeof(text) - 1);
	assert_int_equal(many[5999].blocks, 1);
	for (unsigned i = 0; i < 6000; i++)
		tail_forget(&tail, &many[i]);
	assert_int_equal(tail.first, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_one_has_all, reset),
		cmocka_unit_test_setup(test_the_quiet_is_not_pushed_out, reset),
		cmocka_unit_test_setup(test_losses_are_exact, reset),
		cmocka_unit_test_setup(test_last_lines, reset),
		cmocka_unit_test_setup(test_at_random, reset),
		cmocka_unit_test_setup(test_more_than_fit, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
