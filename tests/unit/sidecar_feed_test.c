/* SPDX-License-Identifier: MIT */
#include "../../sidecar/feed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned woken;

static void wake(struct feed_reader *reader)
{
	(void)reader;
	woken++;
}

static bool is_known(struct feed *feed, uint64_t last)
{
	struct feed_reader reader = {.wake = wake};
	bool known = feed_join(feed, &reader, last);

	assert_int_equal(reader.at, known && last ? last + 1 : feed_last(feed) + 1);
	feed_leave(feed, &reader);
	return known;
}

static uint64_t publish(struct feed *feed, unsigned count, const char *json)
{
	for (unsigned i = 0; i < count; i++)
		feed_publish(feed, "state", json);
	return feed_last(feed);
}

static void so_many_are_kept(void **state)
{
	struct feed *feed = feed_create(1000000);
	uint64_t last = publish(feed, FEED_EVENTS, "{}");

	(void)state;
	assert_true(is_known(feed, last - FEED_EVENTS)); /* all that were ever told */
	last = publish(feed, 1, "{}");
	assert_true(is_known(feed, last - FEED_EVENTS));
	assert_false(is_known(feed, last - FEED_EVENTS - 1));
	last = publish(feed, 3 * FEED_EVENTS, "{}");
	assert_true(is_known(feed, last - FEED_EVENTS));
	assert_false(is_known(feed, last - FEED_EVENTS - 1));
	assert_true(is_known(feed, last));
	assert_false(is_known(feed, last + 1));
	feed_destroy(feed);
}

static void so_much_is_kept(void **state)
{
	struct feed *feed = feed_create(1000000);
	char json[4000];
	uint64_t last;

	(void)state;
	memset(json, 'x', sizeof(json) - 1);
	json[sizeof(json) - 1] = '\0';
	for (unsigned round = 0; round < 3; round++) { /* what went is given back */
		last = publish(feed, 100, json);
		assert_true(is_known(feed, last - FEED_BYTES / 4200));
		assert_false(is_known(feed, last - FEED_BYTES / 4000 - 1));
	}
	feed_destroy(feed);
}

static void an_event_is_written_on_its_lines(void **state)
{
	struct feed *feed = feed_create(1000000);
	struct feed_reader reader = {.wake = wake};
	char text[256], expected[256];
	ssize_t n;

	(void)state;
	assert_true(feed_join(feed, &reader, 0));
	woken = 0;
	feed_publish(feed, "warn", "{\"a\":\n\"b\rc\"}");
	assert_int_equal(woken, 1);
	snprintf(expected, sizeof(expected), "id: %llu\nevent: warn\ndata: {\"a\": \"b c\"}\n\n",
		 (unsigned long long)feed_last(feed));
	n = feed_read(feed, &reader, text, sizeof(text) - 1);
	assert_int_equal(n, strlen(expected));
	text[n] = '\0';
	assert_string_equal(text, expected);
	assert_int_equal(feed_read(feed, &reader, text, sizeof(text)), 0);
	publish(feed, FEED_EVENTS + 1, "{}");
	assert_int_equal(feed_read(feed, &reader, text, sizeof(text)), -1);
	feed_leave(feed, &reader);
	feed_destroy(feed);
}

static void nobody_goes_on_from_before_a_gap(void **state)
{
	struct feed *feed = feed_create(1000000);
	uint64_t last = publish(feed, 5, "{}");

	(void)state;
	assert_true(is_known(feed, last));
	feed_publish_gap(feed, "why");
	assert_false(is_known(feed, last - 1));
	assert_true(is_known(feed, last)); /* the reset is the first that it gets */
	assert_true(is_known(feed, last + 1));
	feed_destroy(feed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_are_kept),
		cmocka_unit_test(so_much_is_kept),
		cmocka_unit_test(an_event_is_written_on_its_lines),
		cmocka_unit_test(nobody_goes_on_from_before_a_gap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
