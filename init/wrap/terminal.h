/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TERMINAL_H
#define MUSTER_TERMINAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "signals.h"

/*
 * Who owns the terminal in wrap mode. An init that leads the session of its terminal (docker run
 * -it) lets go of it, and the program takes it in a session of its own. An init that was started
 * from a shell stays in the shell's session: the program gets a process group, and init hands the
 * foreground on to it and back, so that Ctrl-C, Ctrl-Z, fg and bg work as without init.
 */
struct terminal {
	int fd;     /* -1: init has no terminal */
	bool leads; /* init led its session */
	bool given; /* to the program, before it was started */
	pid_t own_group;
	pid_t program_group;
};

/* Finds the controlling terminal and, when init leads the session and may, lets go of it: the
 * signals that the kernel sends for that are dropped and returned. All signals must be blocked. */
sigword terminal_open(struct terminal *terminal, bool may_let_go);
/* For a program that is to have a session of its own anyway: one that belongs to somebody else's
 * is left to that. */
void terminal_leave(struct terminal *terminal);
/* Whether the program shares init's session and job control is ours to pass on. */
bool terminal_is_shared(const struct terminal *terminal);
/* The descriptor of a terminal that the program is to have in the foreground, or -1. */
int terminal_to_give(struct terminal *terminal);
/* The program runs in this group (unless it leads a session of its own). */
void terminal_started(struct terminal *terminal, pid_t group);
/* Init was continued: the program is, too, and gets the foreground if that was given to init. */
void terminal_continued(const struct terminal *terminal);
/* The program was stopped by this signal. When the terminal did it, init's own job stops, too; it
 * goes on with terminal_continued. Somebody's SIGSTOP is left alone. */
void terminal_stopped(const struct terminal *terminal, int signo);
/* Whether init, or the job that it belongs to, was stopped and continued: CONT is pending then. */
bool terminal_was_continued(void);
/* The program has ended, or could not be started: the foreground goes back to init's own group. */
void terminal_close(struct terminal *terminal);

#endif
