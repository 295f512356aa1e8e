/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_GUARD_H
#define MUSTER_GUARD_H

/*
 * What init in supervise mode gives up of itself. The capabilities that neither it nor a service of
 * the configuration can ever need leave its own sets and the bounding set, for good. Needed are
 * those of services that run as root, less what they drop; of others only those of cap_add. So
 * where one service runs as root without cap_drop nothing is given up at all, as it is to have
 * what it had. And its memory, where the environment with all secrets is, is out of reach for
 * others with its user, and for root without CAP_SYS_PTRACE.
 */
struct config;
struct supervisor;

/* Before the first service starts. */
void guard_begin(struct supervisor *sup);
/* Before services of another configuration start. */
void guard_renew(const struct config *config);
/* The first service of a new configuration that needs what has been given up, or NULL. */
const char *guard_objects(const struct supervisor *sup, const struct config *config);

#endif
