/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PROC_STAT_H
#define SIDECAR_PROC_STAT_H

#include <stdbool.h>
#include <stdint.h>

/* One process as /proc/PID/stat has it. */
struct proc_stat {
	int32_t pid, parent, session;
	uint64_t cpu;    /* ns, with that of the children it has waited for */
	uint64_t memory; /* bytes, resident, about: newer kernels sum it up only when asked below */
	uint64_t begin;  /* ns after boot of the machine: with the pid it names the process for good
			  */
	uint64_t threads;
};

/* False: the text is not what the kernel writes. */
bool proc_stat_parse(struct proc_stat *process, const char *text);
/* False: there is no such process, or it cannot be seen. */
bool proc_stat_read(struct proc_stat *process, const char *proc_root, int pid);

/* Resident memory in bytes, or what `process` has of it. */
uint64_t proc_resident(const char *proc_root, const struct proc_stat *process);

/* Of both: 0 when the process is gone, COUNTER_UNKNOWN when it may not be seen. */
/* Open descriptors. */
uint64_t proc_open_fds(const char *proc_root, int pid);
/* Proportional set size in bytes: dear, and only for who might trace the process. */
uint64_t proc_pss(const char *proc_root, int pid);

#endif
