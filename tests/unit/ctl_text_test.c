/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"

static void check_clean(const char *text, unsigned width, const char *expected, unsigned columns)
{
	char clean[64];

	assert_int_equal(text_clean(clean, sizeof(clean), text, width), columns);
	assert_string_equal(clean, expected);
}

static void text_becomes_harmless(void **state)
{
	(void)state;
	check_clean("plain", 0, "plain", 5);
	check_clean("a\033[31mred\a", 0, "a?[31mred?", 10);
	check_clean("one\ntwo\r", 0, "one?two?", 8);
	check_clean("\x7f", 0, "?", 1);
	check_clean("\xc2\x9b"
		    "31m",
		    0, "?31m", 4);           /* CSI as one character of 8 bits */
	check_clean("\x9b\xff", 0, "??", 2); /* stray bytes */
	check_clean("gr\xc3\xbc\xc3\x9f", 0, "gr\xc3\xbc\xc3\x9f", 4);
}

static void text_is_cut_between_characters(void **state)
{
	char tiny[4];

	(void)state;
	check_clean("abcdef", 3, "abc", 3);
	check_clean("\xc3\xbc\xc3\xbc\xc3\xbc", 2, "\xc3\xbc\xc3\xbc", 2);
	/* one that takes two columns, marks upon the one before, and what turns the direction */
	check_clean("\xe4\xb8\xad\xe6\x96\x87", 3, "\xe4\xb8\xad", 2);
	check_clean("e\xcc\x81x", 1, "e\xcc\x81", 1);
	check_clean("a\xe2\x80\xae", 0, "a?", 2);
	/* the buffer is too small for the second character */
	assert_int_equal(text_clean(tiny, sizeof(tiny), "\xc3\xbc\xc3\xbc", 0), 1);
	assert_string_equal(tiny, "\xc3\xbc");
}

static void ages_are_short(void **state)
{
	char text[24];

	(void)state;
	assert_string_equal(format_age(text, sizeof(text), 0), "now");
	assert_string_equal(format_age(text, sizeof(text), NSEC_PER_SEC - 1), "now");
	assert_string_equal(format_age(text, sizeof(text), 59 * NSEC_PER_SEC), "59s");
	assert_string_equal(format_age(text, sizeof(text), 61 * NSEC_PER_SEC), "1m01s");
	assert_string_equal(format_age(text, sizeof(text), 90000 * NSEC_PER_SEC), "1d01h");
}

/* Prints the grid into memory and compares. */
static void check_grid(struct grid *grid, unsigned width, bool colours, const char *expected)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_non_null(out);
	grid_print(grid, out, width, colours);
	fclose(out);
	assert_string_equal(text, expected);
	free(text);
}

static void fill(struct grid *grid)
{
	grid_begin(grid, 4, 1U << 2);
	grid_add(grid, COLOUR_BOLD, "NAME");
	grid_add(grid, COLOUR_BOLD, "STATE");
	grid_add(grid, COLOUR_BOLD, "PID");
	grid_add(grid, COLOUR_BOLD, "%s", "");
	grid_add(grid, COLOUR_NONE, "a-service");
	grid_add(grid, COLOUR_RED, "failed");
	grid_add(grid, COLOUR_NONE, "%d", 4711);
	grid_add(grid, COLOUR_DIM, "exit code %d", 1);
}

static void a_grid_has_columns(void **state)
{
	struct grid grid;

	(void)state;
	fill(&grid);
	check_grid(&grid, 0, false,
		   "NAME       STATE    PID\n"
		   "a-service  failed  4711  exit code 1\n");
}

static void colours_take_no_room(void **state)
{
	struct grid grid;

	(void)state;
	fill(&grid);
	check_grid(&grid, 0, true,
		   "\033[1mNAME\033[0m       \033[1mSTATE\033[0m    \033[1mPID\033[0m"
		   "\033[1m\033[0m\n"
		   "a-service  \033[31mfailed\033[0m  4711  \033[2mexit code 1\033[0m\n");
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct grid grid;
	unsigned width;

	(void)state;
	for (width = 1; width < 60; width++) {
		char *text = NULL, *line;
		size_t size = 0;
		FILE *out = open_memstream(&text, &size);

		fill(&grid);
		grid_print(&grid, out, width, false);
		fclose(out);
		for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			if (strlen(line) > width)
				fail_msg("'%s' is wider than %u", line, width);
		}
		free(text);
	}
	fill(&grid);
	check_grid(&grid, 12, false, "NAME    STAT\na-serv  fail\n");
}

static void strange_cells_do_not_break_lines(void **state)
{
	struct grid grid;

	(void)state;
	grid_begin(&grid, 2, 0);
	grid_add(&grid, COLOUR_NONE, "%s", "a\nb");
	grid_add(&grid, COLOUR_NONE, "%0600d", 1); /* longer than a cell */
	check_grid(&grid, 10, false, "a?b  00000\n");
	grid_begin(&grid, 2, 0);
	check_grid(&grid, 0, false, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_harmless),
		cmocka_unit_test(text_is_cut_between_characters),
		cmocka_unit_test(ages_are_short),
		cmocka_unit_test(a_grid_has_columns),
		cmocka_unit_test(colours_take_no_room),
		cmocka_unit_test(no_line_is_wider_than_the_terminal),
		cmocka_unit_test(strange_cells_do_not_break_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
