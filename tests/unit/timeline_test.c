/* SPDX-License-Identifier: MIT */
#include "timeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"

#define BOOT  (1000 * NSEC_PER_SEC)
#define MS(n) ((n) ? BOOT + msec(n) : 0)

static struct status_page page;
static struct timeline timeline;

static int tear_down(void **state)
{
	(void)state;
	timeline_free(&timeline);
	status_page_close(&page);
	return 0;
}

static void page_begin(uint32_t records, uint32_t edges)
{
	assert_int_equal(status_page_create(&page, -1, records, edges), 0);
	status_header_begin(&page)->boot = BOOT;
	status_header_end(&page);
}

/* A service wanted at 1 ms; times in ms after boot, 0: never. */
static void service(uint32_t index, const char *name, uint64_t start, uint64_t ready)
{
	struct status_record *record = status_record_begin(&page, index);

	record->state = ready ? STATE_READY : STATE_STARTING;
	record->wait_begin = MS(1);
	record->start_begin = MS(start);
	record->ready_at = MS(ready);
	snprintf(record->name, sizeof(record->name), "%s", name);
	status_record_end(&page, index);
}

static void edge(uint32_t index, uint16_t from, uint16_t to, uint8_t condition)
{
	status_edges(&page)[index] =
		(struct status_edge){.from = from, .to = to, .condition = condition};
}

static const struct timeline_entry *entry(const char *name)
{
	uint32_t i;

	for (i = 0; i < timeline.count; i++)
		if (strcmp(timeline.entries[i].name, name) == 0)
			return &timeline.entries[i];
	fail_msg("%s is not in the timeline", name);
	return NULL;
}

static const char *last_dep(const char *name)
{
	int32_t dep = entry(name)->last_dep;

	return dep < 0 ? "" : timeline.entries[dep].name;
}

static void a_stack_of_four(void **state)
{
	/* web on api and cache; api on db */
	(void)state;
	page_begin(4, 3);
	service(0, "web", 905, 1000);
	service(1, "cache", 2, 52);
	service(2, "api", 302, 902);
	service(3, "db", 1, 301);
	edge(0, 0, 2, COND_HEALTHY);
	edge(1, 0, 1, COND_HEALTHY);
	edge(2, 2, 3, COND_HEALTHY);
	assert_int_equal(timeline_build(&timeline, &page), 0);

	assert_int_equal(timeline.count, 4);
	assert_string_equal(timeline.entries[0].name, "db"); /* in the order of their start */
	assert_string_equal(timeline.entries[1].name, "cache");
	assert_string_equal(timeline.entries[2].name, "api");
	assert_string_equal(timeline.entries[3].name, "web");
	assert_int_equal(timeline.entries[3].service, 0);
	assert_int_equal(timeline.total, msec(1000));
	assert_int_equal(timeline.critical, msec(300 + 600 + 95));
	assert_int_equal(timeline.sequential, msec(300 + 600 + 95 + 50));
	assert_int_equal(entry("api")->start_begin, msec(302));
	assert_true(entry("web")->critical && entry("api")->critical && entry("db")->critical);
	assert_false(entry("cache")->critical);
	assert_string_equal(last_dep("web"), "api");
	assert_string_equal(last_dep("api"), "db");
	assert_string_equal(last_dep("db"), "");
}

static void a_dependency_on_the_start_counts_only_up_to_it(void **state)
{
	/* slow takes 900 ms, but quick needs it started only; both begin in one wake-up */
	(void)state;
	page_begin(3, 2);
	service(0, "end", 101, 201);
	service(1, "quick", 1, 101);
	service(2, "slow", 1, 901);
	edge(0, 1, 2, COND_STARTED);
	edge(1, 0, 1, COND_HEALTHY);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(timeline.critical, msec(900));
	assert_true(entry("slow")->critical);
	assert_false(entry("end")->critical);
	assert_string_equal(last_dep("quick"), "slow");
}

static void waiting_for_a_slot_is_not_on_the_path(void **state)
{
	/* one start at a time: the last to be ready is not the one with the longest chain */
	(void)state;
	page_begin(3, 1);
	service(0, "a", 1, 101);
	service(1, "b", 101, 201);
	service(2, "alone", 201, 251);
	edge(0, 1, 0, COND_COMPLETED);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(timeline.total, msec(251));
	assert_int_equal(timeline.critical, msec(200));
	assert_int_equal(timeline.sequential, msec(250));
	assert_true(entry("a")->critical && entry("b")->critical);
	assert_false(entry("alone")->critical);
	assert_int_equal(entry("alone")->last_dep, -1);
}

static void an_unfinished_start_has_no_end(void **state)
{
	(void)state;
	page_begin(3, 2);
	service(0, "later", 0, 0);
	service(1, "now", 51, 0);
	service(2, "done", 1, 51);
	edge(0, 0, 1, COND_HEALTHY);
	edge(1, 1, 2, COND_HEALTHY);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_string_equal(timeline.entries[2].name, "later"); /* never begun: last */
	assert_int_equal(entry("later")->start_begin, 0);
	assert_int_equal(entry("now")->ready_at, 0);
	assert_int_equal(timeline.total, msec(51));
	assert_int_equal(timeline.critical, msec(50));
	assert_int_equal(timeline.sequential, msec(50));
	assert_true(entry("done")->critical);
	assert_false(entry("now")->critical);
}

static void an_optional_dependency_met_too_late_is_not_awaited(void **state)
{
	(void)state;
	page_begin(2, 1);
	service(0, "api", 11, 21);
	service(1, "cache", 1, 500);
	edge(0, 0, 1, COND_HEALTHY);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(entry("api")->last_dep, -1);
	assert_int_equal(timeline.critical, msec(499));
	assert_false(entry("api")->critical);
}

static void strangers_are_left_out(void **state)
{
	struct status_record *record;

	(void)state;
	page_begin(4, 1);
	service(0, "muster-sidecar", 1, 2);
	service(1, "manual", 1, 1);
	service(2, "web", 1, 101);
	service(3, "added-later", 90000, 91000);
	edge(0, 2, 0, COND_HEALTHY);
	status_record_begin(&page, 0)->flags = STATUS_INTERNAL;
	status_record_end(&page, 0);
	record = status_record_begin(&page, 1);
	record->wait_begin = record->start_begin = record->ready_at = 0;
	status_record_end(&page, 1);
	status_record_begin(&page, 3)->wait_begin = MS(90000);
	status_record_end(&page, 3);
	status_header_begin(&page)->startup_done = MS(101);
	status_header_end(&page);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(timeline.count, 1);
	assert_string_equal(timeline.entries[0].name, "web");
	assert_int_equal(timeline.total, msec(101));
}

static void something_that_begins_with_boot_is_not_never(void **state)
{
	struct status_record *record;

	(void)state;
	page_begin(1, 0);
	service(0, "first", 1, 1);
	record = status_record_begin(&page, 0);
	record->wait_begin = record->start_begin = record->ready_at = BOOT;
	status_record_end(&page, 0);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(timeline.entries[0].start_begin, 1);
	assert_int_equal(timeline.entries[0].ready_at, 1);
}

static void edges_of_nonsense_do_no_harm(void **state)
{
	(void)state;
	page_begin(2, 4);
	service(0, "a", 1, 1); /* a cycle of services that were all ready at once */
	service(1, "b", 1, 1);
	edge(0, 0, 1, COND_HEALTHY);
	edge(1, 0, 65535, COND_HEALTHY);
	edge(2, 65535, 0, COND_HEALTHY);
	edge(3, 0, 1, 77);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	timeline_free(&timeline);
	edge(3, 1, 0, COND_HEALTHY);
	assert_int_not_equal(timeline_build(&timeline, &page), 0);
	assert_null(timeline.entries);
}

static void an_empty_page_has_an_empty_timeline(void **state)
{
	(void)state;
	page_begin(0, 0);
	assert_int_equal(timeline_build(&timeline, &page), 0);
	assert_int_equal(timeline.count, 0);
	assert_int_equal(timeline.total, 0);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_stack_of_four),
		TEST(a_dependency_on_the_start_counts_only_up_to_it),
		TEST(waiting_for_a_slot_is_not_on_the_path),
		TEST(an_unfinished_start_has_no_end),
		TEST(an_optional_dependency_met_too_late_is_not_awaited),
		TEST(strangers_are_left_out),
		TEST(something_that_begins_with_boot_is_not_never),
		TEST(edges_of_nonsense_do_no_harm),
		TEST(an_empty_page_has_an_empty_timeline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
