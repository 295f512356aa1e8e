/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CORES_H
#define MUSTER_CORES_H

#include <stdint.h>

/* Processors that this container may use, by affinity and by the quota of its cgroup; at least 1.
 * `cgroup`: the directory of that of v2 (cgroup_files.h), or -1. */
uint32_t cores_count(int cgroup);

#endif
