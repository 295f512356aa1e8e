/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CGROUP_ROOT_H
#define MUSTER_CGROUP_ROOT_H

/* Makes the cgroup that init is in fit for those of services (cgroups.h), and leaves it as found.
 */
struct supervisor;

/* At the start: opens what is there. */
void cgroup_root_open(struct supervisor *sup);
/* For a configuration that comes into force: makes what it asks for possible, or says what is not.
 */
void cgroup_root_follow(struct supervisor *sup);
/* At the end: leaves the cgroup as it was found. */
void cgroup_root_close(struct supervisor *sup);

#endif
