/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_OUTER_H
#define MUSTER_OUTER_H

/*
 * Init as a service of somebody else: podman, systemd, or another muster-init, which gave it
 * NOTIFY_SOCKET and perhaps WATCHDOG_USEC.
 */
struct supervisor;

/* Finds and connects it; notify.h tells it what happens. */
void outer_open(struct supervisor *sup);

#endif
