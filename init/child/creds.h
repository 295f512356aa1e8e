/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CREDS_H
#define MUSTER_CREDS_H

#include <linux/filter.h>
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
 * nothing. Ids and groups must be exactly those asked for, every capability set and the securebits
 * what the keys leave, and root out of reach of another user who was not given CAP_SETUID. Two
 * things are let pass. An init that has no right to set groups at all (a pod that runs as that user
 * anyway) keeps those it has, when all that were asked for are there. And one that has no right to
 * trim the bounding set leaves it, when no_new_privs is on, by which it is of no account.
 */
bool creds_apply(const struct spawn_request *request, pid_t parent, struct spawn_error *error);

/* The last of all, so that it need not allow what the steps before took: the filter, if any. */
bool creds_confine(const struct spawn_request *request, struct spawn_error *error);

/*
 * Every spawn_request.filter begins with these: one harmless call gets an answer from them that
 * neither the kernel nor another filter gives. So the child sees that this very filter is in force,
 * in a container that has one already, too.
 */
#define CREDS_FILTER_MARK 5
extern const struct sock_filter creds_filter_mark[CREDS_FILTER_MARK];

#endif
