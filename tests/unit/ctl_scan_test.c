/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl.h"

/* main.c, which has the real one, is not part of the archive. */
void ctl_print_help(void)
{
}

/* "text class" of each that was found, with " | " between. */
static char seen[2000];

static bool note(void *user, const struct scan_hit *hit)
{
	const char *text = user;
	size_t used = strlen(seen);

	snprintf(seen + used, sizeof(seen) - used, "%s%.*s%s%s", used ? " | " : "", (int)hit->len,
		 text + hit->at, hit->class == SCAN_ADDRESS ? "" : " ",
		 hit->class == SCAN_ADDRESS ? "" : scan_class_name(hit->class));
	return true;
}

static const char *find(const char *path, const char *text)
{
	size_t size = strlen(text);
	char *marks = malloc(size + 1);
	struct scan_text scanned = {
		.kind = scan_kind_of(path, text, size), .bytes = text, .size = size};

	assert_non_null(marks);
	seen[0] = '\0';
	scan_marks(scan_syntax_of(scanned.kind), text, size, marks);
	scanned.marks = marks;
	scan_find(&scanned, note, (void *)(uintptr_t)text);
	free(marks);
	return seen;
}

struct sample {
	const char *path, *text, *found;
};

static void look_at(const struct sample *samples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		find(samples[i].path, samples[i].text);
		if (strcmp(seen, samples[i].found) != 0)
			print_message("%s: %s\n", samples[i].path, samples[i].text);
		assert_string_equal(seen, samples[i].found);
	}
}

#define LOOK_AT(samples) look_at(samples, sizeof(samples) / sizeof((samples)[0]))

static void addresses_are_found(void **state)
{
	static const struct sample samples[] = {
		{"a.py", "h = '10.0.0.1'", "10.0.0.1"},
		{"a.py", "h = '10.0.0.1:80', '10.0.0.2'", "10.0.0.1:80 | 10.0.0.2"},
		{"a.sh", "x 10.0.0.1-10.0.0.9 -h10.0.0.3 a@10.0.0.4:/x",
		 "10.0.0.1 | 10.0.0.9 | 10.0.0.3 | 10.0.0.4"},
		{"a.sh", "cat </dev/tcp/10.0.0.1/80", "10.0.0.1"},
		{"a.js", "`http://u:p@10.0.0.1:80/${x}`", "10.0.0.1:80"},
		{"a.js", "'http://[fd00::1]:80/' + \"fd00:1::2\"", "[fd00::1]:80 | fd00:1::2"},
		{"a.env", "A=2a01:4f8::1", "2a01:4f8::1"},
		{"a.env", "A=64:ff9b::1 B=::ffff:10.0.0.1", "64:ff9b::1 | ::ffff:10.0.0.1"},
		{"a.env", "A=10.0.0.1.", "10.0.0.1"},
		{"a.env", "K=kafka-1:9092,kafka-2:9092", "kafka-1:9092 | kafka-2:9092"},
		{"a.env", "DB=postgres://u:p@db/app", "db"},
		{"a.yaml", "a: 10.0.0.1\r\nb: 10.0.0.2", "10.0.0.1 | 10.0.0.2"},
		{"a.py", "version_host = '8.7.6.5'", "8.7.6.5"},
		{"a.py", "'10.0.0.1:99999' '10.0.0.1:0'", "10.0.0.1 | 10.0.0.1"},
		{"x", "10.0.0.1", "10.0.0.1"},
	};

	(void)state;
	LOOK_AT(samples);
}

static void look_alikes_are_not(void **state)
{
	static const struct sample samples[] = {
		{"a.py", "v = '1.2.3.4.5' '01.2.3.4' '256.1.1.1' '1.2.3' 'v1.2.3.4'", ""},
		{"a.py", "VERSION = '8.2.3.4'; min_version('8.2.3.4')", ""},
		{"a.json", "{\"versions\": [\n \"8.2.3.4\",\n \"9.2.3.4\"\n]}", ""},
		{"package.json", "\"x\": \"8.2.3.4\"", ""},
		{"a.sh", "x-8.2.3.4.tgz y==8.2.3.4 z_8.2.3.4 8.2.3.4-rc1", ""},
		{"a.yaml", "image: a:8.2.3.4\nimage: reg:5000/x\nat: 12:30\nd: 12:30:45", ""},
		{"a.py", "ua = 'Chrome/8.2.3.4' '1.3.6.1' '2.5.4.3' '255.255.0.0'", ""},
		{"a.cpp", "std::a::b; dead::beef; a::b1; x[2000::2]; fe80::x();", ""},
		{"a.py", "x[2001::2]; y = 'ab:cd:ef:01:02:03'; z = '::'", ""},
		{"a.py", "'redis:7', 'agent.py:8000', 'a:1'", ""},
		{"a.go", "log(\"main.go:443\"); Listen(\":8080\")", ""},
		{"a.muster.ini", "[address:a]\nx = 10.0.0.1\n", ""},
		{"a.py",
		 "x = '10.0.0.1' # muster:ignore\n# muster:ignore\ny = '10.0.0.2'\nz = '10.0.0.3'",
		 "10.0.0.3"},
	};

	(void)state;
	LOOK_AT(samples);
}

static void some_are_reported_apart(void **state)
{
	static const struct sample samples[] = {
		{"a.py", "# 10.0.0.1\n'# 10.0.0.2'", "10.0.0.1 comment | 10.0.0.2"},
		{"a.py", "\"\"\" 10.0.0.1\n10.0.0.2 \"\"\"\nx = \"\"\"10.0.0.3\"\"\"",
		 "10.0.0.1 comment | 10.0.0.2 comment | 10.0.0.3"},
		{"a.c", "/* 10.0.0.1\n */ x(\"http://10.0.0.2\"); // 10.0.0.3",
		 "10.0.0.1 comment | 10.0.0.2 | 10.0.0.3 comment"},
		{"a.yaml", "a: it's 10.0.0.1 # don't 10.0.0.2", "10.0.0.1 | 10.0.0.2 comment"},
		{"a.xml", "<!-- 10.0.0.1 --><a>10.0.0.2</a>", "10.0.0.1 comment | 10.0.0.2"},
		{"a.ini", "; 10.0.0.1\na = 10.0.0.2 ; 10.0.0.3",
		 "10.0.0.1 comment | 10.0.0.2 | 10.0.0.3 comment"},
		{"a.md", "10.0.0.1", "10.0.0.1 comment"},
		{"a.py", "'192.0.2.1', '2001:db8::1', 'db.example.com:5432'",
		 "192.0.2.1 documentation | 2001:db8::1 documentation | db.example.com:5432 "
		 "documentation"},
		{"a.py", "bind('0.0.0.0:80'), listen('127.0.0.1:80')",
		 "0.0.0.0:80 bind | 127.0.0.1:80 bind"},
		{"a.py", "get('http://127.0.0.1:80/', 'http://localhost:80')",
		 "127.0.0.1:80 loopback | localhost:80 loopback"},
		{"a.yaml", "- 10.0.0.1:80:80\n- 10.0.0.0/8\n- 10.0.0.1/8\n- 224.0.0.251",
		 "10.0.0.1:80 bind | 10.0.0.0 network | 10.0.0.1 | 224.0.0.251 network"},
	};

	(void)state;
	LOOK_AT(samples);
}

static bool keep_place(void *user, const struct scan_hit *hit)
{
	unsigned *place = user;

	place[0] = hit->line;
	place[1] = hit->column;
	return false;
}

static void lines_and_columns_count_from_one(void **state)
{
	static const char text[] = "\n  h: 10.0.0.1 10.0.0.2\n";
	char marks[sizeof(text)] = {0};
	const struct scan_text scanned = {
		.kind = KIND_YAML, .bytes = text, .size = strlen(text), .marks = marks};
	unsigned place[2] = {0};

	(void)state;
	scan_find(&scanned, keep_place, place);
	assert_int_equal(place[0], 2);
	assert_int_equal(place[1], 6);
}

/* What a line without an end, or one of quotes only, costs is told by the time the test takes. */
static void long_lines_are_no_harder(void **state)
{
	static const char *const patterns[] = {"\\\"", "'", "1.2.3.4", "a:", "://",
					       "::",   "[", "-",       "@",  "/*"};
	size_t size = 1 << 18, len;
	char *text = malloc(size + 1);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		len = strlen(patterns[i]);
		for (size_t at = 0; at < size; at++)
			text[at] = patterns[i][at % len];
		text[size] = '\0';
		find("a.py", text);
		find("a.js", text);
		find("a.yaml", text);
	}
	free(text);
}

static void differences_are_unified(void **state)
{
	static const char text[] = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12";
	static const struct scan_edit edits[] = {{8, 1, "five"}, {10, 1, "six"}, {24, 2, "twelve"}};
	char *out = NULL;
	size_t size = 0;
	FILE *stream = open_memstream(&out, &size);

	(void)state;
	assert_non_null(stream);
	scan_diff(stream, "./x", text, strlen(text), edits, 3);
	fclose(stream);
	assert_string_equal(
		out, "--- a/x\n+++ b/x\n"
		     "@@ -2,11 +2,11 @@\n 2\n 3\n 4\n-5\n+five\n-6\n+six\n 7\n 8\n 9\n 10\n 11\n"
		     "-12\n\\ No newline at end of file\n+twelve\n\\ No newline at end of file\n");
	free(out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_found),
		cmocka_unit_test(look_alikes_are_not),
		cmocka_unit_test(some_are_reported_apart),
		cmocka_unit_test(lines_and_columns_count_from_one),
		cmocka_unit_test(long_lines_are_no_harder),
		cmocka_unit_test(differences_are_unified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
