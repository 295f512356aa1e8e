/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PROC_H
#define MUSTER_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * The process table as /proc shows it (proc(5)), read without allocating. `proc` is a descriptor of
 * /proc itself, so that a path that is mounted over later changes nothing.
 */

/* The descriptor; -errno: there is no /proc, or it is that of another PID namespace (-ENOENT). */
int proc_open(void);

struct proc_info {
	pid_t parent;
	char state;    /* its letter */
	bool ending;   /* or at its end, with no other thread that lives */
	char name[16]; /* cut as the kernel has it, less what may not be printed */
};

/* False: there is no such process. */
bool proc_look(int proc, pid_t pid, struct proc_info *info);

/* Reads the beginning of a file of the process, as fd_read_at does. */
long proc_read(int proc, pid_t pid, const char *name, char *text, size_t size);
/* Whether it has a device of NVIDIA open: what it holds of a GPU's memory was lost to others. */
bool proc_holds_gpu(int proc, pid_t pid);

/* Called for each process; false ends the walk. */
typedef bool proc_visit(int proc, pid_t pid, void *data);
/* All processes but this one. 0 or -errno. */
int proc_each(int proc, proc_visit *visit, void *data);
/* The children of this process: the kernel's own list, or all of /proc where it keeps none. 0 or
 * -errno. */
int proc_each_child(int proc, proc_visit *visit, void *data);

#endif
