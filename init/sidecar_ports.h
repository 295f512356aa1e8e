/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SIDECAR_PORTS_H
#define MUSTER_SIDECAR_PORTS_H

struct config;
struct spawn_fd;

/*
 * Opens for the sidecar, when init is root, the ports below 1024 at which it is to answer names or
 * to pass connections on, as descriptors from SIDECAR_PORTS_FIRST on; it knows them by their
 * addresses. Fills at most SIDECAR_PORTS_MAX and returns how many; the caller closes the sources.
 */
#define SIDECAR_PORTS_FIRST 4
#define SIDECAR_PORTS_MAX   24
unsigned sidecar_open_ports(const struct config *config, struct spawn_fd *fds);

#endif
