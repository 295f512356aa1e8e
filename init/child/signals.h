/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SIGNALS_H
#define MUSTER_SIGNALS_H

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/*
 * Signal masks as the kernel has them: one word, signal n in bit n - 1. The C libraries keep a few
 * real-time signals (32, 33; with musl also 34) for their threads and quietly leave them out of
 * every set; an init has no threads and must block, receive and pass on those as well.
 */
typedef uint64_t sigword;

#define SIGWORD_ALL    UINT64_MAX
#define SIGWORD(signo) (UINT64_C(1) << ((signo)-1))
#define SIGNAL_MAX     64
/* What the kernel sends for a fault in the program itself (fault.h). */
#define SIGWORD_FAULTS                                                                             \
	(SIGWORD(SIGILL) | SIGWORD(SIGTRAP) | SIGWORD(SIGABRT) | SIGWORD(SIGBUS) |                 \
	 SIGWORD(SIGFPE) | SIGWORD(SIGSEGV) | SIGWORD(SIGSYS))

/* Sets the mask of this process; the old one goes to *old unless NULL. 0, or -errno where a filter
 * refuses it. */
static inline int signals_set_mask(sigword mask, sigword *old)
{
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, old, sizeof(mask)) < 0 ? -errno : 0;
}

/* The first word of a libc set. */
static inline sigword signals_from_set(const sigset_t *set)
{
	sigword word;

	memcpy(&word, set, sizeof(word));
	return word;
}

/* Takes the next pending signal of the set: its number, or -errno (-EAGAIN: timed out). */
static inline int signals_wait(sigword set, siginfo_t *info, const struct timespec *timeout)
{
	long signo = syscall(SYS_rt_sigtimedwait, &set, info, timeout, sizeof(set));

	return signo < 0 ? -errno : (int)signo;
}

/*
 * struct sigaction as the kernel has it: the handler is its first word on every architecture, and
 * all of it zero means SIG_DFL without flags.
 */
struct kernel_sigaction {
	uintptr_t handler;
	uintptr_t rest[7];
};

static inline void signals_set_default(int signo)
{
	const struct kernel_sigaction action = {0};

	syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof(sigword));
}

static inline void signals_set_ignored(int signo)
{
	const struct kernel_sigaction action = {.handler = (uintptr_t)SIG_IGN};

	syscall(SYS_rt_sigaction, signo, &action, NULL, sizeof(sigword));
}

/* Which signals this process ignores. */
static inline sigword signals_ignored(void)
{
	struct kernel_sigaction action;
	sigword ignored = 0;

	for (int signo = 1; signo <= SIGNAL_MAX; signo++)
		if (syscall(SYS_rt_sigaction, signo, NULL, &action, sizeof(sigword)) == 0 &&
		    action.handler == (uintptr_t)SIG_IGN)
			ignored |= SIGWORD(signo);
	return ignored;
}

#endif
