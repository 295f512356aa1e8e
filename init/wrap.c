/* SPDX-License-Identifier: MIT */
#include "wrap.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "fault.h"
#include "memory.h"
#include "sig.h"
#include "signals.h"
#include "spawn.h"
#include "sweep.h"
#include "terminal.h"

#define EXIT_NONE (-1)

/* Whoever sends one of these while leftovers have their grace does not want to wait. */
#define IMPATIENT (SIGWORD(SIGTERM) | SIGWORD(SIGINT) | SIGWORD(SIGQUIT))

#define RECHECK_MS 100  /* after a call failed that should not: look again */
#define KILL_MS    750  /* how long killed processes may take to vanish (uninterruptible sleep) */
#define REAP_MAX   1000 /* in one go; then signals have their turn */

struct wrap {
	const struct wrap_options *options;
	struct terminal terminal;
	sigword mask; /* of signals: all but faults */
	pid_t child;
	int code;        /* of the child; EXIT_NONE while it runs */
	int recheck;     /* ms until the next look without a signal; -1: never */
	unsigned reaped; /* adopted processes */
	bool is_pid1;
	bool alone; /* no children are left */
};

/* ---- words ---- */

/* One line on stderr, dropped when stderr would block: nobody may hold up an init. */
__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	char line[512] = "muster-init: ";
	size_t prefix = strlen(line);
	ssize_t written;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line + prefix, sizeof(line) - prefix - 1, format, args);
	va_end(args);
	if (len < 0)
		return;
	len += (int)prefix;
	if ((size_t)len > sizeof(line) - 2)
		len = (int)sizeof(line) - 2;
	line[len++] = '\n';
	if (poll(&out, 1, 0) != 1 || out.revents != POLLOUT)
		return;
	written = write(STDERR_FILENO, line, (size_t)len);
	(void)written;
}

static const char *reason_of(const struct spawn_error *error)
{
	return error->error ? strerror(error->error) : "not what was asked for";
}

static void say_start_failed(const char *program, const struct spawn_error *error)
{
	if (error->step != STEP_EXEC)
		say("cannot start %s: %s: %s", program, spawn_step_name(error->step),
		    reason_of(error));
	else if (error->error == ENOENT && strchr(program, '/') && access(program, F_OK) == 0)
		say("cannot start %s: its interpreter or loader: %s", program, reason_of(error));
	else
		say("cannot start %s: %s", program, reason_of(error));
}

static void say_ended(const char *what, pid_t pid, int code)
{
	char name[16];

	if (code > 128 && code <= 128 + SIGNAL_MAX)
		say("%s %d: signal %s", what, (int)pid, sig_name(code - 128, name, sizeof(name)));
	else
		say("%s %d: code %d", what, (int)pid, code);
}

/* ---- reaping ---- */

/* As shells have it: the code, or 128 and the signal's number. */
static int code_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void note_ended(struct wrap *w, pid_t pid, int status)
{
	int code = code_of(status);

	if (pid == w->child) {
		w->code = code;
		if (w->options->verbose)
			say_ended("the program has ended, process", pid, code);
		return;
	}
	w->reaped++;
	if (w->options->warn_reaped)
		say_ended("reaped adopted process", pid, code);
}

/* No child to wait for, and yet the program's end was never seen: somebody else took it. */
static bool is_lost(const struct wrap *w)
{
	return w->code == EXIT_NONE && kill(w->child, 0) < 0 && errno == ESRCH;
}

static void note_wait_failed(struct wrap *w, int error)
{
	w->alone = error == ECHILD;
	if (w->alone && is_lost(w)) {
		say("lost track of %s, process %d", w->options->argv[0], (int)w->child);
		w->code = EXIT_INTERNAL;
	}
	/* one failed call must not lose the child, whose signal does not come twice */
	if (!w->alone || w->code == EXIT_NONE)
		w->recheck = RECHECK_MS;
}

/* Takes what has ended. SIGCHLD counts no children, so until nothing is left to take. */
static void reap(struct wrap *w)
{
	int flags = WNOHANG | (terminal_is_shared(&w->terminal) ? WUNTRACED : 0);

	w->recheck = -1;
	w->alone = false;
	for (int i = 0; i < REAP_MAX; i++) {
		int status;
		pid_t pid = waitpid(-1, &status, flags);

		if (pid == 0 || (pid < 0 && errno != EINTR)) {
			if (pid < 0)
				note_wait_failed(w, errno);
			return;
		}
		if (pid < 0)
			continue;
		if (!WIFSTOPPED(status))
			note_ended(w, pid, status);
		else if (pid == w->child)
			terminal_stopped(&w->terminal, WSTOPSIG(status));
	}
	w->recheck = 0;
}

/* Waits for a signal, at most `ms` (-1: as long as it takes). Its number, or 0. */
static int next_signal(const struct wrap *w, siginfo_t *info, int ms)
{
	const struct timespec timeout = {ms / 1000, (long)(ms % 1000) * 1000000};
	int signo = signals_wait(SIGWORD_ALL, info, ms < 0 ? NULL : &timeout);

	if (signo > 0) {
		if (!(SIGWORD(signo) & w->mask))
			signals_set_mask(w->mask, NULL); /* fault_catch may have kept it */
		return signo;
	}
	if (signo != -EAGAIN && signo != -EINTR)
		poll(NULL, 0, RECHECK_MS); /* it does not work at all: do not spin */
	return 0;
}

/* ---- forwarding ---- */

/* Whether the program was stopped by a signal, and not by its terminal's user. */
static bool is_stopped(const struct wrap *w)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)w->child, &info, WSTOPPED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == w->child;
}

static void send_on(const struct wrap *w, int signo, const siginfo_t *info)
{
	pid_t target = w->options->group ? -w->child : w->child;
	bool wake = signo == SIGTERM && is_stopped(w); /* it would never act on it */
	int rc;

	if (info->si_code == SI_QUEUE && !w->options->group)
		rc = sigqueue(w->child, signo, info->si_value);
	else
		rc = kill(target, signo);
	if (wake)
		kill(target, SIGCONT);
	/* between its end and our noticing there is nobody to tell */
	if (rc < 0 && errno != ESRCH && w->options->verbose)
		say("cannot send signal %d to %d: %s", signo, (int)w->child, strerror(errno));
}

/* From the kernel and about init itself: a line that nobody wanted to read. */
static bool is_own_affair(int signo, const siginfo_t *info)
{
	return (signo == SIGPIPE || signo == SIGXFSZ) && info->si_pid == getpid();
}

static void forward(struct wrap *w, int signo, const siginfo_t *info)
{
	int as = w->options->forward[signo];
	char name[16], other[16];

	if (is_own_affair(signo, info))
		return;
	if (signo == SIGCONT)
		terminal_continued(&w->terminal);
	if (as == 0)
		as = signo;
	if (w->options->verbose)
		say("signal %s: %s%s", sig_name(signo, name, sizeof(name)),
		    as == WRAP_DROP ? "dropped" : "passed on as ",
		    as == WRAP_DROP ? "" : sig_name(as, other, sizeof(other)));
	if (as != WRAP_DROP)
		send_on(w, as, info);
}

static void run_until_child_ends(struct wrap *w)
{
	while (w->code == EXIT_NONE) {
		siginfo_t info;
		int signo = next_signal(w, &info, w->recheck);

		if (signo > 0 && signo != SIGCHLD)
			forward(w, signo, &info);
		else
			reap(w);
	}
}

/* ---- what the program leaves behind ---- */

static bool say_killed(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data)
{
	(void)proc;
	(void)child;
	(void)data;
	say("KILL to %s, process %d", info->name, (int)pid);
	return true;
}

/* Everything in the PID namespace when it is ours alone; otherwise our own descendants only. */
static int signal_leftovers(const struct wrap *w, int signo, bool tell)
{
	const struct sweep sweep = {.signo = w->is_pid1 ? 0 : signo,
				    .each = tell ? say_killed : NULL};
	int rc = w->is_pid1 && !tell ? 0 : sweep_run(&sweep);

	if (!w->is_pid1)
		return rc;
	rc = kill(-1, signo) < 0 && errno != ESRCH ? -errno : 0;
	if (signo != SIGKILL)
		kill(-1, SIGCONT); /* what is stopped would never act on it */
	return rc;
}

/* Reaps until nobody is left, or the deadline; with `impatient` a signal may end it early. */
static void wait_until_alone(struct wrap *w, uint64_t deadline, sigword impatient)
{
	while (!w->alone) {
		uint64_t now = clock_monotonic();
		siginfo_t info;
		int left, signo;

		if (now >= deadline)
			return;
		left = (int)((deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC);
		if (w->recheck >= 0 && w->recheck < left)
			left = w->recheck;
		signo = next_signal(w, &info, left);
		if (signo > 0 && (SIGWORD(signo) & impatient))
			return;
		reap(w);
	}
}

static void kill_leftovers(struct wrap *w)
{
	uint64_t end = clock_monotonic() + msec(KILL_MS);
	bool tell = w->options->verbose;

	/* again and again: one may be forked while the others are looked for */
	for (uint64_t now = clock_monotonic(); !w->alone && now < end; now = clock_monotonic()) {
		uint64_t next = now + msec(RECHECK_MS);

		if (signal_leftovers(w, SIGKILL, tell) < 0)
			return;
		tell = false;
		wait_until_alone(w, next < end ? next : end, 0);
	}
	if (!w->alone)
		say("something that %s left behind has not ended after KILL: it is frozen, or in a "
		    "call that nothing interrupts",
		    w->options->argv[0]);
}

static void end_leftovers(struct wrap *w)
{
	uint64_t deadline;
	int found;

	if (w->alone)
		return;
	deadline = clock_monotonic() + msec(w->options->grace);
	if (w->options->grace > 0) {
		found = signal_leftovers(w, SIGTERM, false);
		if (found < 0) {
			say("cannot end what %s left behind: %s", w->options->argv[0],
			    strerror(-found));
			return;
		}
		if (w->options->verbose)
			say("TERM to what %s left behind", w->options->argv[0]);
		wait_until_alone(w, deadline, IMPATIENT);
	}
	if (w->alone)
		return;
	if (w->options->verbose)
		say("KILL to what %s left behind", w->options->argv[0]);
	kill_leftovers(w);
}

/* ---- beginning and end ---- */

/* 0, or an exit code. */
static int become_reaper(struct wrap *w)
{
	w->is_pid1 = getpid() == 1;
	if (w->is_pid1 || prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
		return 0;
	if (!w->options->need_subreaper)
		return 0;
	say("cannot become a subreaper: %s", strerror(errno));
	return EXIT_INTERNAL;
}

/* A parent that ended before this took effect sends nothing any more. */
static int ask_for_death_signal(int signo)
{
	pid_t parent;

	if (signo == 0)
		return 0;
	parent = getppid();
	if (prctl(PR_SET_PDEATHSIG, signo, 0, 0, 0) < 0) {
		say("cannot ask for signal %d at the parent's death: %s", signo, strerror(errno));
		return EXIT_INTERNAL;
	}
	if (getppid() != parent)
		kill(getpid(), signo);
	return 0;
}

static bool is_own_pid(const char *text)
{
	pid_t pid = 0;

	for (; *text >= '0' && *text <= '9' && pid < 100000000; text++)
		pid = pid * 10 + (*text - '0');
	return *text == '\0' && pid == getpid();
}

/*
 * Descriptors that were passed to this process (LISTEN_FDS) are for the program, so it must find
 * its own pid in LISTEN_PID. Gives the place where the child writes it, or NULL.
 */
static char *own_listen_pid(char **envp)
{
	static const char name[] = "LISTEN_PID=";
	static char variable[sizeof(name) - 1 + SPAWN_PID_SIZE];

	for (; *envp; envp++) {
		if (strncmp(*envp, name, sizeof(name) - 1) != 0)
			continue;
		if (!is_own_pid(*envp + sizeof(name) - 1))
			return NULL;
		memcpy(variable, name, sizeof(name) - 1);
		*envp = variable;
		return variable + sizeof(name) - 1;
	}
	return NULL;
}

static int start(struct wrap *w)
{
	const struct wrap_options *options = w->options;
	bool shared = terminal_is_shared(&w->terminal);
	struct spawn_request request = {
		.argv = options->argv,
		.envp = options->envp,
		.identity = options->identity,
		.new_session = !shared,
		.new_group = shared,
		.foreground_tty = terminal_to_give(&w->terminal),
		.pid_text = own_listen_pid(options->envp),
	};
	struct spawn_error error;

	w->child = spawn(&request, &error);
	if (w->child < 0) {
		terminal_close(&w->terminal);
		say_start_failed(options->argv[0], &error);
		return spawn_exit_code(&error);
	}
	terminal_started(&w->terminal, w->child);
	if (options->verbose)
		say("started %s, process %d", options->argv[0], (int)w->child);
	return 0;
}

/* 0, or an exit code. */
static int block_signals(struct wrap *w)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	int rc;

	w->mask = ~fault_catch(true);
	rc = signals_set_mask(w->mask, NULL);
	if (rc < 0) {
		say("cannot block signals: %s", strerror(-rc));
		return EXIT_INTERNAL;
	}
	/* an inherited "ignore" would have the kernel reap children behind our back */
	sigaction(SIGCHLD, &action, NULL);
	return 0;
}

static bool is_remapped(const struct wrap_options *options, int code)
{
	return options->remapped[code / 8] & (1U << (code % 8));
}

int wrap_run(const struct wrap_options *options)
{
	struct wrap w = {.options = options, .code = EXIT_NONE, .recheck = -1};
	int rc = block_signals(&w);

	if (rc == 0)
		rc = ask_for_death_signal(options->death_signal);
	if (rc == 0)
		rc = become_reaper(&w);
	if (rc != 0)
		return rc;
	terminal_open(&w.terminal);
	rc = start(&w);
	if (rc != 0)
		return rc;
	memory_give_back_code();
	run_until_child_ends(&w);
	terminal_close(&w.terminal);
	end_leftovers(&w);
	if (w.reaped && options->verbose)
		say("adopted processes reaped: %u", w.reaped);
	return is_remapped(options, w.code) ? 0 : w.code;
}
