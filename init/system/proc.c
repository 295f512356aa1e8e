/* SPDX-License-Identifier: MIT */
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "decimal.h"
#include "fd.h"
#include "process_stat.h"
#include "str.h"

#define FLAG_EXITING  4 /* the kernel's PF_EXITING */
#define FDS_LOOKED_AT 1024

/* A record of getdents64; readdir(3) would allocate. */
struct directory_entry {
	uint64_t inode;
	int64_t offset;
	uint16_t size;
	uint8_t type;
	char name[];
};

static int parse_pid(const char *text)
{
	int pid = 0;

	for (; *text >= '0' && *text <= '9' && pid < INT32_MAX / 10 - 1; text++)
		pid = pid * 10 + (*text - '0');
	return pid;
}

/* Whether the numbers there are those of our own PID namespace. */
static bool is_own(int proc)
{
	char text[16];
	ssize_t n = readlinkat(proc, "self", text, sizeof(text) - 1);

	if (n <= 0)
		return false;
	text[n] = '\0';
	return parse_pid(text) == getpid();
}

int proc_open(void)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (proc < 0)
		return -errno;
	if (is_own(proc))
		return proc;
	close(proc);
	return -ENOENT;
}

/* Writes "PID/NAME" to the end of buffer, as after a fault nothing of stdio may; returns where it
 * begins. */
static const char *path_of(char *buffer, size_t size, pid_t pid, const char *name)
{
	size_t len = strlen(name) + 1;
	char *at = buffer + size - len;

	memcpy(at, name, len);
	*--at = '/';
	return decimal_before(at, (unsigned)pid);
}

long proc_read(int proc, pid_t pid, const char *name, char *text, size_t size)
{
	char path[48];

	return fd_read_at(proc, path_of(path, sizeof(path), pid, name), text, size);
}

/* Whoever is named in a line of ours must not write on it. */
static void copy_name(char *to, size_t size, const char *from, const char *end)
{
	size_t len = 0;

	for (; from < end && len < size - 1; from++)
		to[len++] = *from > ' ' && *from < 127 ? *from : '_';
	to[len] = '\0';
}

bool proc_look(int proc, pid_t pid, struct proc_info *info)
{
	struct process_stat process;
	char text[512];

	if (proc_read(proc, pid, "stat", text, sizeof(text)) <= 0 ||
	    !process_stat_read(&process, text))
		return false;
	copy_name(info->name, sizeof(info->name), process.name, process.name + process.name_len);
	info->parent = (pid_t)process.field[STAT_PARENT];
	info->state = process.state;
	info->ending = (process.field[STAT_FLAGS] & FLAG_EXITING || strchr("ZX", info->state)) &&
		       process.field[STAT_THREADS] <= 1;
	return true;
}

/* The processes among the records of one getdents64. */
static bool each_entry(int proc, const char *records, long size, proc_visit *visit, void *data)
{
	pid_t self = getpid();
	bool more = true;

	for (long at = 0; at < size && more;) {
		const struct directory_entry *entry =
			(const struct directory_entry *)(const void *)(records + at);
		uint64_t pid;

		at += entry->size;
		if (parse_uint(entry->name, INT32_MAX, &pid) && (pid_t)pid != self)
			more = visit(proc, (pid_t)pid, data);
	}
	return more;
}

int proc_each(int proc, proc_visit *visit, void *data)
{
	_Alignas(8) char buffer[8192];
	bool more = true;
	long n = 0;

	if (lseek(proc, 0, SEEK_SET) < 0)
		return -errno;
	while (more && (n = syscall(SYS_getdents64, proc, buffer, sizeof(buffer))) > 0)
		more = each_entry(proc, buffer, n, visit, data);
	return n < 0 ? -errno : 0;
}

/* The numbers of a list that may be split anywhere between two reads. */
static int each_listed(int proc, int list, proc_visit *visit, void *data)
{
	char buffer[4096];
	bool more = true;
	pid_t pid = 0;
	ssize_t n = 0;

	while (more && (n = read(list, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n && more; i++) {
			if (buffer[i] >= '0' && buffer[i] <= '9') {
				pid = pid * 10 + (buffer[i] - '0');
			} else if (pid) {
				more = visit(proc, pid, data);
				pid = 0;
			}
		}
	}
	return n < 0 ? -errno : 0;
}

struct filter {
	proc_visit *visit;
	void *data;
};

static bool visit_child(int proc, pid_t pid, void *data)
{
	const struct filter *filter = data;
	struct proc_info info;

	return !proc_look(proc, pid, &info) || info.parent != getpid() ||
	       filter->visit(proc, pid, filter->data);
}

int proc_each_child(int proc, proc_visit *visit, void *data)
{
	struct filter filter = {visit, data};
	int list = openat(proc, "thread-self/children", O_RDONLY | O_CLOEXEC);
	int rc;

	if (list < 0)
		return proc_each(proc, visit_child, &filter);
	rc = each_listed(proc, list, visit, data);
	close(list);
	return rc;
}

/* ---- what it has open ---- */

struct holding {
	unsigned left; /* of descriptors to look at */
	bool gpu;
};

static bool look_at_fd(int fds, pid_t number, void *data)
{
	static const char device[] = "/dev/nvidia";
	struct holding *holding = data;
	char name[16], target[sizeof(device)];
	ssize_t n;

	snprintf(name, sizeof(name), "%d", (int)number);
	n = readlinkat(fds, name, target, sizeof(target));
	holding->gpu = n == sizeof(target) && memcmp(target, device, sizeof(device) - 1) == 0;
	return !holding->gpu && --holding->left;
}

bool proc_holds_gpu(int proc, pid_t pid)
{
	struct holding holding = {.left = FDS_LOOKED_AT};
	char path[24];
	int fds = openat(proc, path_of(path, sizeof(path), pid, "fd"),
			 O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fds < 0)
		return false;
	proc_each(fds, look_at_fd, &holding);
	close(fds);
	return holding.gpu;
}
