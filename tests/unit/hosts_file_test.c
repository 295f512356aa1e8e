/* SPDX-License-Identifier: MIT */
#include "hosts_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fd.h"

static void edits(const char *text, const char *lines, const char *expected)
{
	char *result = hosts_edit(text, lines);

	assert_non_null(result);
	assert_string_equal(result, expected);
	free(result);
}

static void lines_come_behind_those_of_others(void **state)
{
	(void)state;
	edits("", "", "");
	edits("127.0.0.1 localhost\n", "", "127.0.0.1 localhost\n");
	edits("127.0.0.1 localhost\n", "10.0.0.1 a\nfd00::1 b c\n",
	      "127.0.0.1 localhost\n10.0.0.1\ta\t# muster\nfd00::1\tb c\t# muster\n");
	edits("1.1.1.1 x", "2.2.2.2 y\n", "1.1.1.1 x\n2.2.2.2\ty\t# muster\n");
	edits("1.1.1.1 x", "", "1.1.1.1 x"); /* not even a line break is added without need */
}

static void our_lines_go_and_no_others(void **state)
{
	(void)state;
	edits("a\n2.2.2.2\ty\t# muster\nb # muster of old\n\n#\tc\n3.3.3.3 z # muster \r\n", "",
	      "a\nb # muster of old\n\n#\tc\n");
	edits("2.2.2.2\ty\t# muster\n9.9.9.9 appended later\n", "2.2.2.3 y\n",
	      "9.9.9.9 appended later\n2.2.2.3\ty\t# muster\n");
}

static void a_name_of_others_is_theirs(void **state)
{
	(void)state;
	edits("1.1.1.1\tA b # c\n", "2.2.2.2 a\n2.2.2.2 b d\n2.2.2.2 c\n",
	      "1.1.1.1\tA b # c\n2.2.2.2\td\t# muster\n2.2.2.2\tc\t# muster\n");
	/* the address of a line is no name, and a name in our own old line is no obstacle */
	edits("a x\n5.5.5.5\ty\t# muster\n", "1.1.1.1 a\n2.2.2.2 y\n",
	      "a x\n1.1.1.1\ta\t# muster\n2.2.2.2\ty\t# muster\n");
}

static void our_names_are_known(void **state)
{
	static const char text[] = "1.1.1.1 theirs\n2.2.2.2\tours two\t# muster\n";

	(void)state;
	assert_true(hosts_has_ours(text, "ours"));
	assert_true(hosts_has_ours(text, "TWO"));
	assert_false(hosts_has_ours(text, "theirs"));
	assert_false(hosts_has_ours(text, "our"));
	assert_false(hosts_has_ours(text, "2.2.2.2"));
}

/* ---- the file ---- */

static char path[] = "/tmp/muster-hosts-XXXXXX";

static void put_file(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void holds(const char *expected)
{
	static char text[4096];

	assert_true(fd_read_file(path, text, sizeof(text)) >= 0);
	assert_string_equal(text, expected);
}

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static void a_file_is_replaced_with_its_mode(void **state)
{
	struct stat before, after;

	(void)state;
	put_file("1.1.1.1 x\n");
	assert_int_equal(chmod(path, 0641), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(hosts_write(path, "2.2.2.2 y\n"), 0);
	holds("1.1.1.1 x\n2.2.2.2\ty\t# muster\n");
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_mode & 07777, 0641);
	assert_int_equal(hosts_write(path, "2.2.2.2 y\n"), 0);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(before.st_ino, after.st_ino); /* nothing to do, nothing done */
	assert_int_equal(hosts_write(path, ""), 0);
	holds("1.1.1.1 x\n");
}

/* A link, as a file that is mounted, must stay what it is. */
static void a_link_is_written_through(void **state)
{
	char link[sizeof(path) + 8];
	struct stat info;

	(void)state;
	snprintf(link, sizeof(link), "%s.link", path);
	assert_int_equal(symlink(path, link), 0);
	put_file("1.1.1.1 x\n2.2.2.2\tlong-name\t# muster\n3.3.3.3 z\n");
	assert_int_equal(hosts_write(link, "2.2.2.3 y\n"), 0);
	holds("1.1.1.1 x\n3.3.3.3 z\n2.2.2.3\ty\t# muster\n");
	assert_int_equal(hosts_write(link, ""), 0);
	holds("1.1.1.1 x\n3.3.3.3 z\n");
	assert_int_equal(lstat(link, &info), 0);
	assert_true(S_ISLNK(info.st_mode));
	unlink(link);
}

/* With no room for another name beside it, the file itself is written. */
static void a_long_name_is_written_in_place(void **state)
{
	char dir[] = "/tmp/muster-hosts-dir-XXXXXX", name[300];
	struct stat before, after;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/%0250d", dir, 1);
	fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &before), 0);
	close(fd);
	assert_int_equal(hosts_write(name, "2.2.2.2 y\n\n"), 0);
	assert_int_equal(stat(name, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(after.st_size, strlen("2.2.2.2\ty\t# muster\n"));
	unlink(name);
	rmdir(dir);
}

static void what_is_no_hosts_file_stays(void **state)
{
	FILE *file = fopen(path, "w");

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite("a\0b", 1, 3, file), 3);
	fclose(file);
	assert_int_equal(hosts_write(path, "2.2.2.2 y\n"), -EILSEQ);
	assert_int_equal(hosts_write("/nonexistent/hosts", "2.2.2.2 y\n"), -ENOENT);
	assert_true(hosts_write("/tmp", "2.2.2.2 y\n") < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_behind_those_of_others),
		cmocka_unit_test(our_lines_go_and_no_others),
		cmocka_unit_test(a_name_of_others_is_theirs),
		cmocka_unit_test(our_names_are_known),
		cmocka_unit_test(a_file_is_replaced_with_its_mode),
		cmocka_unit_test(a_link_is_written_through),
		cmocka_unit_test(a_long_name_is_written_in_place),
		cmocka_unit_test(what_is_no_hosts_file_stays),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
