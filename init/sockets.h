/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SOCKETS_H
#define MUSTER_SOCKETS_H

#include <stdbool.h>

#include "listener.h"
#include "loop.h"

/*
 * The sockets of `listen`: opened with a configuration, before it is in force, and kept as long as
 * it is. Each configuration has descriptors of its own; one that follows another gets copies of
 * those whose text is the same, so that nobody who connects meanwhile sees a difference. A service
 * is given them in the way of sd_listen_fds(3) at each start; init itself never accepts or reads.
 */
struct config;
struct service;
struct supervisor;

struct held_socket {
	struct loop_source source; /* its fd is -1 unless init waits for a connection */
	struct listener listener;  /* its fd is -1: nobody will answer here, so it is closed */
	struct service *service;
};

#define SOCKETS_TEXT_SIZE 512

/*
 * Opens all sockets of the configuration. What `from` and `other` (either may be NULL) hold already
 * is shared with them. False: `text` says which cannot be opened and why, and none is open.
 */
bool sockets_open_all(struct config *config, const struct config *from, const struct config *other,
		      char text[SOCKETS_TEXT_SIZE]);

/* Closes them. The file of a unix socket is removed unless `heir` or `other` holds it, too. */
void sockets_close_all(struct loop *loop, struct config *config, const struct config *heir,
		       const struct config *other);

/* After any change of the service's phase: closes, or watches, what has to be. */
void sockets_follow(struct supervisor *sup, struct service *service);

/* Before a start: opens again what was closed. False with errno. */
bool sockets_prepare(struct supervisor *sup, struct service *service);

#endif
