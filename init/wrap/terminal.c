/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "signals.h"

/* The controlling terminal, or -1. */
static int find_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	pid_t group;

	if (fd >= 0 || errno == ENXIO)
		return fd;
	/* no such file: then one of the standard descriptors may be it; this call works on a
	 * controlling terminal only */
	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (ioctl(fd, TIOCGPGRP, &group) == 0)
			return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return -1;
}

/* Letting go makes the kernel send HUP and CONT to the foreground group, which is ours. */
static sigword let_go(int fd)
{
	const struct timespec at_once = {0, 0};
	sigword dropped = 0;
	int signo;

	if (ioctl(fd, TIOCNOTTY) < 0)
		return 0;
	while ((signo = signals_wait(SIGWORD(SIGHUP) | SIGWORD(SIGCONT), NULL, &at_once)) > 0)
		dropped |= SIGWORD(signo);
	return dropped;
}

sigword terminal_open(struct terminal *terminal, bool may_let_go)
{
	terminal->fd = find_terminal();
	if (terminal->fd < 0)
		return 0;
	terminal->leads = may_let_go && getsid(0) == getpid();
	if (terminal->leads)
		return let_go(terminal->fd);
	terminal->own_group = getpgrp();
	return 0;
}

void terminal_leave(struct terminal *terminal)
{
	if (!terminal_is_shared(terminal))
		return;
	ioctl(terminal->fd, TIOCNOTTY);
	close(terminal->fd);
	terminal->fd = -1;
}

bool terminal_is_shared(const struct terminal *terminal)
{
	return terminal->fd >= 0 && !terminal->leads;
}

static bool is_foreground(const struct terminal *terminal)
{
	return tcgetpgrp(terminal->fd) == terminal->own_group;
}

int terminal_to_give(struct terminal *terminal)
{
	if (terminal_is_shared(terminal) && !is_foreground(terminal))
		return -1; /* started in the background: it has to wait for fg */
	terminal->given = terminal->fd >= 0;
	return terminal->fd;
}

/* SIGTTOU is blocked, so this works from the background, too. */
static void set_foreground(const struct terminal *terminal, pid_t group)
{
	if (group > 0)
		tcsetpgrp(terminal->fd, group);
}

/* Only from the program: a shell that has put the job into the background keeps its terminal. A
 * program that could not be started had no time to lose it. */
static void take_back(const struct terminal *terminal)
{
	if (terminal->program_group ? tcgetpgrp(terminal->fd) == terminal->program_group
				    : terminal->given)
		set_foreground(terminal, terminal->own_group);
}

void terminal_started(struct terminal *terminal, pid_t group)
{
	terminal->program_group = group;
	if (terminal->fd >= 0 && terminal->leads) {
		close(terminal->fd);
		terminal->fd = -1;
	}
}

void terminal_continued(const struct terminal *terminal)
{
	if (!terminal_is_shared(terminal))
		return;
	if (is_foreground(terminal))
		set_foreground(terminal, terminal->program_group);
	kill(-terminal->program_group, SIGCONT);
}

bool terminal_was_continued(void)
{
	sigset_t pending;

	return sigpending(&pending) == 0 && sigismember(&pending, SIGCONT) == 1;
}

void terminal_stopped(const struct terminal *terminal, int signo)
{
	if (!terminal_is_shared(terminal) || signo == SIGSTOP)
		return;
	/* fg tells a job nothing that runs already: it has the terminal, and wants to read */
	if ((signo == SIGTTIN || signo == SIGTTOU) && is_foreground(terminal)) {
		terminal_continued(terminal);
		return;
	}
	take_back(terminal);
	/* the whole job, as Ctrl-Z does it; nothing that runs as PID 1 or in a group that no shell
	 * could continue is stopped by it */
	kill(0, SIGTSTP);
	signals_set_mask(~(SIGWORD_FAULTS | SIGWORD(SIGTSTP)), NULL);
	signals_set_mask(~SIGWORD_FAULTS, NULL);
	if (signo == SIGTSTP && getpid() != 1 && !terminal_was_continued())
		terminal_continued(terminal);
}

void terminal_close(struct terminal *terminal)
{
	if (terminal->fd < 0)
		return;
	if (terminal_is_shared(terminal))
		take_back(terminal);
	close(terminal->fd);
	terminal->fd = -1;
}
