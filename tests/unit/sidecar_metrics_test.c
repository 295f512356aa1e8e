/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_as_they_should_be),
		cmocka_unit_test(no_name_comes_twice),
		cmocka_unit_test(units_are_base_units),
		cmocka_unit_test(helps_are_sentences),
		cmocka_unit_test(document_tells_of_all_families_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
