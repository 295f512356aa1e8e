/* SPDX-License-Identifier: MIT */
#include "proc_stat.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "counters.h"
#include "fd.h"
#include "process_stat.h"

bool proc_stat_parse(struct proc_stat *process, const char *text)
{
	uint64_t tick = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	struct process_stat stat;
	const uint64_t *field = stat.field;

	if (!process_stat_read(&stat, text) || stat.pid > INT32_MAX ||
	    field[STAT_PARENT] > INT32_MAX || field[STAT_SESSION] > INT32_MAX)
		return false;
	process->pid = (int32_t)stat.pid;
	process->parent = (int32_t)field[STAT_PARENT];
	process->session = (int32_t)field[STAT_SESSION];
	/* wrapping around is no harm here: what is too large stays unknown below */
	process->cpu =
		counters_scale(field[STAT_USER] + field[STAT_SYSTEM] + field[STAT_CHILDREN_USER] +
				       field[STAT_CHILDREN_SYSTEM],
			       tick);
	process->begin = counters_scale(field[STAT_BEGIN], tick);
	process->memory = counters_scale(field[STAT_PAGES], (uint64_t)sysconf(_SC_PAGESIZE));
	process->threads = field[STAT_THREADS];
	return process->cpu != COUNTER_UNKNOWN && process->begin != COUNTER_UNKNOWN &&
	       process->memory != COUNTER_UNKNOWN && counter_is_number(process->threads);
}

bool proc_stat_read(struct proc_stat *process, const char *proc_root, int pid)
{
	char dir[PATH_MAX], text[1024];

	return snprintf(dir, sizeof(dir), "%s/%d", proc_root, pid) < (int)sizeof(dir) &&
	       counters_read(dir, "stat", text, sizeof(text)) && proc_stat_parse(process, text) &&
	       process->pid == pid;
}

/* "SIZE RESIDENT SHARED ...", in pages */
uint64_t proc_resident(const char *proc_root, const struct proc_stat *process)
{
	char dir[PATH_MAX], text[256];
	const char *second = NULL;
	uint64_t bytes;

	if (snprintf(dir, sizeof(dir), "%s/%d", proc_root, process->pid) < (int)sizeof(dir) &&
	    counters_read(dir, "statm", text, sizeof(text)))
		second = strchr(text, ' ');
	bytes = counters_scale(counters_number(second ? second + 1 : ""),
			       (uint64_t)sysconf(_SC_PAGESIZE));
	return bytes == COUNTER_UNKNOWN ? process->memory : bytes;
}

/* Since Linux 6.2 the size of the directory is their number, and no right is needed to ask. */
static bool size_counts(void)
{
	static int counts = -1;
	struct stat info;

	if (counts < 0)
		counts = stat("/proc/self/fd", &info) == 0 && info.st_size > 0;
	return counts;
}

static uint64_t unless_gone(long error)
{
	return error == ENOENT || error == ESRCH ? 0 : COUNTER_UNKNOWN;
}

static uint64_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	uint64_t count = 0;

	if (!dir)
		return unless_gone(errno);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

uint64_t proc_open_fds(const char *proc_root, int pid)
{
	char path[PATH_MAX];
	struct stat info;

	if (snprintf(path, sizeof(path), "%s/%d/fd", proc_root, pid) >= (int)sizeof(path))
		return COUNTER_UNKNOWN;
	if (strcmp(proc_root, "/proc") != 0 || !size_counts())
		return count_entries(path);
	return stat(path, &info) == 0 ? (uint64_t)info.st_size : unless_gone(errno);
}

/* "Pss:      123 kB" */
uint64_t proc_pss(const char *proc_root, int pid)
{
	char path[PATH_MAX], text[2048];
	const char *number;
	long rc;

	if (snprintf(path, sizeof(path), "%s/%d/smaps_rollup", proc_root, pid) >= (int)sizeof(path))
		return COUNTER_UNKNOWN;
	rc = fd_read_file(path, text, sizeof(text));
	if (rc < 0)
		return unless_gone(-rc);
	number = counters_behind(text, "Pss:");
	return counters_scale(counters_number(number + strspn(number, " ")), 1024);
}
