/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"

/* What the reader says, one line each: `S 1 name`, `K 2 name=value`, `! 3 what (text)`. */
struct script {
	char text[8192];
	size_t len;
	unsigned stop_after; /* 0: never */
	unsigned seen;
};

__attribute__((format(printf, 2, 3))) static bool put(struct script *script, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	script->len += (size_t)vsnprintf(script->text + script->len,
					 sizeof(script->text) - script->len, format, args);
	va_end(args);
	assert_true(script->len < sizeof(script->text));
	return ++script->seen != script->stop_after;
}

static bool on_section(void *user, uint32_t line, const char *name)
{
	return put(user, "S %u %s\n", line, name);
}

static bool on_key(void *user, uint32_t line, const char *name, const char *value, size_t len)
{
	assert_int_equal(strlen(value), len);
	return put(user, "K %u %s=%.100s\n", line, name, value);
}

static bool on_problem(void *user, uint32_t line, const char *what, const char *text)
{
	return put(user, "! %u %s (%s)\n", line, what, text ? text : "");
}

static void parse(struct script *script, const char *text, size_t len)
{
	struct reader_handler handler = {script, on_section, on_key, on_problem};
	struct reader_text file = {.bytes = malloc(len + 1), .size = len};

	assert_non_null(file.bytes);
	memcpy(file.bytes, text, len);
	file.bytes[len] = '\0';
	reader_parse(&file, &handler);
	free(file.bytes);
}

static void expect(const char *text, const char *said)
{
	struct script script = {.len = 0};

	parse(&script, text, strlen(text));
	assert_string_equal(script.text, said);
}

static void lines_have_their_numbers(void **state)
{
	(void)state;
	expect("\n[a]\n# comment\nk = v\n\n  more\n  # comment\n  end\n[b]\nx : y\n",
	       "S 2 a\nK 4 k=v\n\nmore\n\nend\nS 9 b\nK 10 x=y\n");
	expect("[a]\nk =\n    one,\n    two\nl =\n", "S 1 a\nK 2 k=\none,\ntwo\nK 5 l=\n");
	expect("", "");
	expect("[empty]\n[last]", "S 1 empty\nS 2 last\n");
}

static void a_deeper_line_continues(void **state)
{
	(void)state;
	expect("[a]\n  k = 1\n  l = 2\n   m = 3\n k = 4\n",
	       "S 1 a\nK 2 k=1\nK 3 l=2\nm = 3\nK 5 k=4\n");
	expect("[a]\n\tk = 1\n\t\t2\n", "S 1 a\nK 2 k=1\n2\n");
	expect("[a]\nk = 1\n  [b]\n", "S 1 a\nK 2 k=1\n[b]\n");
	expect("[a]\n  [b]\n    k = 1\n", "S 1 a\nS 2 b\nK 3 k=1\n");
}

static void comments_stop_at_quotes(void **state)
{
	(void)state;
	expect("[a]\nk = v ; c\nl = v;c\nm = ; c\nn = # v\n",
	       "S 1 a\nK 2 k=v\nK 3 l=v;c\nK 4 m=\nK 5 n=# v\n");
	expect("[a]\nk = \"a ; b\" ; c\nl = 'a ; b' ; 'c\nm = it's ; c\n",
	       "S 1 a\nK 2 k=\"a ; b\"\nK 3 l='a ; b'\nK 4 m=it's\n");
	expect("[a]\nk = \"a \\\" ; b\" ; c\nl = \\\" ; c\"\n",
	       "S 1 a\nK 2 k=\"a \\\" ; b\"\nK 3 l=\\\"\n");
	expect("[a] ; c ] \n[b] # c\n", "S 1 a\nS 2 b\n");
}

static void quotes_reach_over_continuations(void **state)
{
	(void)state;
	expect("[a]\nk = sh -c 'a ; b\n  c ; d\n  # e\n  f' ; g\n  h ; i\n",
	       "S 1 a\nK 2 k=sh -c 'a ; b\nc ; d\n# e\nf'\nh\n");
	/* closed nowhere, or only behind the value */
	expect("[a]\nk = 'a ; b\n  c ; d\nl = 'e'\n", "S 1 a\nK 2 k='a\nc\nK 4 l='e'\n");
	/* an apostrophe inside a word opens nothing that goes on */
	expect("[a]\nk = don't ; b\n  can't ; c\n", "S 1 a\nK 2 k=don't\ncan't\n");
}

static void what_is_no_line_is_reported(void **state)
{
	(void)state;
	expect("x\n[a]\ny\n = 1\n[b\nlost = 1\nz\n[c] d\n",
	       "! 1 neither [section] nor key = value (x)\nS 2 a\n"
	       "! 3 neither [section] nor key = value (y)\nK 4 =1\n"
	       "! 5 a section header without its ] ([b)\n"
	       "! 8 text behind the ] of a section header (d)\nS 8 c\n");
	expect("[a]\nk = 1\r2\n",
	       "S 1 a\n! 2 a carriage return inside the line (lines end with LF or CRLF) ()\n"
	       "K 2 k=1\r2\n");
}

static void line_ends_and_marks(void **state)
{
	struct script script = {.len = 0};

	(void)state;
	expect("\xef\xbb\xbf[a]\r\nk = v\r\n  w\r\n", "S 1 a\nK 2 k=v\nw\n");
	expect("\xff\xfe[", "! 1 the file is in UTF-16; save it as UTF-8 ()\n");
	parse(&script, "[a]\nk = v\n\0\n", 12);
	assert_string_equal(script.text, "! 3 a NUL byte: this is not a text file ()\n");
}

static void the_handler_can_stop_it(void **state)
{
	struct script script = {.stop_after = 2};

	(void)state;
	parse(&script, "[a]\nk = 1\nl = 2\nm = 3\n", 22);
	assert_string_equal(script.text, "S 1 a\nK 2 k=1\n");
	/* at a section, too */
	script = (struct script){.stop_after = 3};
	parse(&script, "[a]\nk = 1\n[b]\nl = 2\n[c]\n", 24);
	assert_string_equal(script.text, "S 1 a\nK 2 k=1\nS 3 b\n");
}

static void put_many(FILE *out, int c, size_t count)
{
	while (count-- > 0)
		fputc(c, out);
}

/* Longer than inih's buffers for lines (200), sections and names (50). */
static void nothing_is_cut(void **state)
{
	struct script script = {.len = 0};
	char *text, head[256];
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	fprintf(out, "[service:%060d]\n%060d = ", 7, 8);
	put_many(out, 'v', 1000000);
	fputs("\n  ", out);
	put_many(out, 'w', 1000000);
	fputs("\n# ", out);
	put_many(out, '[', 1000000);
	fputs("\nk = v\n", out);
	fclose(out);
	parse(&script, text, len);
	snprintf(head, sizeof(head), "S 1 service:%060d\nK 2 %060d=vvvv", 7, 8);
	assert_memory_equal(script.text, head, strlen(head));
	assert_non_null(strstr(script.text, "\nK 5 k=v\n"));
	free(text);
}

static struct arena *arena;
static char dir[] = "/tmp/muster-reader-XXXXXX";

static int set_up(void **state)
{
	(void)state;
	arena = arena_create();
	return arena && mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	arena_destroy(arena);
	snprintf(command, sizeof(command), "rm -r '%s'", dir);
	return system(command);
}

static const char *in_dir(const char *name)
{
	static char path[400];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void refuses(const char *path, const char *reason)
{
	struct reader_text text;
	char why[128];

	assert_false(reader_load(arena, path, 100, &text, why, sizeof(why)));
	assert_string_equal(why, reason);
}

static void only_regular_files_are_read(void **state)
{
	char name[300] = "";

	(void)state;
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	refuses(in_dir("fifo"), "cannot read: is a FIFO, not a regular file");
	assert_int_equal(symlink("loop", in_dir("loop")), 0);
	refuses(in_dir("loop"), "cannot open: symbolic links form a loop");
	refuses(in_dir("missing"), "cannot open: no such file");
	refuses(dir, "cannot read: is a directory, not a file");
	refuses("/dev/zero", "cannot read: is a device, not a regular file");
	assert_int_equal(mknod(in_dir("socket"), S_IFSOCK | 0600, 0), 0);
	refuses(in_dir("socket"), "cannot open: not a regular file");
	memset(name, 'n', sizeof(name) - 1);
	refuses(in_dir(name), "cannot open: the name is too long");
	refuses("/etc/passwd/x", "cannot open: part of the path is not a directory");
}

static void files_are_read_up_to_the_limit(void **state)
{
	struct reader_text text;
	char why[128];
	FILE *file = fopen(in_dir("file"), "w");

	(void)state;
	assert_non_null(file);
	for (int i = 0; i < 2048; i++)
		fputc('a' + i % 26, file);
	fclose(file);
	assert_true(reader_load(arena, in_dir("file"), 2048, &text, why, sizeof(why)));
	assert_int_equal(text.size, 2048);
	assert_int_equal(text.bytes[2047], 'a' + 2047 % 26);
	assert_int_equal(text.bytes[2048], '\0');
	assert_false(reader_load(arena, in_dir("file"), 2047, &text, why, sizeof(why)));
	assert_string_equal(why, "cannot read: larger than 1 KiB");
	/* a file whose size the kernel does not tell */
	assert_true(reader_load(arena, "/proc/self/status", 1 << 20, &text, why, sizeof(why)));
	assert_memory_equal(text.bytes, "Name:", 5);
	/* and is larger than the first look */
	assert_true(reader_load(arena, "/proc/self/smaps", 64 << 20, &text, why, sizeof(why)));
	assert_true(text.size > 8192);
	assert_int_equal(strlen(text.bytes), text.size);
	assert_false(reader_load(arena, "/proc/self/smaps", 4000, &text, why, sizeof(why)));
	assert_string_equal(why, "cannot read: larger than 3 KiB");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_have_their_numbers),
		cmocka_unit_test(a_deeper_line_continues),
		cmocka_unit_test(comments_stop_at_quotes),
		cmocka_unit_test(quotes_reach_over_continuations),
		cmocka_unit_test(what_is_no_line_is_reported),
		cmocka_unit_test(line_ends_and_marks),
		cmocka_unit_test(the_handler_can_stop_it),
		cmocka_unit_test(nothing_is_cut),
		cmocka_unit_test(only_regular_files_are_read),
		cmocka_unit_test(files_are_read_up_to_the_limit),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
