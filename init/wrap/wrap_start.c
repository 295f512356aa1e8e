/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "fd.h"
#include "spawn.h"
#include "wrap_state.h"

/* ---- before ---- */

/* 0, or an exit code. */
static int block_signals(struct wrap *w)
{
	struct sigaction action = {.sa_handler = SIG_DFL};
	sigword given = 0;
	int rc;

	if (w->options->keep_signals)
		w->given_ignored = signals_ignored();
	w->mask = ~fault_catch(true);
	rc = signals_set_mask(w->mask, &given);
	if (rc < 0) {
		wrap_say(w, VOICE_NO_BLOCKING, (struct voice_words){.error = -rc});
		return wrap_internal_code(w);
	}
	memcpy(&w->given_mask, &given, sizeof(given));
	/* an inherited "ignore" would have the kernel reap children behind our back */
	sigaction(SIGCHLD, &action, NULL);
	return 0;
}

/* Inherited over exec. */
static bool is_subreaper(void)
{
	int is = 0;

	return prctl(PR_GET_CHILD_SUBREAPER, &is, 0, 0, 0) == 0 && is;
}

/* 0, or an exit code. */
static int become_reaper(struct wrap *w)
{
	uint8_t wanted = w->options->subreaper;

	w->is_pid1 = getpid() == 1;
	if (w->is_pid1)
		return 0;
	if (wanted == SUBREAPER_NEVER) {
		if (!is_subreaper())
			wrap_say(w, VOICE_NOT_REAPER, (struct voice_words){0});
		return 0;
	}
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
		return 0;
	wrap_say(w, VOICE_NO_SUBREAPER, (struct voice_words){.error = errno});
	return wanted == SUBREAPER_TRY ? 0 : wrap_internal_code(w);
}

/* A parent that ended before this took effect sends nothing any more. */
static int ask_for_death_signal(const struct wrap *w)
{
	int signo = w->options->death_signal;
	pid_t parent;

	if (signo == 0)
		return 0;
	parent = getppid();
	if (prctl(PR_SET_PDEATHSIG, signo, 0, 0, 0) < 0) {
		wrap_say(w, VOICE_NO_DEATH_SIGNAL,
			 (struct voice_words){.number = signo, .error = errno});
		return wrap_internal_code(w);
	}
	if (getppid() != parent)
		kill(getpid(), signo);
	return 0;
}

int wrap_prepare(struct wrap *w)
{
	int rc = block_signals(w);

	if (rc == 0)
		rc = ask_for_death_signal(w);
	return rc == 0 ? become_reaper(w) : rc;
}

/* ---- the program ---- */

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

/* ---- words and codes ---- */

static void say_start_failed(const struct wrap *w, const struct spawn_error *error)
{
	const char *program = w->options->argv[0];
	struct voice_words words = {.what = program, .error = error->error};

	if (error->step != STEP_EXEC)
		words.detail = spawn_step_name(error->step);
	else if (error->error == ENOENT && strchr(program, '/') && access(program, F_OK) == 0)
		words.detail = "its interpreter or loader: ";
	wrap_say(w, error->step == STEP_EXEC ? VOICE_EXEC_FAILED : VOICE_STEP_FAILED, words);
}

static int failed_start_code(const struct wrap_options *options, const struct spawn_error *error)
{
	if (!options->exit_failed)
		return spawn_exit_code(error);
	if (error->step != STEP_EXEC)
		return EXIT_FAILURE;
	return error->error == ENOENT   ? options->exit_missing
	       : error->error == EACCES ? options->exit_denied
					: options->exit_failed;
}

static void say_started(const struct wrap *w, sigword handed_over)
{
	if (w->options->session == SESSION_NEW)
		wrap_say(w, VOICE_SESSION, (struct voice_words){0});
	wrap_say(w, VOICE_STARTED,
		 (struct voice_words){.what = w->options->argv[0], .pid = w->child});
	for (int signo = 1; handed_over && signo <= SIGNAL_MAX; signo++) {
		if (!(handed_over & SIGWORD(signo)))
			continue;
		wrap_say(w, VOICE_RECEIVED, (struct voice_words){.number = signo});
		wrap_say(w, VOICE_HANDED_OVER, (struct voice_words){.number = signo});
	}
}

/* ---- directory, descriptors, terminal ---- */

/*
 * Leaves the working directory to the program alone, before that can look: a descriptor of it, or 0
 * where it is closed to us, so that only who stands in it can stay.
 */
static int go_to_root(void)
{
	int directory = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (directory < 0)
		return 0;
	if (fchdir(directory) == 0 && chdir("/") == 0)
		return directory;
	close(directory);
	return 0;
}

void wrap_settle(struct wrap *w, int directory)
{
	int first = STDERR_FILENO + 1;
	int rc = directory > 0 ? close(directory) : w->options->to_root ? chdir("/") : 0;

	(void)rc;
	if (!w->options->closes)
		return;
	if (w->terminal.fd > first && dup3(w->terminal.fd, first, O_CLOEXEC) == first)
		w->terminal.fd = first;
	fd_close_from(w->terminal.fd == first ? first + 1 : first);
}

static void request_session(struct wrap *w, struct spawn_request *request)
{
	uint8_t session = w->options->session;
	bool shared = terminal_is_shared(&w->terminal);

	request->new_session =
		session == SESSION_NEW || (session == SESSION_AS_TERMINAL && !shared);
	request->new_group = !request->new_session && session != SESSION_SAME;
	request->foreground_tty = terminal_to_give(&w->terminal);
}

static sigword open_terminal(struct wrap *w)
{
	uint8_t session = w->options->session;
	sigword handed_over = 0;

	w->terminal.fd = -1;
	if (session == SESSION_SAME)
		return 0;
	handed_over = terminal_open(&w->terminal, session != SESSION_GROUP);
	if (session != SESSION_NEW)
		return 0;
	if (w->terminal.fd < 0)
		wrap_say(w, VOICE_NO_TERMINAL,
			 (struct voice_words){.number = ENOTTY, .error = ENOTTY});
	else if (w->terminal.leads)
		wrap_say(w, VOICE_DETACHED, (struct voice_words){0});
	terminal_leave(&w->terminal);
	return handed_over;
}

int wrap_start(struct wrap *w)
{
	const struct wrap_options *options = w->options;
	struct spawn_request request = {
		.argv = options->argv,
		.envp = options->envp,
		.identity = options->identity,
		.filter = options->filter,
		.keep_signals = options->keep_signals,
		.mask = options->keep_signals ? &w->given_mask : NULL,
		.ignored = w->given_ignored,
		.shell_argv = options->or_shell ? options->argv - 1 : NULL,
		.pid_text = {own_listen_pid(options->envp)},
	};
	sigword handed_over = open_terminal(w);
	struct spawn_error error;

	if (options->to_root)
		request.directory = go_to_root();
	request_session(w, &request);
	w->child = spawn(&request, &error);
	if (w->child < 0) {
		terminal_close(&w->terminal);
		say_start_failed(w, &error);
		return failed_start_code(options, &error);
	}
	terminal_started(&w->terminal, w->child);
	say_started(w, handed_over);
	wrap_settle(w, request.directory);
	return 0;
}
