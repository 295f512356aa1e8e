/* SPDX-License-Identifier: MIT */
/*
 * ref_init PROGRAM [ARG...]: the least that an init which wraps one program can do, as the floor
 * that wrap mode is measured against. Starts PROGRAM (a path; nothing is searched) in a session of
 * its own, forwards every signal it gets, reaps whatever ends, returns the program's code.
 */
#include "sys.h"

static int exit_code(int status)
{
	int signal = status & 0x7f;
	return signal ? 128 + signal : (status >> 8) & 0xff;
}

/* Reaps all that has ended. Whether `child` was among it, with its exit code in *code. */
static int reap_children(long child, int *code)
{
	int status, ended = 0;
	long pid;

	while ((pid = sys4(__NR_wait4, -1, (long)&status, SYS_WNOHANG, 0)) > 0) {
		if (pid != child)
			continue;
		*code = exit_code(status);
		ended = 1;
	}
	return ended;
}

int run(int argc, char **argv, char **envp)
{
	int code = 0;
	long child;

	if (argc < 2)
		return 2;
	sys_mask(SYS_BLOCK, ~0UL);
	sys4(__NR_prctl, SYS_SUBREAPER, 1, 0, 0);
	child = sys_vfork();
	if (child == 0) {
		sys4(__NR_setsid, 0, 0, 0, 0);
		sys_mask(SYS_SETMASK, 0);
		sys4(__NR_execve, (long)argv[1], (long)(argv + 1), (long)envp, 0);
		sys_exit(127);
	}
	if (child < 0)
		return 70;
	for (;;) {
		long signal = sys_wait_signal(~0UL, 0);
		if (signal == SYS_SIGCHLD) {
			if (reap_children(child, &code))
				return code;
		} else if (signal > 0) {
			sys4(__NR_kill, child, signal, 0, 0);
		}
	}
}
