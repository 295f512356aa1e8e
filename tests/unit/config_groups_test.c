/* SPDX-License-Identifier: MIT */
/* Who is not root can give a service no group but those that he has. */
#include "config.h"

#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define ID    4321
#define OTHER 7

static char path[] = "/tmp/muster-groups-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 || fchmod(fd, 0644) < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

/* In a process of user and group ID that is in group OTHER as well. */
static int load_as_somebody(const char *expected)
{
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files};
	struct config_errors errors = {0};
	gid_t group = OTHER;
	struct config *config;

	if (setgroups(1, &group) < 0 || setresgid(ID, ID, ID) < 0 || setresuid(ID, ID, ID) < 0)
		return 2;
	config = config_load(&source, &errors);
	if (config)
		return *expected ? 3 : 0;
	return *expected && errors.kept == 1 && strstr(errors.text[0], expected) ? 0 : 4;
}

static void expect(const char *line, const char *error)
{
	FILE *file = fopen(path, "w");
	int status;
	pid_t pid;

	assert_non_null(file);
	fprintf(file, "[service:a]\ncommand = x\n%s\n", line);
	fclose(file);
	pid = fork();
	if (pid == 0)
		_exit(load_as_somebody(error));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (status)
		fail_msg("%s: status %x", line, (unsigned)status);
}

static void groups_that_one_has_may_be_given(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	expect("group = 4321", "");
	expect("group_add = 7", "");
	expect("group_add = 7, 4321", "");
	expect("group = 7",
	       "group: \"7\": to change groups needs root, and muster runs as uid 4321");
	expect("group_add = 8", "group_add: \"8\": to change groups needs root");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_that_one_has_may_be_given),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
