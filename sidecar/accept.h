/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_ACCEPT_H
#define SIDECAR_ACCEPT_H

#include "target.h"

/*
 * Accepting when there may be no descriptor left: one is kept in reserve, with which whoever waits
 * is turned away at once, where else the listening socket would be ready for ever.
 */
struct spare {
	int fd; /* < 0: none */
};

#define ACCEPT_TURNED_AWAY (-2)

void spare_open(struct spare *spare);
void spare_close(struct spare *spare);

/* A connection that does not block; ACCEPT_TURNED_AWAY; or -1: nobody waits. */
int accept_next(struct spare *spare, int listener, union address *peer);

/* Closes a connection so that the other side learns that something is wrong (RST). */
void close_hard(int fd);

#endif
