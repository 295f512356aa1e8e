/* SPDX-License-Identifier: MIT */
#include "cores.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* With a cgroup that has this in its cpu.max; NULL: it has no such file. */
static uint32_t cores_with(const char *text)
{
	char path[] = "/tmp/cores-test-XXXXXX", file[64];
	uint32_t cores;
	int dir;

	assert_non_null(mkdtemp(path));
	snprintf(file, sizeof(file), "%s/cpu.max", path);
	if (text) {
		FILE *out = fopen(file, "w");

		assert_non_null(out);
		fputs(text, out);
		fclose(out);
	}
	dir = open(path, O_RDONLY | O_DIRECTORY);
	cores = cores_count(dir);
	close(dir);
	unlink(file);
	rmdir(path);
	return cores;
}

static void the_quota_of_the_cgroup_counts(void **state)
{
	cpu_set_t set;

	(void)state;
	assert_return_code(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_int_equal(cores_with("1000 100000\n"), 1);
	assert_int_equal(cores_with("100000 100000\n"), 1);
	assert_int_equal(cores_with("max 100000\n"), CPU_COUNT(&set));
	assert_int_equal(cores_with("900000000 100000\n"), CPU_COUNT(&set));
	if (CPU_COUNT(&set) > 1)
		assert_int_equal(cores_with("100001 100000\n"), 2);
	assert_in_range(cores_with(NULL), 1, CPU_COUNT(&set));
	assert_in_range(cores_count(-1), 1, CPU_COUNT(&set));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quota_of_the_cgroup_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
