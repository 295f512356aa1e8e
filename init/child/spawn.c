/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"
#include "signals.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define AREA_SIZE 131072
#else
#define AREA_SIZE                                  32768
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#endif
#define STACK_SIZE (AREA_SIZE - 64)

/*
 * The child's own: it ends, or leaves by exec, before spawn goes on. What init keeps about signals
 * stands where the stack begins, so that a wrapped program mostly costs one page and not two.
 */
static struct {
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	sigword ignored; /* at the start of init: inherited */
	bool known;
} area;

/* Read once: these were inherited, and init does not change them. */
static sigword ignored_signals(void)
{
	if (!area.known)
		area.ignored = signals_ignored();
	area.known = true;
	return area.ignored;
}

pid_t spawn(const struct spawn_request *request, struct spawn_error *error)
{
	struct exec_order child = {.request = request, .error = error};
	sigword mask = 0;
	pid_t pid;

	error->step = STEP_SIGNALS;
	error->error = -signals_set_mask(~SIGWORD_FAULTS, &mask);
	if (error->error)
		return -1;
	error->step = STEP_NONE;
	if (!request->keep_signals)
		child.ignored = ignored_signals();
	if (request->die_with_parent)
		child.parent = getpid();
	ASAN_UNPOISON_MEMORY_REGION(area.stack, sizeof(area.stack));
	pid = clone(exec_child, area.stack + sizeof(area.stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		    &child);
	if (pid < 0) {
		error->step = STEP_CLONE;
		error->error = errno;
	}
	signals_set_mask(mask, NULL);
	if (pid > 0 && error->step != STEP_NONE) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	return pid;
}

stack_t spawn_stack(void)
{
	return (stack_t){.ss_sp = area.stack, .ss_size = sizeof(area.stack)};
}

/* ---- words and codes ---- */

const char *spawn_step_name(enum spawn_step step)
{
	static const char names[STEP_COUNT][24] = {
		[STEP_NONE] = "nothing",
		[STEP_CLONE] = "new process",
		[STEP_SESSION] = "session",
		[STEP_TERMINAL] = "terminal",
		[STEP_DESCRIPTORS] = "descriptors",
		[STEP_OOM_SCORE] = "oom_score_adj",
		[STEP_CGROUP] = "cgroup",
		[STEP_CPUSET] = "cpuset",
		[STEP_LIMITS] = "resource limits",
		[STEP_NICE] = "nice",
		[STEP_DIRECTORY] = "working directory",
		[STEP_BOUNDING_SET] = "bounding set",
		[STEP_GROUPS] = "supplementary groups",
		[STEP_GID] = "group",
		[STEP_UID] = "user",
		[STEP_CAPABILITIES] = "capabilities",
		[STEP_SECUREBITS] = "securebits",
		[STEP_DEATH_SIGNAL] = "parent death signal",
		[STEP_NO_NEW_PRIVILEGES] = "no_new_privileges",
		[STEP_LANDLOCK] = "landlock",
		[STEP_VERIFY] = "check of the identity",
		[STEP_SECCOMP] = "seccomp",
		[STEP_SIGNALS] = "signals",
		[STEP_EXEC] = "exec",
	};

	return (unsigned)step < STEP_COUNT ? names[step] : "?";
}

static int exec_exit_code(int error)
{
	bool missing =
		error == ENOENT || error == ENOTDIR || error == ELOOP || error == ENAMETOOLONG;

	return missing ? 127 : 126;
}

int spawn_exit_code(const struct spawn_error *error)
{
	switch (error->step) {
	case STEP_EXEC:
		return exec_exit_code(error->error);
	case STEP_BOUNDING_SET:
	case STEP_GROUPS:
	case STEP_GID:
	case STEP_UID:
	case STEP_CAPABILITIES:
	case STEP_SECUREBITS:
	case STEP_NO_NEW_PRIVILEGES:
	case STEP_LANDLOCK:
	case STEP_VERIFY:
	case STEP_SECCOMP:
		return 77;
	default:
		return 70;
	}
}

int spawn_ended_code(int wait_status)
{
	return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

bool spawn_retry_helps(const struct spawn_error *error, bool ran)
{
	if (ran && (error->step <= STEP_DESCRIPTORS || error->step == STEP_SIGNALS))
		return true;
	switch (error->error) {
	case EAGAIN:
	case EINTR:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOSPC:
	case EIO:
	case EBUSY:
	case ETXTBSY:
		return true;
	default:
		return false;
	}
}
