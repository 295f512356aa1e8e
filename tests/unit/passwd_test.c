/* SPDX-License-Identifier: MIT */
#include "passwd.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char directory[64];
static char passwd_file[96];
static char group_file[96];

static const char passwd_text[] = "root:x:0:0:root:/root:/bin/bash\n"
				  "# comment:x:1:1::/:/bin/sh\n"
				  "\n"
				  "app:x:1000:1001:The App,,,:/srv/app:/bin/sh\n"
				  "app:x:0:0:a second line must not win:/:/bin/sh\n"
				  "bare:x:7:8\n"
				  "nogid:x:9\n"
				  "hexuid:x:0x10:5::/:\n"
				  "minus:x:-1:5::/:\n"
				  "nochange:x:4294967295:5::/:\n"
				  "0day:x:66:66::/:\n"
				  "+::::::\n"
				  "samba$:x:70:70::/:\n"
				  "last:x:1004:1004::/home/last:/bin/sh";

static const char group_text[] = "root:x:0:\n"
				 "adm:x:4:app,other\n"
				 "apps:x:1001:\n"
				 "video:x:44:other,app\n"
				 "twice:x:44:app\n"
				 "application:x:50:application,xapp,app2\n"
				 "badgid:x:9999999999:app\n"
				 "short:x\n"
				 "render:x:107:app";

static void write_file(const char *path, const void *text, size_t size)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/muster-passwd-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(passwd_file, sizeof(passwd_file), "%s/passwd", directory);
	snprintf(group_file, sizeof(group_file), "%s/group", directory);
	write_file(passwd_file, passwd_text, sizeof(passwd_text) - 1);
	write_file(group_file, group_text, sizeof(group_text) - 1);
	passwd_set_files(passwd_file, group_file);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	passwd_set_files(NULL, NULL);
	unlink(passwd_file);
	unlink(group_file);
	return rmdir(directory);
}

static void name_gives_ids_and_home(void **state)
{
	struct passwd_user user;

	(void)state;
	assert_int_equal(passwd_user("app", &user), 0);
	assert_int_equal(user.uid, 1000);
	assert_int_equal(user.gid, 1001);
	assert_string_equal(user.name, "app");
	assert_string_equal(user.home, "/srv/app");
}

static void number_with_a_line_gives_the_line(void **state)
{
	struct passwd_user user;

	(void)state;
	assert_int_equal(passwd_user("1000", &user), 0);
	assert_int_equal(user.gid, 1001);
	assert_string_equal(user.name, "app");
}

static void last_line_may_end_in_a_colon(void **state)
{
	static const char text[] = "root:x:0:0::/root:/bin/sh\nsrv:x:1005:1006::/srv:";
	struct passwd_user user;

	(void)state;
	write_file(passwd_file, text, sizeof(text) - 1);
	assert_int_equal(passwd_user("srv", &user), 0);
	assert_int_equal(user.gid, 1006);
	assert_string_equal(user.home, "/srv");
	write_file(passwd_file, passwd_text, sizeof(passwd_text) - 1);
}

static void number_without_a_line_is_a_user(void **state)
{
	struct passwd_user user;

	(void)state;
	assert_int_equal(passwd_user("65532", &user), 0);
	assert_int_equal(user.uid, 65532);
	assert_int_equal(user.gid, 65532);
	assert_string_equal(user.name, "");
	assert_int_equal(passwd_user("4294967294", &user), 0);
	assert_true(user.uid == UINT32_C(4294967294));
}

static void lines_may_end_early_or_without_newline(void **state)
{
	struct passwd_user user;

	(void)state;
	assert_int_equal(passwd_user("bare", &user), 0);
	assert_int_equal(user.gid, 8);
	assert_string_equal(user.home, "");
	assert_int_equal(passwd_user("last", &user), 0);
	assert_string_equal(user.home, "/home/last");
	assert_int_equal(passwd_user("samba$", &user), 0);
}

static void malformed_lines_are_no_users(void **state)
{
	static const char *const names[] = {"nogid", "hexuid", "minus", "nochange"};
	struct passwd_user user;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(passwd_user(names[i], &user), -ENOENT);
	/* 66 is only the number of a line whose name is none */
	assert_int_equal(passwd_user("66", &user), 0);
	assert_string_equal(user.name, "");
}

static void what_is_not_a_name_or_number_is_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"0x0",
		"-1",
		"+0",
		"0day",
		"4294967295",
		"4294967296",
		"00",
		"010",
		" root",
		"root ",
		"ro ot",
		"a:b",
		"1000:",
		"#",
		"a/b",
		"\xc3\xa4rger",
		"+",
		"1e3",
		".",
		"-root",
		"99999999999999999999999",
	};
	struct passwd_user user;
	gid_t gid;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(passwd_user(wrong[i], &user), -EINVAL);
		assert_int_equal(passwd_group(wrong[i], &gid), -EINVAL);
	}
}

static void names_longer_than_63_bytes_are_refused(void **state)
{
	char name[80];
	struct passwd_user user;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[64] = '\0';
	assert_int_equal(passwd_user(name, &user), -EINVAL);
	name[63] = '\0';
	assert_int_equal(passwd_user(name, &user), -ENOENT);
}

static void groups_by_name_and_number(void **state)
{
	gid_t gid = 77;

	(void)state;
	assert_int_equal(passwd_group("video", &gid), 0);
	assert_int_equal(gid, 44);
	assert_int_equal(passwd_group("render", &gid), 0);
	assert_int_equal(gid, 107);
	assert_int_equal(passwd_group("12345", &gid), 0);
	assert_int_equal(gid, 12345);
	assert_int_equal(passwd_group("badgid", &gid), -ENOENT);
	assert_int_equal(passwd_group("short", &gid), -ENOENT);
	assert_int_equal(passwd_group("nosuch", &gid), -ENOENT);
	assert_int_equal(gid, 12345);
}

static void supplementary_groups_begin_with_the_primary(void **state)
{
	gid_t groups[8];

	(void)state;
	assert_int_equal(passwd_groups("app", 1001, groups, 8), 4);
	assert_int_equal(groups[0], 1001);
	assert_int_equal(groups[1], 4);
	assert_int_equal(groups[2], 44);
	assert_int_equal(groups[3], 107);
	assert_int_equal(passwd_groups("", 5, groups, 8), 1);
	assert_int_equal(groups[0], 5);
}

static void groups_that_do_not_fit_are_counted(void **state)
{
	gid_t groups[8] = {0, 0, 99};

	(void)state;
	assert_true(passwd_groups("app", 1001, groups, 2) >= 4);
	assert_int_equal(groups[1], 4);
	assert_int_equal(groups[2], 99);
}

static void missing_files_are_empty(void **state)
{
	struct passwd_user user;
	gid_t gid, groups[2];

	(void)state;
	passwd_set_files("/nonexistent/passwd", "/nonexistent/group");
	assert_int_equal(passwd_user("root", &user), -ENOENT);
	assert_int_equal(passwd_user("0", &user), 0);
	assert_int_equal(passwd_group("root", &gid), -ENOENT);
	assert_int_equal(passwd_groups("root", 0, groups, 2), 1);
	passwd_set_files(passwd_file, group_file);
}

static void a_fifo_or_directory_is_an_error_and_does_not_hang(void **state)
{
	char fifo[96];
	struct passwd_user user;
	gid_t gid;

	(void)state;
	snprintf(fifo, sizeof(fifo), "%s/fifo", directory);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	passwd_set_files(fifo, directory);
	assert_int_equal(passwd_user("root", &user), -ENXIO);
	assert_int_equal(passwd_user("0", &user), -ENXIO);
	assert_int_equal(passwd_group("root", &gid), -EISDIR);
	passwd_set_files(passwd_file, group_file);
	unlink(fifo);
}

/* What a reader with a fixed line buffer takes for a line of its own must stay part of the line. */
static void a_very_long_line_is_one_line(void **state)
{
	char path[96];
	struct passwd_user user;
	gid_t gid, groups[4];
	FILE *file;

	(void)state;
	snprintf(path, sizeof(path), "%s/long", directory);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("victim:x:500:500:", file);
	for (int i = 0; i < 200000; i++)
		fputs("evil:x:0:0", file);
	fputs(":/home:/bin/sh\nbig:x:600:", file);
	for (int i = 0; i < 70000; i++)
		fprintf(file, "member%d,", i);
	fputs("app\nafter:x:601:601::/:\n", file);
	fclose(file);
	passwd_set_files(path, path);
	assert_int_equal(passwd_user("victim", &user), 0);
	assert_int_equal(user.uid, 500);
	assert_int_equal(passwd_user("evil", &user), -ENOENT);
	assert_int_equal(passwd_user("after", &user), 0);
	assert_int_equal(passwd_group("big", &gid), 0);
	assert_int_equal(gid, 600);
	assert_int_equal(passwd_groups("app", 1, groups, 4), 2);
	assert_int_equal(groups[1], 600);
	passwd_set_files(passwd_file, group_file);
	unlink(path);
}

static void a_nul_byte_spoils_its_field(void **state)
{
	static const char text[] = "root\0x:x:0:0::/:\nok:x:5:5::/ho\0me:\nbad:x:1\0:5::/:\n";
	char path[96];
	struct passwd_user user;

	(void)state;
	snprintf(path, sizeof(path), "%s/nul", directory);
	write_file(path, text, sizeof(text) - 1);
	passwd_set_files(path, NULL);
	assert_int_equal(passwd_user("root", &user), -ENOENT);
	assert_int_equal(passwd_user("bad", &user), -ENOENT);
	assert_int_equal(passwd_user("ok", &user), 0);
	assert_string_equal(user.home, "");
	passwd_set_files(passwd_file, group_file);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_gives_ids_and_home),
		cmocka_unit_test(number_with_a_line_gives_the_line),
		cmocka_unit_test(last_line_may_end_in_a_colon),
		cmocka_unit_test(number_without_a_line_is_a_user),
		cmocka_unit_test(lines_may_end_early_or_without_newline),
		cmocka_unit_test(malformed_lines_are_no_users),
		cmocka_unit_test(what_is_not_a_name_or_number_is_refused),
		cmocka_unit_test(names_longer_than_63_bytes_are_refused),
		cmocka_unit_test(groups_by_name_and_number),
		cmocka_unit_test(supplementary_groups_begin_with_the_primary),
		cmocka_unit_test(groups_that_do_not_fit_are_counted),
		cmocka_unit_test(missing_files_are_empty),
		cmocka_unit_test(a_fifo_or_directory_is_an_error_and_does_not_hang),
		cmocka_unit_test(a_very_long_line_is_one_line),
		cmocka_unit_test(a_nul_byte_spoils_its_field),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
