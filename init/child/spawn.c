/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "creds.h"
#include "signals.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define AREA_SIZE 131072
#else
#define AREA_SIZE                                  32768
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#endif
#define STACK_SIZE (AREA_SIZE - 64)

#define SHELL "/bin/sh"
/* As a container has it that sets none. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct child {
	const struct spawn_request *request;
	struct spawn_error *error;
	pid_t parent;
	sigword ignored;
};

/*
 * The child's own: it ends, or leaves by exec, before spawn goes on. What init keeps about signals
 * stands where the stack begins, so that a wrapped program mostly costs one page and not two.
 */
static struct {
	char stack[STACK_SIZE] __attribute__((aligned(16)));
	sigword ignored; /* at the start of init: inherited */
	bool known;
} area;

/* Enough for nearly every path; a longer one is made in `long_candidate`. */
#define CANDIDATE_SIZE 256
static char long_candidate[PATH_MAX];

/* ---- in the child ---- */

static void write_pid(char *text)
{
	char digits[SPAWN_PID_SIZE];
	unsigned pid = (unsigned)getpid();
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = (char)('0' + pid % 10);
		pid /= 10;
	} while (pid);
	memcpy(text, digits + at, sizeof(digits) - at);
}

/* 0 or -errno. */
static int reset_signals(const struct child *child)
{
	const struct spawn_request *request = child->request;

	/* caught faults as well: here they would be the program's, and end init's own */
	const sigword reset = child->ignored | SIGWORD_FAULTS;

	for (int signo = 1; signo <= SIGNAL_MAX; signo++)
		if (reset & SIGWORD(signo))
			signals_set_default(signo);
	for (int signo = 1; request->ignored && signo <= SIGNAL_MAX; signo++)
		if (request->ignored & SIGWORD(signo))
			signals_set_ignored(signo);
	return signals_set_mask(request->mask ? signals_from_set(request->mask) : 0, NULL);
}

static const char *path_of(char *const *envp)
{
	for (; *envp; envp++)
		if (strncmp(*envp, "PATH=", 5) == 0)
			return *envp + 5;
	return DEFAULT_PATH;
}

/* Puts DIRECTORY/NAME into `buffer`, or where it does not fit into long_candidate; an empty
 * directory is the current one. NULL: too long for a path. */
static const char *make_candidate(char *buffer, const char *directory, size_t len, const char *name,
				  size_t name_size)
{
	char *candidate = len + 1 + name_size > CANDIDATE_SIZE ? long_candidate : buffer;

	if (len + 1 + name_size > sizeof(long_candidate))
		return NULL;
	memcpy(candidate, directory, len);
	if (len > 0)
		candidate[len++] = '/';
	memcpy(candidate + len, name, name_size);
	return candidate;
}

/* Whether this failure of one candidate means: look on. */
static bool look_on(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP ||
	       error == ENAMETOOLONG || error == ESTALE || error == ENODEV || error == ETIMEDOUT;
}

/* Returns the errno. */
static int exec_file(const struct spawn_request *request, const char *path)
{
	execve(path, request->argv, request->envp);
	if (errno != ENOEXEC || !request->shell_argv)
		return errno;
	request->shell_argv[0] = (char *)(uintptr_t)SHELL;
	request->shell_argv[1] = (char *)(uintptr_t)path;
	execve(SHELL, request->shell_argv, request->envp);
	return errno;
}

/* As execvp. Returns the errno. */
static int search_path(const struct spawn_request *request, const char *name)
{
	size_t name_size = strlen(name) + 1;
	const char *path = path_of(request->envp);
	char buffer[CANDIDATE_SIZE];
	int error = ENOENT;

	for (;;) {
		size_t len = strcspn(path, ":");
		int reason;
		const char *candidate = make_candidate(buffer, path, len, name, name_size);

		if (candidate) {
			reason = exec_file(request, candidate);
			if (!look_on(reason))
				return reason;
			/* found one, at least; a directory that is closed to us holds none */
			if (reason == EACCES && access(candidate, F_OK) == 0)
				error = EACCES;
		}
		if (path[len] == '\0')
			return error;
		path += len + 1;
	}
}

static int exec_program(const struct spawn_request *request)
{
	const char *name = request->program ? request->program : request->argv[0];

	if (name[0] == '\0')
		return ENOENT;
	if (!strchr(name, '/'))
		return search_path(request, name);
	return exec_file(request, name);
}

/* Writes an error only when there is one: init looks as soon as exec has succeeded. */
static void become_program(const struct child *child)
{
	struct spawn_error *error = child->error;
	int rc;

	if (child->request->directory > 0 && fchdir(child->request->directory) < 0) {
		*error = (struct spawn_error){STEP_DIRECTORY, errno};
		return;
	}
	if (!creds_apply(child->request, child->parent, error))
		return;
	rc = reset_signals(child);
	if (rc < 0) {
		*error = (struct spawn_error){STEP_SIGNALS, -rc};
		return;
	}
	if (!creds_confine(child->request, error))
		return;
	rc = exec_program(child->request);
	*error = (struct spawn_error){STEP_EXEC, rc};
}

static int run_child(void *argument)
{
	const struct child *child = argument;

	for (unsigned i = 0; i < 2; i++)
		if (child->request->pid_text[i])
			write_pid(child->request->pid_text[i]);
	become_program(child);
	return 127; /* ends the process: this is its first function */
}

/* ---- in init ---- */

/* Read once: these were inherited, and init does not change them. */
static sigword ignored_signals(void)
{
	if (!area.known)
		area.ignored = signals_ignored();
	area.known = true;
	return area.ignored;
}

static void reap_failed(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

pid_t spawn(const struct spawn_request *request, struct spawn_error *error)
{
	struct child child = {.request = request, .error = error};
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
	pid = clone(run_child, area.stack + sizeof(area.stack), CLONE_VM | CLONE_VFORK | SIGCHLD,
		    &child);
	if (pid < 0) {
		error->step = STEP_CLONE;
		error->error = errno;
	}
	signals_set_mask(mask, NULL);
	if (pid > 0 && error->step != STEP_NONE) {
		reap_failed(pid);
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

bool spawn_retry_helps(const struct spawn_error *error)
{
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
