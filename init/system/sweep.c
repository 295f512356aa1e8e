/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Chains of parents longer than this are taken for foreign. */
#define DEPTH_MAX 4096
/* How often those are looked for that were forked while the others were stopped. */
#define STOP_PASSES 8
#define NICE_MIN    (-20)
#define TRIES       3 /* of what may fail once: a process' parents may end meanwhile */

struct pass {
	const struct sweep *sweep;
	int signo;
	bool tells; /* each of them is told to sweep->each */
	int found;
	pid_t child; /* the last one that was asked about, and the answer */
	bool wanted;
	pid_t parent, above; /* the last parent, and the child of ours above it */
};

/* Which child of ours the process descends from; 0: none; -1: that changes at this moment. */
static pid_t child_above(struct pass *pass, int proc, pid_t pid, const struct proc_info *info)
{
	struct proc_info above = *info;

	if (info->parent == getpid())
		return pid;
	if (info->parent == pass->parent)
		return pass->above; /* brothers stand together */
	for (int depth = 0; above.parent != getpid(); depth++) {
		pid = above.parent;
		if (pid <= 1 || depth == DEPTH_MAX)
			return 0;
		if (!proc_look(proc, pid, &above))
			return -1;
	}
	pass->parent = info->parent;
	pass->above = pid;
	return pid;
}

static bool is_wanted(struct pass *pass, int proc, pid_t child)
{
	if (child <= 0 || !pass->sweep->wanted)
		return child > 0;
	if (child != pass->child)
		pass->wanted = pass->sweep->wanted(proc, child, pass->sweep->data);
	pass->child = child;
	return pass->wanted;
}

/* Old kernels have no pidfds, and filters refuse the calls, with whatever error: the pid was right
 * a moment ago. */
static void send_to(int fd, pid_t pid, int signo)
{
	if (fd >= 0 && syscall(SYS_pidfd_send_signal, fd, signo, NULL, 0) == 0)
		return;
	if (fd < 0 || errno != ESRCH)
		kill(pid, signo);
}

static void look_at(struct pass *pass, int proc, pid_t pid, int fd)
{
	const struct sweep *sweep = pass->sweep;
	struct proc_info info;
	pid_t child = -1;

	for (int tries = 0; child < 0 && tries < TRIES; tries++) {
		if (!proc_look(proc, pid, &info) || info.ending)
			return;
		child = child_above(pass, proc, pid, &info);
	}
	if (pass->signo == SIGSTOP && strchr("TtD", info.state))
		return; /* does not fork */
	if (!is_wanted(pass, proc, child))
		return;
	pass->found++;
	if (pass->tells && sweep->each && !sweep->each(proc, pid, &info, child, sweep->data))
		return;
	if (pass->signo)
		send_to(fd, pid, pass->signo);
	if (pass->signo && pass->signo != SIGKILL && pass->signo != SIGSTOP)
		send_to(fd, pid, SIGCONT); /* a stopped process would never act on it */
}

/* The descriptor pins the process: what it is asked about afterwards is what gets the signal. */
static bool visit(int proc, pid_t pid, void *data)
{
	struct pass *pass = data;
	int fd = pass->signo ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;

	look_at(pass, proc, pid, fd);
	if (fd >= 0)
		close(fd);
	return true;
}

/* How many there were, or -errno. */
static int run_pass(const struct sweep *sweep, int proc, int signo, bool tells)
{
	struct pass pass = {.sweep = sweep, .signo = signo, .tells = tells};
	int rc = proc_each(proc, visit, &pass);

	return rc < 0 ? rc : pass.found;
}

/* What is stopped does not fork, and what is killed makes room for another: one after the other
 * even a fork bomb comes to its end. */
static void stop_all(const struct sweep *sweep, int proc)
{
	int before = 0;

	for (int i = 0; i < STOP_PASSES; i++) {
		int found = run_pass(sweep, proc, SIGSTOP, false);

		if (found <= 0 || found == before)
			return; /* all stand still, or cannot be stopped */
		before = found;
	}
}

static int sweep_once(const struct sweep *sweep)
{
	int nice = getpriority(PRIO_PROCESS, 0);
	int proc = proc_open();
	int rc;

	if (proc < 0)
		return proc;
	if (sweep->signo == SIGKILL) {
		/* ahead of what it is to end, where that is permitted */
		setpriority(PRIO_PROCESS, 0, NICE_MIN);
		stop_all(sweep, proc);
		/* while none of them dies: whose a process is may be seen by its parent alone */
		run_pass(sweep, proc, 0, true);
	}
	rc = run_pass(sweep, proc, sweep->signo, sweep->signo != SIGKILL);
	setpriority(PRIO_PROCESS, 0, nice);
	close(proc);
	return rc;
}

int sweep_run(const struct sweep *sweep)
{
	int rc = -1;

	/* one call that fails must not spare everybody */
	for (int i = 0; i < TRIES && rc < 0; i++)
		rc = sweep_once(sweep);
	return rc;
}
