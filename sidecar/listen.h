/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LISTEN_H
#define SIDECAR_LISTEN_H

#include "target.h"

#define LISTEN_PORT 9180 /* where none is written */

/* A listening socket. */
struct listener {
	int fd;
	union address address;
};

/*
 * Opens what HOST:PORT says: an address, a name that resolves to addresses of this machine, or
 * nothing or * for all of them; port 0 takes any. Fills at most `max` listeners and returns how
 * many there are. On an error it closes what it opened, says why in the log, and returns -1.
 */
int listen_open(const char *text, struct listener *out, int max);

#endif
