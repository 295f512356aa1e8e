/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CREDS_H
#define MUSTER_CREDS_H

#include <stdbool.h>
#include <sys/types.h>

struct spawn_request;
struct spawn_error;

/*
 * Becoming what was asked for: session, terminal, descriptors, limits, identity. Runs in the child
 * that spawn makes, so in init's memory: system calls only. `parent` is init's pid as the child
 * sees it. False: *error tells the step, and the program must not be run.
 *
 * What was set is read back at the end: a filter or an emulated root may answer "done" and do
 * nothing. With a user other than root, ids must be exactly those asked for, capabilities gone,
 * and root out of reach. One thing is let pass: an init that has no right to set groups at all
 * (a pod that runs as that user anyway) keeps those it has, when all that were asked for are there.
 */
bool creds_apply(const struct spawn_request *request, pid_t parent, struct spawn_error *error);

#endif
