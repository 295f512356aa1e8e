/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LEFTOVERS_H
#define MUSTER_LEFTOVERS_H

#include <stdbool.h>

/*
 * What a service leaves behind when its main process has ended: processes of its session, and
 * processes that left the session but still carry its MUSTER_SERVICE in their environment. They
 * have become children of init (PID 1, or a subreaper), so init's own list of children is where to
 * look; nothing that is not a child of init is ever touched.
 */
struct supervisor;
struct service;

/* Sends `signal` (0: only looks) to all of them. True: there is at least one alive. */
bool leftovers_signal(struct supervisor *sup, struct service *service, int signal);
/* Sends `signal` to every child of init that belongs to no service; the number of them. */
unsigned leftovers_strangers(struct supervisor *sup, int signal);

#endif
