/* SPDX-License-Identifier: MIT */
#include "security.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fd.h"
#include "process_stat.h"

#define FILE_SIZE 32768

/* ---- /proc/PID/status ---- */

static const char *field(const char *text, const char *name)
{
	size_t len = strlen(name);
	const char *at = text;

	while (at && (strncmp(at, name, len) != 0 || at[len] != ':')) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	return at ? at + len + 1 : "";
}

static uint64_t number(const char *text, const char *name, int base)
{
	return strtoull(field(text, name), NULL, base);
}

static void read_ids(struct facts *facts, const char *text)
{
	unsigned uid[4] = {0}, gid[4] = {0};

	sscanf(field(text, "Uid"), "%u %u %u %u", &uid[0], &uid[1], &uid[2], &uid[3]);
	sscanf(field(text, "Gid"), "%u %u %u %u", &gid[0], &gid[1], &gid[2], &gid[3]);
	facts->uid = uid[1];
	facts->gid = gid[1];
	facts->same_ids = true;
	for (int i = 0; i < 4; i++)
		facts->same_ids = facts->same_ids && uid[i] == uid[1] && gid[i] == gid[1];
}

static void read_groups(struct facts *facts, const char *text)
{
	const char *at = field(text, "Groups");
	char *end;

	facts->group_count = 0;
	while (facts->group_count < FACTS_GROUPS_MAX) {
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at < '0' || *at > '9')
			return;
		facts->groups[facts->group_count++] = (gid_t)strtoul(at, &end, 10);
		at = end;
	}
}

static void read_status(struct facts *facts, const char *text)
{
	read_ids(facts, text);
	read_groups(facts, text);
	facts->inheritable = number(text, "CapInh", 16);
	facts->permitted = number(text, "CapPrm", 16);
	facts->effective = number(text, "CapEff", 16);
	facts->bounding = number(text, "CapBnd", 16);
	facts->ambient = number(text, "CapAmb", 16);
	facts->umask = (unsigned)number(text, "Umask", 8);
	facts->no_new_privileges = (unsigned)number(text, "NoNewPrivs", 10);
	facts->seccomp = (unsigned)number(text, "Seccomp", 10);
	facts->filters = (unsigned)number(text, "Seccomp_filters", 10);
	facts->tracer = (pid_t)number(text, "TracerPid", 10);
}

/* ---- its neighbours ---- */

/* "Max processes   SOFT   HARD   processes" */
static uint64_t hard_limit(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	char soft[24], hard[24];

	if (!at || sscanf(at + strlen(name), " %23s %23s", soft, hard) != 2)
		return UINT64_MAX;
	return hard[0] == 'u' ? UINT64_MAX : strtoull(hard, NULL, 10);
}

static long read_file(pid_t pid, const char *name, char text[FILE_SIZE])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	text[0] = '\0';
	return fd_read_file(path, text, FILE_SIZE);
}

static void read_limits(struct facts *facts, char text[FILE_SIZE])
{
	read_file(facts->pid, "limits", text);
	facts->max_core = hard_limit(text, "Max core file size");
	facts->max_processes = hard_limit(text, "Max processes");
	facts->max_files = hard_limit(text, "Max open files");
}

static void read_terminal(struct facts *facts, char text[FILE_SIZE])
{
	struct process_stat stat;

	read_file(facts->pid, "stat", text);
	facts->terminal = process_stat_read(&stat, text) && stat.field[STAT_TERMINAL] != 0;
}

static enum sharing compare_namespaces(pid_t a, pid_t b, const char *name)
{
	char path[64], first[64], second[64];
	ssize_t n, m;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)a, name);
	n = readlink(path, first, sizeof(first));
	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)b, name);
	m = readlink(path, second, sizeof(second));
	if (n <= 0 || m <= 0)
		return SHARING_UNKNOWN;
	return n == m && memcmp(first, second, (size_t)n) == 0 ? SHARING_YES : SHARING_NO;
}

static int count_descriptors(pid_t pid)
{
	char path[64];
	DIR *dir;
	int count = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	for (const struct dirent *entry; (entry = readdir(dir));)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

int facts_read(struct facts *facts, pid_t pid, pid_t init)
{
	char *text = malloc(FILE_SIZE);
	long n;

	if (!text)
		return -ENOMEM;
	*facts = (struct facts){.pid = pid};
	n = read_file(pid, "status", text);
	if (n > 0) {
		read_status(facts, text);
		read_limits(facts, text);
		read_terminal(facts, text);
		read_file(pid, "oom_score_adj", text);
		facts->oom_score_adj = (int)strtol(text, NULL, 10);
		facts->descriptors = count_descriptors(pid);
		facts->network = compare_namespaces(pid, init, "net");
		facts->mounts = compare_namespaces(pid, init, "mnt");
		facts->processes = compare_namespaces(pid, init, "pid");
	}
	free(text);
	return n > 0 ? 0 : n < 0 ? (int)n : -ESRCH;
}
