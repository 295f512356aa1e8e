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

#define FIELDS 22 /* behind the name: state is the first, rss the last that counts */

enum field {
	FIELD_PARENT = 1,
	FIELD_SESSION = 3,
	FIELD_USER = 11,
	FIELD_SYSTEM = 12,
	FIELD_CHILDREN_USER = 13,
	FIELD_CHILDREN_SYSTEM = 14,
	FIELD_THREADS = 17,
	FIELD_BEGIN = 19,
	FIELD_RSS = 21
};

/* A number that is negative is 0 for our purposes: the session of a process of the kernel is. */
static bool take_fields(uint64_t value[FIELDS], const char *text)
{
	for (unsigned i = 0; i < FIELDS; i++) {
		if (*text++ != ' ')
			return false;
		value[i] = *text == '-' || i == 0 ? 0 : counters_number(text);
		if (value[i] == COUNTER_UNKNOWN)
			return false;
		text += strcspn(text, " \n");
	}
	return *text == ' ' || *text == '\n';
}

bool proc_stat_parse(struct proc_stat *process, const char *text)
{
	uint64_t value[FIELDS], tick = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK), pid, ticks;
	const char *behind = strrchr(text, ')'); /* the name before it may hold anything */

	pid = counters_number(text);
	if (!behind || !take_fields(value, behind + 1) || pid > INT32_MAX ||
	    value[FIELD_PARENT] > INT32_MAX || value[FIELD_SESSION] > INT32_MAX)
		return false;
	/* wrapping around is no harm here: what is too large stays unknown below */
	ticks = value[FIELD_USER] + value[FIELD_SYSTEM] + value[FIELD_CHILDREN_USER] +
		value[FIELD_CHILDREN_SYSTEM];
	process->pid = (int32_t)pid;
	process->parent = (int32_t)value[FIELD_PARENT];
	process->session = (int32_t)value[FIELD_SESSION];
	process->cpu = counters_scale(ticks, tick);
	process->begin = counters_scale(value[FIELD_BEGIN], tick);
	process->memory = counters_scale(value[FIELD_RSS], (uint64_t)sysconf(_SC_PAGESIZE));
	process->threads = value[FIELD_THREADS];
	return process->cpu != COUNTER_UNKNOWN && process->begin != COUNTER_UNKNOWN &&
	       process->memory != COUNTER_UNKNOWN;
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
