/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_HOSTS_LINES_H
#define MUSTER_HOSTS_LINES_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

/*
 * hosts = yes: what is in force of the address book stands in the hosts file. A disk may stall, and
 * PID 1 may not, so a short-lived process of our own program writes it, from lines that are made of
 * checked names and numbers only; at most one at a time. At the end our lines are taken out again.
 */
struct supervisor;

struct hosts_run {
	pid_t pid;           /* that writes; 0: none */
	bool dirty;          /* the file is to be written (again) */
	char path[PATH_MAX]; /* of the file that may have lines of ours; empty: none has */
};

/* The book, or an answer, has changed. */
void hosts_changed(struct supervisor *sup);
/* Starts the writer when there is something to write; called at the end of each turn. */
void hosts_run(struct supervisor *sup);
void hosts_ended(struct supervisor *sup);
/* All is down: takes our lines out. */
void hosts_restore(struct supervisor *sup);

#endif
