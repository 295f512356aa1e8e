/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SPAWN_H
#define MUSTER_SPAWN_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * Starting a program. The child shares init's memory until it execs (clone with CLONE_VM and
 * CLONE_VFORK), so it makes system calls only, on a stack of its own, and tells its failure by
 * writing it down; nothing is allocated and no descriptor is spent on an error pipe.
 *
 * A program without a slash is looked for in the PATH of envp. Dispositions are those that init
 * was started with, as exec resets handlers by itself: what init was given to ignore is set to
 * default. Init blocks signals and does not begin to ignore one after its first spawn.
 */
struct identity_config;
struct sock_fprog;

/* What the child was doing when it failed; spawn_step_name gives the words. */
enum spawn_step {
	STEP_NONE,
	STEP_CLONE,
	STEP_SESSION,
	STEP_TERMINAL,
	STEP_DESCRIPTORS,
	STEP_OOM_SCORE,
	STEP_CGROUP,
	STEP_CPUSET,
	STEP_LIMITS,
	STEP_NICE,
	STEP_DIRECTORY,
	STEP_BOUNDING_SET,
	STEP_GROUPS,
	STEP_GID,
	STEP_UID,
	STEP_CAPABILITIES,
	STEP_SECUREBITS,
	STEP_DEATH_SIGNAL,
	STEP_NO_NEW_PRIVILEGES,
	STEP_LANDLOCK,
	STEP_VERIFY, /* creds.h says what is verified */
	STEP_SECCOMP,
	STEP_SIGNALS,
	STEP_EXEC,
	STEP_COUNT
};

struct spawn_error {
	enum spawn_step step;
	int error; /* errno; 0: all calls succeeded, and yet it is not as was asked */
};

struct spawn_fd {
	int source; /* in init */
	int target; /* in the program */
};

struct spawn_request {
	const char *program; /* what to execute; NULL: argv[0] */
	char *const *argv;
	char *const *envp;
	const struct identity_config *identity; /* NULL: nothing changes */
	const struct sock_fprog *filter;        /* seccomp, as creds.h has it; NULL: none */
	const struct spawn_fd *fds;             /* any order, sources and targets may overlap */
	unsigned fd_count;
	bool new_session; /* setsid; else, with new_group, a process group of its own */
	bool new_group;
	int foreground_tty;          /* >= 0: the child's group or session gets this terminal */
	const struct rlimit *nofile; /* RLIMIT_NOFILE, where init's own is not theirs; NULL */
	bool die_with_parent;        /* SIGKILL when init ends: for init that is not PID 1 */
	bool keep_signals;           /* leave dispositions as they are (they were inherited) */
	uint64_t ignored;            /* signals to ignore in the program; bit 0: signal 1 */
	const sigset_t *mask;        /* the child's signal mask; NULL: empty */
	int cgroup;                  /* > 0: cgroup.procs of the cgroup to be in */
	int directory;               /* > 0: a descriptor of the working directory to begin in */
	/* NULL, or room for a list that runs a file in no known format by /bin/sh, as execvp does:
	 * argv less its first entry from [2] on, [0] and [1] are written here */
	char **shell_argv;
	/* NULL, or where in envp the child writes its own pid: SPAWN_PID_SIZE bytes each, NUL
	 * included (LISTEN_PID=..., WATCHDOG_PID=...) */
	char *pid_text[2];
};

#define SPAWN_FDS_MAX  96 /* of fd_count */
#define SPAWN_PID_SIZE 12

/*
 * Starts it. Returns the pid once the program runs (exec has succeeded), or -1 with *error filled
 * and the child already reaped.
 */
pid_t spawn(const struct spawn_request *request, struct spawn_error *error);

/* Where the child's stack is. While spawn() does not wait for a child it is free: for the handler
 * of faults (fault.h), which this saves a page. */
stack_t spawn_stack(void);

/* What could not be set: "user", "working directory" ... */
const char *spawn_step_name(enum spawn_step step);

/* The exit code for a failed start: 127 not found, 126 not executable, 77 a privilege, else 70. */
int spawn_exit_code(const struct spawn_error *error);

/* Of a child that has ended, as shells have it: its exit code, or 128 and its signal's number. */
int spawn_ended_code(int wait_status);

/*
 * Whether trying again may help (EAGAIN, ENOMEM ...) or the cause is in the configuration. `ran`:
 * the same has been started before; then what a step fails on that asks nothing of the
 * configuration passes by, whatever it is.
 */
bool spawn_retry_helps(const struct spawn_error *error, bool ran);

#endif
