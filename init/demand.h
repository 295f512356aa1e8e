/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_DEMAND_H
#define MUSTER_DEMAND_H

#include <stdbool.h>

/*
 * start = on-demand: while the service is down init watches its sockets, and starts it when
 * somebody connects; what came waits in the socket. With idle_stop it is stopped again when no
 * connection has been open for that long, and watched again: nobody is turned away.
 */
struct loop;
struct loop_timer;
struct service;
struct supervisor;

/* What the kernel sends, at most once a tick and service, when somebody connects to a service whose
 * rest is being measured; with the descriptor. SIGIO: its queue is full, it may be any. */
#define DEMAND_SIGNAL SIG_LAST_RT

/* After any change of its phase, and of the plan. */
void demand_follow(struct supervisor *sup, struct service *service);

/* Whether whoever needs the service may go on although it is down: it waits in the socket. */
bool demand_answers(const struct service *service);

/* DEMAND_SIGNAL for this descriptor, or for all of them (-1). */
void demand_signal(struct supervisor *sup, int fd);

/* service.demand_timer */
void demand_timer_expired(struct loop *loop, struct loop_timer *timer);

#endif
