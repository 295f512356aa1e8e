/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_CGROUP_PLACE_H
#define SIDECAR_CGROUP_PLACE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Where the files of our own cgroup are. Nothing is guessed: /proc/self/cgroup says in which cgroup
 * of which hierarchy we are, /proc/self/mountinfo which of them is mounted where, as what kind of
 * file system, and from which cgroup on. What these two do not bring together is not there: so a
 * hierarchy of the host that is mounted into a container with a cgroup namespace of its own, in
 * which our place has no name.
 */
enum cgroup_controller {
	CGROUP_CPU,
	CGROUP_CPUACCT,
	CGROUP_MEMORY,
	CGROUP_PIDS,
	CGROUP_IO,
	CGROUP_CONTROLLERS
};

struct cgroup_place {
	unsigned version;   /* 1, 2; 0: there is none */
	size_t top;         /* length of the mount point in `dir`: above it nothing can be seen */
	char dir[PATH_MAX]; /* of our own cgroup */
};

struct cgroup_places {
	struct cgroup_place of[CGROUP_CONTROLLERS];
};

/*
 * `proc_root` is where /proc is. `cgroup_root`: what is mounted at /sys/fs/cgroup or below is
 * looked for in this directory instead, and what is elsewhere is not; NULL: all is where it is.
 * `below_init`: muster-init moves itself and us into the leaf `init` of the container's cgroup v2
 * when it limits services; the container's own is then the one above.
 */
void cgroup_places_find(struct cgroup_places *places, const char *proc_root,
			const char *cgroup_root, bool below_init);

/* Moves `dir`, as long as place->top or more, to the cgroup above. False: there is none to see. */
bool cgroup_place_up(const struct cgroup_place *place, char *dir);

#endif
