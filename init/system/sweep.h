/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SWEEP_H
#define MUSTER_SWEEP_H

#include <stdbool.h>
#include <sys/types.h>

#include "proc.h"

/*
 * A walk over the living descendants of this process, at any depth, and over nothing else: for an
 * init that shares its PID namespace with others and must not use kill(-1), and for what belongs to
 * one service. `child` is the ancestor among our own children (or the process itself).
 */
struct sweep {
	int signo; /* 0: only looks; what gets another signal than KILL is continued as well */
	/* Whether those that descend from this child are meant, itself included; NULL: all. */
	bool (*wanted)(int proc, pid_t child, void *data);
	/* Called for each; false: it gets no signal, unless that is KILL. NULL: all get it. */
	bool (*each)(int proc, pid_t pid, const struct proc_info *info, pid_t child, void *data);
	void *data;
};

/* How many were found, or -errno when /proc cannot be read. */
int sweep_run(const struct sweep *sweep);

#endif
