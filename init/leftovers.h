/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LEFTOVERS_H
#define MUSTER_LEFTOVERS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * What a service leaves behind when its main process has ended: processes of its session, processes
 * that left the session but still carry its MUSTER_SERVICE in their environment, and all that
 * descends from those. The topmost of them have become children of init (PID 1, or a subreaper),
 * so that is where to look; what does not descend from init is never touched.
 */
struct supervisor;
struct service;

/* Whether a process that init did not start itself belongs to the service, by that rule. */
bool leftovers_owns(const struct supervisor *sup, const struct service *service, pid_t pid);
/* TERM and CONT to all of them that were not told yet, or, in PH_KILLING, KILL to all. True: there
 * is something to wait for. */
bool leftovers_end(struct supervisor *sup, struct service *service);
/* KILL to all of the service, its main process and what descends from that included. */
void leftovers_kill(struct supervisor *sup, struct service *service);
/* KILL to everything there is: as PID 1 that is what the kernel calls everything, otherwise what
 * init started or adopted. */
void leftovers_kill_everything(struct supervisor *sup);
/* Says which processes of the service KILL did not end. */
void leftovers_say_stuck(struct supervisor *sup, struct service *service);
/* Whether there is anything but what belongs to services that are stuck. */
bool leftovers_unstuck(struct supervisor *sup);

#endif
