/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "latency.h"
#include "routes.h" /* and its text.h */

#define DOCUMENT "docs/metrics.md"

/* The rules of metrics.h for what stands in the tables, and docs/metrics.md against them. */

typedef void family_seen(const struct metric_family *family);

static void each_family(family_seen *call)
{
	for (size_t i = 0; metric_tables[i]; i++)
		for (const struct metric_family *family = metric_tables[i]; family->name; family++)
			call(family);
}

static bool ends_in(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static bool is_word(const char *text)
{
	return text[0] && strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

/* ---- names ---- */

static void check_name(const struct metric_family *family)
{
	static const char *const reserved[] = {"_total",  "_created", "_info",
					       "_bucket", "_count",   "_sum"};

	if (!is_word(family->name) ||
	    (strncmp(family->name, "muster_", 7) != 0 && strncmp(family->name, "process_", 8) != 0))
		fail_msg("%s: not a name", family->name);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (ends_in(family->name, reserved[i]))
			fail_msg("%s: the suffix comes by itself", family->name);
	for (size_t i = 0; family->labels[i]; i++)
		if (!is_word(family->labels[i]) || i + 1 == METRIC_LABELS)
			fail_msg("%s: labels", family->name);
}

static void names_are_as_they_should_be(void **state)
{
	(void)state;
	each_family(check_name);
}

static const char *current;
static int seen;

static void count_current(const struct metric_family *family)
{
	seen += strcmp(family->name, current) == 0;
}

static void check_once(const struct metric_family *family)
{
	current = family->name;
	seen = 0;
	each_family(count_current);
	if (seen != 1)
		fail_msg("%s: %d families", family->name, seen);
}

static void no_name_comes_twice(void **state)
{
	(void)state;
	each_family(check_once);
}

/* ---- units ---- */

static void check_unit(const struct metric_family *family)
{
	static const char *const units[] = {"seconds", "bytes", "ratio", "celsius",
					    "joules",  "watts", "cores"};
	char end[32];
	bool known = !family->unit[0];

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		snprintf(end, sizeof(end), "_%s", units[i]);
		known |= strcmp(family->unit, units[i]) == 0;
		if (ends_in(family->name, end) != (strcmp(family->unit, units[i]) == 0))
			fail_msg("%s: unit \"%s\"", family->name, family->unit);
	}
	if (!known)
		fail_msg("%s: unit \"%s\"", family->name, family->unit);
	if (family->unit[0] && (family->type == METRIC_STATESET || family->type == METRIC_INFO))
		fail_msg("%s: has no unit", family->name);
}

static void units_are_base_units(void **state)
{
	(void)state;
	each_family(check_unit);
}

/* ---- texts ---- */

static void check_help(const struct metric_family *family)
{
	if (!ends_in(family->help, ".") || strpbrk(family->help, "\\\n\"|"))
		fail_msg("%s: \"%s\"", family->name, family->help);
}

static void helps_are_sentences(void **state)
{
	(void)state;
	each_family(check_help);
}

/* ---- docs/metrics.md ---- */

static char *document;
static bool complete;
static int families;

/* The row of the family, with the name that its samples have and all their labels. */
static void format_row(const struct metric_family *family, char *row, size_t size)
{
	const char *suffix = family->type == METRIC_COUNTER ? "_total"
			     : family->type == METRIC_INFO  ? "_info"
							    : "";
	size_t len = (size_t)snprintf(row, size, "\n| `%s%s` | %s |%s%s |", family->name, suffix,
				      metric_type_name(family->type), family->unit[0] ? " " : "",
				      family->unit);

	for (size_t i = 0; family->labels[i]; i++)
		len += (size_t)snprintf(row + len, size - len, "%s %s", i ? "," : "",
					family->labels[i]);
	if (family->type == METRIC_HISTOGRAM || family->type == METRIC_STATESET)
		len += (size_t)snprintf(row + len, size - len, "%s %s",
					family->labels[0] ? "," : "",
					family->type == METRIC_STATESET ? family->name : "le");
	snprintf(row + len, size - len, " | %s |\n", family->help);
}

static void check_row(const struct metric_family *family)
{
	char row[1024];

	format_row(family, row, sizeof(row));
	families++;
	if (strstr(document, row))
		return;
	complete = false;
	print_error("missing:%s", row);
}

static void read_document(void)
{
	FILE *file = fopen(DOCUMENT, "r");
	size_t size = 0;

	if (!file)
		fail_msg("%s: %s", DOCUMENT, strerror(errno));
	assert_true(getdelim(&document, &size, '\0', file) > 0);
	fclose(file);
}

static void document_tells_of_all_families_and_no_others(void **state)
{
	int rows = 0;

	(void)state;
	read_document();
	complete = true;
	families = 0;
	each_family(check_row);
	for (const char *at = document; (at = strstr(at, "\n| `")); at++)
		rows++;
	free(document);
	assert_true(complete);
	assert_int_equal(rows, families);
}

/* ---- what is written ---- */

static const char *said;
static double number;

static void write_said(struct metrics *metrics)
{
	metric_put(metrics, number, said, "b");
}

static const char *name_switch(unsigned state)
{
	static const char *const names[] = {"off", "on", "odd"};

	return names[state];
}

static void write_switch(struct metrics *metrics)
{
	metric_put_states(metrics, 1, 3, name_switch, "x");
}

static void write_times(struct metrics *metrics)
{
	struct latency latency = {0};

	latency_add(&latency, 1000000); /* a bound belongs to its bucket */
	latency_add(&latency, 1000001);
	latency_add(&latency, UINT64_C(7000000000));
	metric_put_latency(metrics, &latency, "x");
}

static void write_nothing(struct metrics *metrics)
{
	(void)metrics;
}

/* To be freed. */
static char *written(const struct metric_format *format, const struct metric_family *family)
{
	struct text out = {0};
	struct metrics metrics = {.out = &out, .format = format};

	metric_put_family(&metrics, family);
	metric_put_end(&metrics);
	text_put(&out, "");
	return out.data;
}

static void assert_written(const struct metric_format *format, const struct metric_family *family,
			   const char *expected)
{
	char *text = written(format, family);

	assert_string_equal(text, expected);
	free(text);
}

static void each_type_is_written_as_its_format_demands(void **state)
{
	static const struct metric_family table[] = {
		METRIC("m_seconds", COUNTER, "seconds", write_said, "H.", "a", "c"),
		METRIC("m_bytes", GAUGE, "bytes", write_said, "H.", "a", "c"),
		METRIC("m", INFO, "", write_said, "H.", "a", "c"),
		METRIC("m_state", STATESET, "", write_switch, "H.", "a"),
		METRIC("m", GAUGE, "", write_nothing, "H."),
	};

	(void)state;
	said = "x";
	number = 1;
	assert_written(&metric_text, &table[0],
		       "# HELP m_seconds_total H.\n# TYPE m_seconds_total counter\n"
		       "m_seconds_total{a=\"x\",c=\"b\"} 1\n");
	assert_written(&metric_open, &table[0],
		       "# TYPE m_seconds counter\n# UNIT m_seconds seconds\n# HELP m_seconds H.\n"
		       "m_seconds_total{a=\"x\",c=\"b\"} 1\n# EOF\n");
	assert_written(&metric_text, &table[1],
		       "# HELP m_bytes H.\n# TYPE m_bytes gauge\nm_bytes{a=\"x\",c=\"b\"} 1\n");
	assert_written(&metric_text, &table[2],
		       "# HELP m_info H.\n# TYPE m_info gauge\nm_info{a=\"x\",c=\"b\"} 1\n");
	assert_written(&metric_open, &table[2],
		       "# TYPE m info\n# HELP m H.\nm_info{a=\"x\",c=\"b\"} 1\n# EOF\n");
	assert_written(
		&metric_text, &table[3],
		"# HELP m_state H.\n# TYPE m_state gauge\nm_state{a=\"x\",m_state=\"off\"} 0\n"
		"m_state{a=\"x\",m_state=\"on\"} 1\nm_state{a=\"x\",m_state=\"odd\"} 0\n");
	assert_written(&metric_text, &table[4], "");
	assert_written(&metric_open, &table[4], "# EOF\n");
}

static void a_histogram_counts_upwards_to_all(void **state)
{
	static const struct metric_family family =
		METRIC("m_seconds", HISTOGRAM, "seconds", write_times, "H.", "a");

	(void)state;
	assert_written(&metric_text, &family,
		       "# HELP m_seconds H.\n# TYPE m_seconds histogram\n"
		       "m_seconds_bucket{a=\"x\",le=\"0.001\"} 1\n"
		       "m_seconds_bucket{a=\"x\",le=\"0.005\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"0.025\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"0.1\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"0.5\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"1.0\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"5.0\"} 2\n"
		       "m_seconds_bucket{a=\"x\",le=\"+Inf\"} 3\n"
		       "m_seconds_count{a=\"x\"} 3\nm_seconds_sum{a=\"x\"} 7.002\n");
}

static void a_label_may_hold_anything(void **state)
{
	static const struct metric_family family =
		METRIC("m", INFO, "", write_said, "H.", "a", "c");
	static const struct {
		const char *said, *written;
	} cases[] = {
		{"", "a=\"\""},
		{"a\\b\"c\nd", "a=\"a\\\\b\\\"c\\nd\""},
		{"\"\"", "a=\"\\\"\\\"\""},
		{"{}, =\t\r", "a=\"{}, =\t\r\""},
		{"\xc3\xa4\xe2\x82\xac", "a=\"\xc3\xa4\xe2\x82\xac\""},
		{"\xc3", "a=\"?\""},
		{"x\xff\xfe\"", "a=\"x\?\?\\\"\""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text, line[64];

		said = cases[i].said;
		text = written(&metric_text, &family);
		snprintf(line, sizeof(line), "\nm_info{%s,c=\"b\"} ", cases[i].written);
		if (!strstr(text, line))
			fail_msg("%s: %s", line, text);
		free(text);
	}
}

static void numbers_are_those_of_both_formats(void **state)
{
	static const struct metric_family family =
		METRIC("m", GAUGE, "", write_said, "H.", "a", "c");
	static const struct {
		double number;
		const char *written;
	} cases[] = {
		{0, "0"},
		{-0.0, "0"},
		{1, "1"},
		{-1, "-1"},
		{0.1, "0.1"},
		{1e14, "100000000000000"},
		{1e15, "1e+15"},
		{1763750000.12345, "1763750000.12345"},
		{1.5e-7, "1.5e-07"},
		{NAN, "NaN"},
		{INFINITY, "+Inf"},
		{-INFINITY, "-Inf"},
	};

	(void)state;
	said = "x";
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *text, line[64];

		number = cases[i].number;
		text = written(&metric_text, &family);
		snprintf(line, sizeof(line), "\"} %s\n", cases[i].written);
		if (!strstr(text, line))
			fail_msg("%s: %s", cases[i].written, text);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_they_should_be),
		cmocka_unit_test(no_name_comes_twice),
		cmocka_unit_test(units_are_base_units),
		cmocka_unit_test(helps_are_sentences),
		cmocka_unit_test(document_tells_of_all_families_and_no_others),
		cmocka_unit_test(each_type_is_written_as_its_format_demands),
		cmocka_unit_test(a_histogram_counts_upwards_to_all),
		cmocka_unit_test(a_label_may_hold_anything),
		cmocka_unit_test(numbers_are_those_of_both_formats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
