/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_FORWARD_H
#define SIDECAR_FORWARD_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Ports of this machine at which addresses of the book are found: a connection there is passed on
 * to where the address is at that moment, and stays there until one of both sides ends it. When
 * nobody answers the next place of the address is tried; when there is none, the connection is
 * reset. TCP only.
 */
#define FORWARD_PORTS_MAX       64
#define FORWARD_CONNECTIONS_MAX 1024   /* in all, or fewer where descriptors are scarce */
#define FORWARD_CONNECT_MS      2000   /* for one place */
#define FORWARD_PLACES_MS       10000  /* for all of them */
#define FORWARD_HALF_MS         600000 /* one side has ended, and the other is silent */
#define FORWARD_REFUSED_MS      1000   /* one side is gone, and the other has been told */

struct forward;
struct live;
struct loop;
struct resolver;

/* `list`: NAME=ADDRESS:PORT, NULL-ended. Opens the ports. NULL: not possible, and the log says why.
 */
struct forward *forward_create(struct loop *loop, const char *const *list);
/* The book must be there. */
void forward_start(struct forward *forward, struct live *live, struct resolver *resolver);
void forward_destroy(struct forward *forward);

struct forward_counts {
	const char *name;   /* of the address */
	const char *listen; /* ADDRESS:PORT */
	uint32_t open;
	uint64_t accepted;
	uint64_t refused;              /* too many */
	uint64_t failed;               /* nobody took it */
	uint64_t broken;               /* ended by an error */
	uint64_t to_server, to_client; /* bytes */
};
typedef void forward_seen(void *data, const struct forward_counts *counts);
void forward_each(const struct forward *forward, forward_seen *call, void *data);

#endif
