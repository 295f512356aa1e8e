/* SPDX-License-Identifier: MIT */
#include "fault.h"

#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>

#include "clock.h"
#include "sig.h"
#include "spawn.h"
#include "sweep.h"

#define KILL_MS     1000 /* how long descendants are looked for */
#define KILL_AGAIN  10   /* ms; one may be forked while the others are looked for */
#define HEX_DIGITS  16
#define LINE_LENGTH 256

/* Where the program begins in memory: with it a program counter can be looked up. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));

/* ---- one line, with system calls only ---- */

static void add_text(char *line, const char *text)
{
	strncat(line, text, LINE_LENGTH - 1 - strlen(line));
}

static void add_hex(char *line, uintptr_t value)
{
	char text[HEX_DIGITS + 1] = "";
	char *at = text + HEX_DIGITS;

	do
		*--at = "0123456789abcdef"[value % 16];
	while (value /= 16);
	add_text(line, "0x");
	add_text(line, at);
}

static uintptr_t program_counter(const ucontext_t *context)
{
#if defined(__x86_64__)
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
	return (uintptr_t)context->uc_mcontext.pc;
#else
	(void)context;
	return 0;
#endif
}

/* Dropped when stderr would block: the end must not wait for a reader. */
static void say(int signo, const siginfo_t *info, const ucontext_t *context)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[LINE_LENGTH] = "muster-init: fault in muster-init itself: ";
	char name[12];

	add_text(line, sig_name(signo, name, sizeof(name)));
	if (info->si_code > 0 && info->si_code != SI_KERNEL && signo != SIGSYS) {
		add_text(line, " at address ");
		add_hex(line, (uintptr_t)info->si_addr);
	}
	add_text(line, ", program counter ");
	add_hex(line, program_counter(context));
	add_text(line, ", program loaded at ");
	add_hex(line, (uintptr_t)__ehdr_start);
	add_text(line, "; ending everything\n");
	if (poll(&out, 1, 0) == 1 && out.revents == POLLOUT &&
	    write(STDERR_FILENO, line, strlen(line)) < 0)
		return; /* nobody is left to tell */
}

/* ---- the end ---- */

static void kill_everything(void)
{
	static const struct sweep all = {.signo = SIGKILL};
	uint64_t end;

	if (getpid() == 1) {
		kill(-1, SIGKILL);
		return;
	}
	end = clock_monotonic() + msec(KILL_MS);
	while (sweep_run(&all) > 0 && clock_monotonic() < end)
		poll(NULL, 0, KILL_AGAIN);
}

/* What abort() raises comes from init itself; any other without a cause in the kernel was sent. */
static bool is_sent(const siginfo_t *info)
{
	return info->si_code <= 0 && (info->si_code != SI_TKILL || info->si_pid != getpid());
}

static void end_by_fault(int signo, const siginfo_t *info, const ucontext_t *context)
{
	say(signo, info, context);
	kill_everything();
	_exit(EXIT_INTERNAL);
}

static void drop_sent(int signo, siginfo_t *info, void *context)
{
	if (!is_sent(info))
		end_by_fault(signo, info, context);
}

static void keep_sent(int signo, siginfo_t *info, void *context)
{
	ucontext_t *interrupted = context;

	if (!is_sent(info))
		end_by_fault(signo, info, context);
	sigaddset(&interrupted->uc_sigmask, signo);
	syscall(SYS_rt_sigqueueinfo, getpid(), signo, info);
}

sigword fault_catch(bool keep)
{
	/* the frame with all registers of today's processors takes up to 11 kB of it */
	const stack_t other = spawn_stack();
	struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART};
	sigword caught = 0;

	action.sa_sigaction = keep ? keep_sent : drop_sent;
	sigfillset(&action.sa_mask);
	sigaltstack(&other, NULL); /* without it all but an overflow of the stack is caught */
	for (int signo = 1; signo < SIG_FIRST_RT; signo++)
		if ((SIGWORD_FAULTS & SIGWORD(signo)) && sigaction(signo, &action, NULL) == 0)
			caught |= SIGWORD(signo);
	return caught;
}
