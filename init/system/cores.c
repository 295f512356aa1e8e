/* SPDX-License-Identifier: MIT */
#include "cores.h"

#include <sched.h>
#include <stdbool.h>
#include <string.h>

#include "fd.h"
#include "str.h"

/* A number at the start of a text, up to a blank or the end of the line. */
static bool leading_number(const char *text, uint64_t *number)
{
	char digits[24];
	size_t len = strcspn(text, " \n");

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	return parse_uint(digits, UINT32_MAX, number);
}

/* Quota and period, in microseconds, of cgroup v2 ("200000 100000", "max 100000") or v1. */
static bool read_quota(int cgroup, uint64_t *quota, uint64_t *period)
{
	char text[64];
	const char *second;

	if (fd_read_at(cgroup, "cpu.max", text, sizeof(text)) > 0) {
		second = strchr(text, ' ');
		return second && leading_number(text, quota) && leading_number(second + 1, period);
	}
	return fd_read_file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", text, sizeof(text)) > 0 &&
	       leading_number(text, quota) &&
	       fd_read_file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", text, sizeof(text)) > 0 &&
	       leading_number(text, period);
}

uint32_t cores_count(int cgroup)
{
	uint64_t quota, period;
	uint32_t cores = 1;
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		cores = (uint32_t)CPU_COUNT(&set);
	if (read_quota(cgroup, &quota, &period) && period > 0 && quota < cores * period)
		cores = (uint32_t)((quota + period - 1) / period);
	return cores ? cores : 1;
}
