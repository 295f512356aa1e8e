/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc.h"

/* Chains of parents longer than this are taken for foreign. */
#define DEPTH_MAX 4096

static bool is_alive_descendant(int proc, pid_t pid, pid_t self)
{
	char state = '?', ignored;
	pid_t parent = proc_parent(proc, pid, &state);

	if (state == 'Z' || state == 'X')
		return false;
	for (int depth = 0; parent > 1 && parent != self && depth < DEPTH_MAX; depth++)
		parent = proc_parent(proc, parent, &ignored);
	return parent == self;
}

/* Old kernels have no pidfds, and filters refuse the calls: the pid was right a moment ago. */
static void send_to(int fd, pid_t pid, int signo)
{
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0) == 0)
		return;
	if (fd < 0 || errno == ENOSYS || errno == EPERM)
		kill(pid, signo);
}

/* The descriptor pins the process: what it is asked about afterwards is what gets the signal. */
static bool signal_descendant(int proc, pid_t pid, pid_t self, int signo)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	bool found = is_alive_descendant(proc, pid, self);

	if (found)
		send_to(fd, pid, signo);
	if (fd >= 0)
		close(fd);
	return found;
}

struct sweep {
	int signo;
	int found;
};

static bool visit(int proc, pid_t pid, void *data)
{
	struct sweep *sweep = data;

	sweep->found += signal_descendant(proc, pid, getpid(), sweep->signo);
	return true;
}

int sweep_signal(int signo)
{
	struct sweep sweep = {.signo = signo};
	int proc = proc_open();
	int rc;

	if (proc < 0)
		return proc;
	rc = proc_each(proc, visit, &sweep);
	close(proc);
	return rc < 0 ? rc : sweep.found;
}
