/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_NOTIFY_H
#define MUSTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"

/*
 * sd_notify(3): a datagram socket for each service that asked for it, so that a sender which has
 * already ended is still attributed rightly; who sent is asked of the kernel (SCM_CREDENTIALS).
 */
struct supervisor;
struct service;

struct notify_run {
	struct loop_source source;
	struct service *service;
	char variable[128]; /* NOTIFY_SOCKET=..., for the service's environment */
};

/* Opens the socket. False, with errno: it could not be opened. */
bool notify_open(struct supervisor *sup, struct service *service);
void notify_close(struct supervisor *sup, struct service *service);

/* Tells an outer service manager (NOTIFY_SOCKET in init's environment) about us. */
void notify_up_open(struct supervisor *sup, const char *path);
void notify_up_send(const struct supervisor *sup, const char *message);

#endif
