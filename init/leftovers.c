/* SPDX-License-Identifier: MIT */
#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "log.h"
#include "str.h"
#include "supervisor.h"

/* ---- children of init: the kernel's list, or all of /proc where that list is not built in ---- */

/* Called for each child; false ends the walk. */
typedef bool visit_child(pid_t pid, void *data);

/* The parent of a process by its stat file; the name in it may hold anything, so look behind it. */
static pid_t parent_of(pid_t pid, char *state)
{
	char path[48], text[512];
	const char *end;
	ssize_t n;
	int fd, parent;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	end = strrchr(text, ')');
	if (!end || sscanf(end + 1, " %c %d", state, &parent) != 2)
		return -1;
	return parent;
}

struct dir_entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* readdir(3) would allocate; the kernel's own records are enough. */
static void walk_proc(visit_child *visit, void *data)
{
	static _Alignas(8) char buffer[8192];
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	pid_t self = getpid();
	bool more = true;
	long n;

	if (fd < 0)
		return;
	while (more && (n = syscall(SYS_getdents64, fd, buffer, sizeof(buffer))) > 0) {
		for (long at = 0; at < n && more;) {
			const struct dir_entry *entry =
				(const struct dir_entry *)(void *)(buffer + at);
			uint64_t pid;
			char state;

			at += entry->reclen;
			if (parse_uint(entry->name, INT32_MAX, &pid) &&
			    parent_of((pid_t)pid, &state) == self)
				more = visit((pid_t)pid, data);
		}
	}
	close(fd);
}

/* Feeds the bytes of the children file, which may split a number between two reads. */
static bool walk_list(int fd, visit_child *visit, void *data)
{
	char buffer[4096];
	pid_t pid = 0;
	bool more = true;
	ssize_t n;

	while (more && (n = read(fd, buffer, sizeof(buffer))) > 0) {
		for (ssize_t i = 0; i < n && more; i++) {
			if (buffer[i] >= '0' && buffer[i] <= '9') {
				pid = pid * 10 + (buffer[i] - '0');
			} else if (pid) {
				more = visit(pid, data);
				pid = 0;
			}
		}
	}
	return more;
}

static void walk_children(visit_child *visit, void *data)
{
	int fd = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		walk_proc(visit, data);
		return;
	}
	walk_list(fd, visit, data);
	close(fd);
}

/* ---- whose is it ---- */

/* Whether the environment at /proc/PID/environ holds MUSTER_SERVICE=name. Its beginning is enough
 * for what we started ourselves: the variable stands first. */
static bool carries_name(pid_t pid, const char *name)
{
	static char text[65536];
	char path[48], wanted[96];
	size_t wanted_len;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0)
		return false;
	wanted_len = (size_t)snprintf(wanted, sizeof(wanted), "MUSTER_SERVICE=%s", name) + 1;
	for (const char *at = text; at; at = memchr(at, '\0', (size_t)(text + n - at))) {
		if (at != text)
			at++;
		if ((size_t)(text + n - at) < wanted_len)
			return false;
		if (memcmp(at, wanted, wanted_len) == 0)
			return true;
	}
	return false;
}

static bool session_of_other(const struct supervisor *sup, const struct service *service,
			     pid_t session)
{
	for (uint32_t i = 0; i < sup->count; i++)
		if (sup->services[i] != service && sup->services[i]->session == session)
			return true;
	return false;
}

static bool is_left_by(const struct supervisor *sup, const struct service *service, pid_t pid)
{
	pid_t session;

	if (children_find(&sup->children, pid).kind != CHILD_STRANGER)
		return false; /* a main process, hook or probe of some service */
	session = getsid(pid);
	if (session == service->session)
		return true;
	return !session_of_other(sup, service, session) && carries_name(pid, service->config->name);
}

static bool is_zombie(pid_t pid)
{
	char state = '?';

	return parent_of(pid, &state) >= 0 && state == 'Z';
}

/* ---- walks ---- */

struct walk {
	struct supervisor *sup;
	struct service *service; /* NULL: strangers of nobody */
	int signal;
	unsigned found;
	bool group_told;
};

static void send(pid_t target, int signal)
{
	kill(target, signal);
	if (signal != SIGKILL)
		kill(target, SIGCONT); /* a stopped process would never act on it */
}

/* The process is a child of ours that was not waited for, so neither its pid nor the number of its
 * group can have been given to anybody else. The group is told once: some programs take a second
 * TERM for impatience. */
static void tell(struct walk *walk, pid_t pid)
{
	if (!walk->service || getpgid(pid) != walk->service->session) {
		send(pid, walk->signal);
		return;
	}
	if (!walk->group_told)
		send(-walk->service->session, walk->signal);
	walk->group_told = true;
}

static bool visit(pid_t pid, void *data)
{
	struct walk *walk = data;

	if (walk->service ? !is_left_by(walk->sup, walk->service, pid)
			  : children_find(&walk->sup->children, pid).kind != CHILD_STRANGER)
		return true;
	if (is_zombie(pid))
		return true; /* SIGCHLD for it is on its way */
	walk->found++;
	if (walk->signal)
		tell(walk, pid);
	return true;
}

bool leftovers_signal(struct supervisor *sup, struct service *service, int signal)
{
	struct walk walk = {.sup = sup, .service = service, .signal = signal};

	if (service->session > 1)
		walk_children(visit, &walk);
	return walk.found > 0;
}

unsigned leftovers_strangers(struct supervisor *sup, int signal)
{
	struct walk walk = {.sup = sup, .signal = signal};

	walk_children(visit, &walk);
	return walk.found;
}
