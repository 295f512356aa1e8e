/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PATH_PROBE_H
#define MUSTER_PATH_PROBE_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Probes of a path (file:, unix:). A lookup may wait for a disk, or for ever for a server that has
 * gone, and PID 1 may not: what the kernel does not know by heart is asked by a process of its own.
 */
struct probe_config;

/* Whether the kernel can say at once what this path is, or that it is not. */
bool path_probe_is_near(const char *path);
/* 0, or the errno. At most as long as the lookup. */
int path_probe_check(const struct probe_config *config);
/* The same in a process in a group of its own, which exits with the errno. Its pid, or -1. */
pid_t path_probe_fork(const struct probe_config *config);
/* The errno in words. */
const char *path_probe_reason(const struct probe_config *config, int error);

#endif
