/* SPDX-License-Identifier: MIT */
#include "leftovers.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "supervisor.h"

/* ---- whose is it ---- */

/* Whether the environment at /proc/PID/environ holds MUSTER_SERVICE=name. Its beginning is enough
 * for what we started ourselves: the variable stands first. */
static bool carries_name(int proc, pid_t pid, const char *name)
{
	static char text[65536];
	char path[48], wanted[96];
	size_t wanted_len;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%d/environ", (int)pid);
	fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
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

static bool is_left_by(const struct supervisor *sup, const struct service *service, int proc,
		       pid_t pid)
{
	pid_t session;

	if (children_find(&sup->children, pid).kind != CHILD_STRANGER)
		return false; /* a main process, hook or probe of some service */
	session = getsid(pid);
	if (session == service->session)
		return true;
	return !session_of_other(sup, service, session) &&
	       carries_name(proc, pid, service->config->name);
}

static bool is_zombie(int proc, pid_t pid)
{
	char state = '?';

	return proc_parent(proc, pid, &state) > 0 && state == 'Z';
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

static bool visit(int proc, pid_t pid, void *data)
{
	struct walk *walk = data;

	if (walk->service ? !is_left_by(walk->sup, walk->service, proc, pid)
			  : children_find(&walk->sup->children, pid).kind != CHILD_STRANGER)
		return true;
	if (is_zombie(proc, pid))
		return true; /* SIGCHLD for it is on its way */
	walk->found++;
	if (walk->signal)
		tell(walk, pid);
	return true;
}

static unsigned walk_children(struct walk *walk)
{
	int proc = proc_open();

	if (proc < 0)
		return 0; /* without /proc there is nothing to know them by */
	proc_each_child(proc, visit, walk);
	close(proc);
	return walk->found;
}

bool leftovers_signal(struct supervisor *sup, struct service *service, int signal)
{
	struct walk walk = {.sup = sup, .service = service, .signal = signal};

	return service->session > 1 && walk_children(&walk) > 0;
}

unsigned leftovers_strangers(struct supervisor *sup, int signal)
{
	struct walk walk = {.sup = sup, .signal = signal};

	return walk_children(&walk);
}
