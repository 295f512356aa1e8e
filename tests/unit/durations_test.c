/* SPDX-License-Identifier: MIT */
#include "durations.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "clock.h"

static char path[] = "/tmp/muster-durations-XXXXXX";
static struct durations known;

static int read_text(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	durations_free(&known);
	return durations_read(&known, path);
}

static uint32_t typical(const char *name, unsigned from)
{
	const struct duration *found = durations_find(&known, name);

	assert_non_null(found);
	return duration_typical(found, from);
}

static void a_line_a_service(void **state)
{
	(void)state;
	assert_int_equal(read_text("muster-durations 1 42\nweb 30 - 10\ndb 5\nx - - 7\nnone -\n"),
			 0);
	assert_int_equal(known.count, 4);
	assert_int_equal(known.boot, 42);
	assert_int_equal(typical("web", 0), 10); /* the lower of two */
	assert_int_equal(typical("web", 1), 10);
	assert_int_equal(typical("web", 3), DURATIONS_NONE);
	assert_int_equal(typical("db", 0), 5);
	assert_int_equal(typical("x", 0), 7);
	assert_int_equal(typical("none", 0), DURATIONS_NONE);
	assert_null(durations_find(&known, "we"));
}

static void the_median_is_typical(void **state)
{
	(void)state;
	assert_int_equal(read_text("muster-durations 1 1\na 9 1 8 2 7\n"), 0);
	assert_int_equal(typical("a", 0), 7);
	assert_int_equal(typical("a", 1), 2);
}

static void what_is_wrong_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"muster-durations 1 1",
		"muster-durations 1 \n",
		"muster-durations 1 -1\n",
		"muster-durations 2 1\na 1\n",
		"muster-durations 1 1\na 1\nb 2",
		"muster-durations 1 1\na 1 2 3 4 5 6\n",
		"muster-durations 1 1\na 4294967295\n",
		"muster-durations 1 1\na one\n",
		"muster-durations 1 1\n \n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (read_text(wrong[i]) != -EPROTO)
			fail_msg("'%s' is taken", wrong[i]);
		assert_int_equal(known.count, 0);
	}
	assert_int_equal(durations_read(&known, "/nowhere/durations"), -ENOENT);
}

static void add(struct status_page *page, uint32_t index, const char *name, uint64_t took)
{
	struct status_record *record = status_record_begin(page, index);

	record->start_begin = msec(5);
	record->ready_at = took ? msec(5 + took) : 0;
	snprintf(record->name, sizeof(record->name), "%s", name);
	status_record_end(page, index);
}

/* Many services, so that the text goes out in several pieces. */
static void what_is_written_is_read(void **state)
{
	struct status_page page;
	char name[STATUS_NAME_MAX];
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(status_page_create(&page, -1, 1000, 0), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%060u", i);
		add(&page, i, name, i);
	}
	assert_int_equal(read_text("muster-durations 1 1\n"
				   "000000000000000000000000000000000000000000000000000000000000 1 "
				   "2 3 4 5\ngone 7\n"),
			 0);
	assert_int_equal(durations_write(fileno(file), &page, &known), 0);
	fclose(file);
	durations_free(&known);
	assert_int_equal(durations_read(&known, path), 0);
	assert_int_equal(known.count, 1000);
	for (uint32_t i = 1; i < 1000; i++)
		assert_int_equal(known.entries[i].ms[0], i);
	assert_int_equal(known.entries[0].ms[0], DURATIONS_NONE);
	assert_int_equal(known.entries[0].ms[4], 4);
	status_page_close(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_a_service),
		cmocka_unit_test(the_median_is_typical),
		cmocka_unit_test(what_is_wrong_is_refused),
		cmocka_unit_test(what_is_written_is_read),
	};
	int fd = mkstemp(path), failed;

	if (fd < 0)
		return 1;
	close(fd);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	durations_free(&known);
	unlink(path);
	return failed;
}
