/* SPDX-License-Identifier: MIT */
#include "exec.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "creds.h"
#include "decimal.h"
#include "spawn.h"

#define SHELL "/bin/sh"
/* As a container has it that sets none. */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Enough for nearly every path. */
#define CANDIDATE_SIZE 256

static void write_pid(char *text)
{
	char digits[SPAWN_PID_SIZE] = "";
	const char *end = digits + sizeof(digits);
	const char *at = decimal_before(digits + sizeof(digits) - 1, (unsigned)getpid());

	memcpy(text, at, (size_t)(end - at));
}

/* 0 or -errno. */
static int reset_signals(const struct spawn_request *request, sigword ignored)
{
	/* caught faults as well: here they would be the program's, and end init's own */
	const sigword reset = ignored | SIGWORD_FAULTS;

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

/* The name in one of the directories of PATH; an empty one is the current directory. */
struct place {
	const char *directory;
	size_t len;
	const char *name;
	size_t name_size; /* with its NUL */
};

/* Runs DIRECTORY/NAME, which `candidate` has room for. Returns the errno. */
static int exec_in(const struct spawn_request *request, const struct place *place, char *candidate)
{
	size_t len = place->len;
	int reason;

	memcpy(candidate, place->directory, len);
	if (len > 0)
		candidate[len++] = '/';
	memcpy(candidate + len, place->name, place->name_size);
	reason = exec_file(request, candidate);
	/* a directory that is closed to us holds none */
	return reason == EACCES && access(candidate, F_OK) < 0 ? ENOENT : reason;
}

/* By itself, so that only a path that needs it takes a page more of the stack. */
__attribute__((noinline)) static int exec_in_long(const struct spawn_request *request,
						  const struct place *place)
{
	char candidate[PATH_MAX];

	return exec_in(request, place, candidate);
}

static int exec_in_place(const struct spawn_request *request, const struct place *place)
{
	char candidate[CANDIDATE_SIZE];
	size_t size = place->len + 1 + place->name_size;

	if (size > PATH_MAX)
		return ENAMETOOLONG;
	if (size > sizeof(candidate))
		return exec_in_long(request, place);
	return exec_in(request, place, candidate);
}

/* As execvp. Returns the errno. */
static int search_path(const struct spawn_request *request, const char *name)
{
	struct place place = {path_of(request->envp), 0, name, strlen(name) + 1};
	int error = ENOENT;

	for (;; place.directory += place.len + 1) {
		int reason;

		place.len = strcspn(place.directory, ":");
		reason = exec_in_place(request, &place);
		if (!look_on(reason))
			return reason;
		if (reason == EACCES) /* found one, at least */
			error = EACCES;
		if (place.directory[place.len] == '\0')
			return error;
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

static void become_program(const struct exec_order *order)
{
	const struct spawn_request *request = order->request;
	struct spawn_error *error = order->error;
	int rc;

	if (request->directory > 0 && fchdir(request->directory) < 0) {
		*error = (struct spawn_error){STEP_DIRECTORY, errno};
		return;
	}
	if (!creds_apply(request, order->parent, error))
		return;
	rc = reset_signals(request, order->ignored);
	if (rc < 0) {
		*error = (struct spawn_error){STEP_SIGNALS, -rc};
		return;
	}
	if (!creds_confine(request, error))
		return;
	rc = exec_program(request);
	*error = (struct spawn_error){STEP_EXEC, rc};
}

int exec_child(void *argument)
{
	const struct exec_order *order = argument;

	for (unsigned i = 0; i < 2; i++)
		if (order->request->pid_text[i])
			write_pid(order->request->pid_text[i]);
	become_program(order);
	return 127; /* ends the process: this is its first function */
}
