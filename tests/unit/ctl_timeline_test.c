/* SPDX-License-Identifier: MIT */
#include "timeline_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clock.h"
#include "timeline.h"
#include "timeline_svg.h"

#define BOOT (1000 * NSEC_PER_SEC)

static struct status_page page;
static struct timeline timeline;
static char *text;

static int tear_down(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	timeline_free(&timeline);
	status_page_close(&page);
	return 0;
}

static void add(uint32_t index, const char *name, uint64_t wait, uint64_t start, uint64_t ready)
{
	struct status_record *record = status_record_begin(&page, index);

	record->state = ready ? STATE_READY : start ? STATE_STARTING : STATE_WAITING;
	record->wait_begin = BOOT + msec(wait);
	record->start_begin = start ? BOOT + msec(start) : 0;
	record->ready_at = ready ? BOOT + msec(ready) : 0;
	snprintf(record->name, sizeof(record->name), "%s", name);
	status_record_end(&page, index);
}

static void page_begin(uint32_t records, uint32_t edges)
{
	assert_int_equal(status_page_create(&page, -1, records, edges), 0);
	status_header_begin(&page)->boot = BOOT;
	status_header_end(&page);
}

/* Four services; web waits for api and cache, api for db. */
static void make_stack(void)
{
	page_begin(4, 3);
	add(0, "web", 1, 900, 1000);
	add(1, "cache", 1, 1, 50);
	add(2, "api", 1, 300, 900);
	add(3, "db", 1, 1, 300);
	status_edges(&page)[0] =
		(struct status_edge){.from = 0, .to = 2, .condition = COND_HEALTHY};
	status_edges(&page)[1] =
		(struct status_edge){.from = 0, .to = 1, .condition = COND_HEALTHY};
	status_edges(&page)[2] =
		(struct status_edge){.from = 2, .to = 3, .condition = COND_HEALTHY};
}

static void draw(uint64_t until_ms, unsigned width, bool colour)
{
	const struct timeline_style style = {
		.until = msec(until_ms), .width = width, .colour = colour};
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(timeline_build(&timeline, &page), 0);
	timeline_text(out, &timeline, &style);
	fclose(out);
}

static void draw_svg(uint64_t until_ms, const char *host)
{
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(timeline_build(&timeline, &page), 0);
	timeline_svg(out, &timeline, msec(until_ms), host);
	fclose(out);
}

static unsigned occurrences(const char *part)
{
	unsigned count = 0;
	const char *at;

	for (at = text; (at = strstr(at, part)); at += strlen(part))
		count++;
	return count;
}

static void the_picture_of_a_stack(void **state)
{
	(void)state;
	make_stack();
	draw(1000, 57, false);
	assert_string_equal(
		text, "       0                                  1.00s     took\n"
		      "cache |==                                      |     49ms\n"
		      "db    |############                            |    299ms\n"
		      "api   |............########################    |    600ms\n"
		      "web   |....................................####|    100ms\n"
		      ". waiting  = starting  # starting, on the critical path  x failed\n"
		      "\n"
		      "all 4 services ready after 1.00s; critical path 999ms: db > api > web\n"
		      "one after another the same starts would have taken 1.04s\n"
		      "to make it faster:\n"
		      "  api: 600ms from started to ready; with half of that all would be ready "
		      "300ms earlier\n"
		      "  db: 299ms from started to ready; with half of that all would be ready "
		      "149ms earlier\n"
		      "  web: 100ms from started to ready; with half of that all would be ready "
		      "50ms earlier\n");
}

static void what_is_under_way_grows(void **state)
{
	(void)state;
	page_begin(2, 1);
	add(0, "api", 1, 0, 0);
	add(1, "db", 1, 10, 0);
	status_edges(&page)[0] =
		(struct status_edge){.from = 0, .to = 1, .condition = COND_HEALTHY};
	draw(100, 36, false);
	assert_string_equal(text,
			    "      0              100ms     took\n"
			    "db   |..==================| starting\n"
			    "api  |....................|        -\n"
			    ". waiting  = starting  # starting, on the critical path  x failed\n"
			    "\n"
			    "none of 2 services is ready yet\n");
}

static void what_has_failed_ends(void **state)
{
	struct status_record *record;

	(void)state;
	page_begin(2, 0);
	add(0, "bad", 1, 10, 0);
	add(1, "good", 1, 1, 100);
	record = status_record_begin(&page, 0);
	record->state = STATE_FAILED;
	record->since = BOOT + msec(50);
	status_record_end(&page, 0);
	draw(100, 36, false);
	assert_non_null(strstr(text, "bad  |..xxxxxxxx          |   failed\n"));
	free(text);
	timeline_free(&timeline);
	draw_svg(100, "host");
	assert_int_equal(occurrences("<rect class=\"f\""), 1 + 1);
}

static void slots_that_were_short_are_named(void **state)
{
	(void)state;
	page_begin(3, 0);
	add(0, "a", 1, 1, 101);
	add(1, "b", 1, 101, 201);
	add(2, "c", 1, 201, 301);
	draw(301, 80, false);
	assert_non_null(strstr(text, "  services waited up to 200ms for a free start slot"));
}

static void every_width_is_drawn(void **state)
{
	unsigned width, columns;
	char *line;

	(void)state;
	for (width = 1; width < 130; width++) {
		make_stack();
		draw(1000, width, false);
		for (line = strtok(text, "\n"); line && !strchr(line, '|');)
			line = strtok(NULL, "\n");
		for (; line && strchr(line, '|'); line = strtok(NULL, "\n")) {
			columns = width < 27 ? 27 : width; /* below, lines wrap */
			if (strlen(line) > columns)
				fail_msg("'%s' is wider than %u", line, columns);
		}
		tear_down(NULL);
	}
}

static void colours_mark_the_critical_path(void **state)
{
	(void)state;
	make_stack();
	draw(1000, 57, true);
	assert_non_null(strstr(text, "\033[31m############\033[0m"));
	assert_non_null(strstr(text, "cache |=="));
}

static void an_empty_start_is_no_crash(void **state)
{
	(void)state;
	page_begin(0, 0);
	draw(0, 0, false);
	assert_non_null(strstr(text, "none of 0 services"));
}

/* ---- SVG ---- */

static void the_svg_has_a_bar_for_each(void **state)
{
	(void)state;
	make_stack();
	draw_svg(1000, "mainpc");
	assert_int_equal(strncmp(text, "<svg ", 5), 0);
	assert_string_equal(text + strlen(text) - 7, "</svg>\n");
	assert_int_equal(occurrences("<g>"), 4);
	assert_int_equal(occurrences("</g>"), 4);
	assert_int_equal(occurrences("<rect class=\"c\""), 3 + 1); /* and in the legend */
	assert_int_equal(occurrences("<rect class=\"s\""), 1 + 1);
	assert_int_equal(occurrences("<rect class=\"w\""), 2 + 1);
	assert_int_equal(occurrences("<text"), occurrences("</text>"));
	assert_non_null(strstr(text, "<title>api: ready, 600ms, waited last for db</title>"));
}

static void the_svg_escapes_what_it_is_given(void **state)
{
	(void)state;
	page_begin(1, 0);
	add(0, "<a&\"b\">\x1b", 1, 1, 2);
	draw_svg(2, "<host>");
	assert_null(strstr(text, "<a&"));
	assert_null(strstr(text, "<host"));
	assert_null(strchr(text, '\x1b'));
	assert_non_null(strstr(text, "&lt;a&amp;&quot;b&quot;&gt;?"));
}

static void the_svg_of_nothing_is_one(void **state)
{
	(void)state;
	page_begin(0, 0);
	draw_svg(0, "");
	assert_non_null(strstr(text, "</svg>"));
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_picture_of_a_stack),
		TEST(what_is_under_way_grows),
		TEST(what_has_failed_ends),
		TEST(slots_that_were_short_are_named),
		TEST(every_width_is_drawn),
		TEST(colours_mark_the_critical_path),
		TEST(an_empty_start_is_no_crash),
		TEST(the_svg_has_a_bar_for_each),
		TEST(the_svg_escapes_what_it_is_given),
		TEST(the_svg_of_nothing_is_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
