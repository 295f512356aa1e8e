/* SPDX-License-Identifier: MIT */
#include "wrap.h"

#include <errno.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "memory.h"
#include "spawn.h"
#include "sweep.h"
#include "wrap_state.h"

/* Whoever sends one of these while leftovers have their grace does not want to wait. */
#define IMPATIENT (SIGWORD(SIGTERM) | SIGWORD(SIGINT) | SIGWORD(SIGQUIT))
#define STOPPING  (SIGWORD(SIGTSTP) | SIGWORD(SIGTTIN) | SIGWORD(SIGTTOU))

#define RECHECK_MS 100  /* after a call failed that should not: look again */
#define PAUSE_MS   10   /* where there would be no end of such calls otherwise */
#define SEND_TRIES 3    /* at once; and then */
#define OWED_TRIES 300  /* RECHECK_MS apart */
#define REAP_MAX   1000 /* in one go; then signals have their turn */

/* How long killed processes may take to vanish (uninterruptible sleep): so often so many ms. The
 * time it takes to look for them does not count: on a busy machine it is longer than that. */
#define KILL_TURNS   10
#define KILL_TURN_MS 75

/* ---- reaping ---- */

/* One of two events that stand side by side: it has exited, it was killed. */
static void say_ended(const struct wrap *w, enum voice_event exited, pid_t pid, int status)
{
	bool killed = WIFSIGNALED(status);

	wrap_say(w, killed ? exited + 1 : exited,
		 (struct voice_words){.pid = pid,
				      .number = killed ? WTERMSIG(status) : WEXITSTATUS(status)});
}

static void note_ended(struct wrap *w, pid_t pid, int status)
{
	say_ended(w, VOICE_CHILD_EXITED, pid, status);
	if (pid == w->child) {
		w->code = spawn_ended_code(status);
		say_ended(w, VOICE_MAIN_EXITED, pid, status);
		return;
	}
	w->reaped++;
	say_ended(w, VOICE_ADOPTED_EXITED, pid, status);
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
		wrap_say(w, VOICE_LOST,
			 (struct voice_words){.what = w->options->argv[0], .pid = w->child});
		w->code = wrap_internal_code(w);
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

		if (pid < 0)
			note_wait_failed(w, errno);
		if (pid <= 0)
			return;
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
	if (ms != 0)
		poll(NULL, 0, PAUSE_MS); /* it may not work at all: do not spin */
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

/* Whether it was sent, or there is nobody any more to send it to. info: its value, or NULL. */
static bool send_to(const struct wrap *w, int signo, const siginfo_t *info)
{
	pid_t target = w->options->group ? -w->child : w->child;
	bool wake = signo == SIGTERM && is_stopped(w); /* it would never act on it */
	int rc = -1;

	/* one call that fails must not lose a signal that comes once */
	for (int i = 0; i < SEND_TRIES && rc < 0; i++)
		rc = info && info->si_code == SI_QUEUE && !w->options->group
			     ? sigqueue(w->child, signo, info->si_value)
			     : kill(target, signo);
	if (rc == 0 && wake)
		kill(target, SIGCONT);
	return rc == 0 || errno == ESRCH;
}

static void send_on(struct wrap *w, int signo, const siginfo_t *info)
{
	if (!send_to(w, signo, info)) {
		wrap_say(w, VOICE_SEND_FAILED,
			 (struct voice_words){.number = signo, .pid = w->child, .error = errno});
		w->owed |= SIGWORD(signo);
		w->tries = OWED_TRIES;
	}
	wrap_say(w, VOICE_FORWARDED, (struct voice_words){.other = signo});
}

static void send_owed(struct wrap *w)
{
	for (int signo = 1; signo <= SIGNAL_MAX; signo++)
		if ((w->owed & SIGWORD(signo)) && send_to(w, signo, NULL))
			w->owed &= ~SIGWORD(signo);
	if (--w->tries == 0)
		w->owed = 0;
}

/* From the kernel and about init itself: a line that nobody wanted to read. */
static bool is_own_affair(int signo, const siginfo_t *info)
{
	return (signo == SIGPIPE || signo == SIGXFSZ) && info->si_pid == getpid();
}

/* In place of a signal: another one, itself, or 0 for none. */
static int translate(const struct wrap *w, int signo)
{
	int as = w->options->forward[signo];
	struct voice_words words = {.number = signo, .other = as == WRAP_DROP ? 0 : as};

	if (as != 0)
		wrap_say(w, VOICE_TRANSLATED, words);
	else
		words.other = signo;
	wrap_say(w, words.other ? VOICE_PASSING : VOICE_DROPPED, words);
	return words.other;
}

/* Not where that cannot be, or where who stops it has gone on already: to stop drops a pending
 * CONT. */
static void stop_itself(const struct wrap *w)
{
	wrap_say(w, VOICE_SUSPENDING, (struct voice_words){0});
	if (!w->is_pid1 && !terminal_was_continued())
		kill(getpid(), SIGSTOP);
}

static void forward(struct wrap *w, int signo, const siginfo_t *info)
{
	int as;

	if (is_own_affair(signo, info))
		return;
	wrap_say(w, VOICE_RECEIVED, (struct voice_words){.number = signo});
	if (signo == SIGCONT)
		terminal_continued(&w->terminal);
	as = translate(w, signo);
	if (as)
		send_on(w, as, info);
	if (w->options->stops_itself && (SIGWORD(signo) & STOPPING))
		stop_itself(w);
}

static void run_until_child_ends(struct wrap *w)
{
	while (w->code == EXIT_NONE) {
		siginfo_t info;
		int signo = next_signal(w, &info, w->owed ? RECHECK_MS : w->recheck);

		if (w->owed)
			send_owed(w);
		if (signo > 0 && signo != SIGCHLD) {
			forward(w, signo, &info);
			continue;
		}
		if (signo == SIGCHLD)
			wrap_say(w, VOICE_CHILD_SIGNAL, (struct voice_words){.number = signo});
		reap(w);
	}
}

/* A container that is only to be there. */
static void run_until_told(struct wrap *w)
{
	int signo;

	w->code = EXIT_SUCCESS;
	do {
		siginfo_t info;

		signo = next_signal(w, &info, w->recheck);
		reap(w);
	} while (signo != SIGTERM && signo != SIGINT);
}

/* ---- what the program leaves behind ---- */

static bool say_killed(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data)
{
	(void)proc;
	(void)child;
	wrap_say(data, VOICE_KILLED, (struct voice_words){.what = info->name, .pid = pid});
	return true;
}

/* Everything in the PID namespace when it is ours alone; otherwise our own descendants only. */
static int signal_leftovers(struct wrap *w, int signo, bool tell)
{
	const struct sweep sweep = {
		.signo = w->is_pid1 ? 0 : signo, .each = tell ? say_killed : NULL, .data = w};
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
	bool tell = w->options->says & VOICE_BIT(VOICE_KILLED);

	/* again and again: one may be forked while the others are looked for */
	for (int turn = 0; turn < KILL_TURNS && !w->alone; turn++) {
		if (signal_leftovers(w, SIGKILL, tell) < 0)
			return;
		tell = false;
		wait_until_alone(w, clock_monotonic() + msec(KILL_TURN_MS), 0);
	}
	if (!w->alone)
		wrap_say(w, VOICE_UNKILLABLE, (struct voice_words){.what = w->options->argv[0]});
}

static void end_leftovers(struct wrap *w)
{
	struct voice_words words = {.what = w->options->argv[0]};
	uint64_t deadline;
	int found;

	if (w->alone)
		return;
	deadline = clock_monotonic() + msec(w->options->grace);
	if (w->options->grace > 0) {
		found = signal_leftovers(w, SIGTERM, false);
		if (found < 0) {
			words.error = -found;
			wrap_say(w, VOICE_LEFT_FAILED, words);
			return;
		}
		wrap_say(w, VOICE_TERM_LEFT, words);
		wait_until_alone(w, deadline, IMPATIENT);
	}
	if (w->alone)
		return;
	wrap_say(w, VOICE_KILL_LEFT, words);
	kill_leftovers(w);
}

/* Without waiting: whoever called by this name relies on an end at once. */
static void end_group(const struct wrap *w)
{
	int signo = translate(w, SIGTERM);

	/* alone in a session of init's own it was the only one to tell */
	if (signo && w->options->group)
		kill(-w->child, signo);
	if (signo)
		wrap_say(w, VOICE_FORWARDED, (struct voice_words){.other = signo});
}

static void end_rest(struct wrap *w)
{
	uint8_t ending = w->options->ending;

	if (ending == ENDING_ALL || (ending == ENDING_AS_PID1 && w->is_pid1))
		end_leftovers(w);
	else if (ending == ENDING_GROUP)
		end_group(w);
}

static bool is_remapped(const struct wrap_options *options, int code)
{
	return options->remapped[code / 8] & (1U << (code % 8));
}

int wrap_run(const struct wrap_options *options)
{
	struct wrap w = {.options = options, .code = EXIT_NONE, .recheck = -1};
	int rc = wrap_prepare(&w);

	if (rc != 0)
		return rc;
	if (options->pause) {
		w.terminal.fd = -1;
		wrap_settle(&w, 0);
		run_until_told(&w);
		return EXIT_SUCCESS;
	}
	rc = wrap_start(&w);
	if (rc != 0)
		return rc;
	memory_give_back_code();
	run_until_child_ends(&w);
	terminal_close(&w.terminal);
	end_rest(&w);
	if (w.reaped)
		wrap_say(&w, VOICE_REAPED, (struct voice_words){.number = (int)w.reaped});
	wrap_say(&w, VOICE_GOODBYE, (struct voice_words){.number = w.code});
	return is_remapped(options, w.code) ? EXIT_SUCCESS : w.code;
}
