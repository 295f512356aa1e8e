/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_REACH_H
#define SIDECAR_REACH_H

#include <stdbool.h>

/*
 * How a sidecar that init has not started comes to the channel: over the control socket of the
 * runtime directory, once init has `[sidecar] external = yes` and takes this user (wire.h). Where
 * init does not want it, it is tried again for ever, at last every REACH_SLOW_SECONDS; where init
 * is not there, as soon as a socket is. The page of an init that has gone is not told any more.
 */
struct channel;
struct loop;
struct reach;
struct snapshot;

#define REACH_FIRST_MS     100
#define REACH_SLOW_SECONDS 5

/* `dir` is borrowed. */
struct reach *reach_create(struct loop *loop, struct channel *channel, struct snapshot *snapshot,
			   const char *dir);
/* Goes on by itself. After channel_start. */
void reach_start(struct reach *reach);
void reach_destroy(struct reach *reach);
/* Whether init's numbers of processes are ours. */
bool reach_same_processes(const struct reach *reach);

/* A connection to the control socket in the directory, which does not block; -1 with errno. */
int reach_connect(const char *dir);

#endif
