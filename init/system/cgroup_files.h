/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CGROUP_FILES_H
#define MUSTER_CGROUP_FILES_H

#include <stdint.h>

/* The files of cgroups, and the one that init is in. Nothing here allocates. */

/* The directory of ours in v2: the one in /proc/self/cgroup below /sys/fs/cgroup, or that which
 * MUSTER_CGROUP_ROOT names; -1: there is none. */
int cgroup_open(void);
/* Where the kernel counts what it kills for want of memory in it, in v1, too; -1. */
int cgroup_open_events(int root);
/* That count, by now. */
uint64_t cgroup_killed(int events);

/* 0 or -errno. */
int cgroup_write(int dir, const char *path, const char *text);
/* The number behind this word, at the start of a line; 0: there is no such line. */
uint64_t cgroup_number(const char *text, const char *word);

#endif
