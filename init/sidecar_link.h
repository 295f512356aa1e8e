/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SIDECAR_LINK_H
#define MUSTER_SIDECAR_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/* Init's end of the channel to muster-sidecar (link.h). */
struct supervisor;

struct sidecar_link {
	struct loop_source source; /* our end; fd -1: no sidecar runs */
	struct loop_timer silence; /* it was not heard for too long */
	int child_end;             /* for the sidecar that is about to be started; -1 */
	uint16_t slot;             /* of the internal service */
	bool blocked;              /* it does not take more messages now */
	bool external;             /* it has come to the control socket, init did not start it */
	/* addresses.c: what of the address book was said */
	bool book_sent;
	uint32_t book_serial, book_address, book_step;
};

/* Makes a channel for a sidecar that is going to be started. False: no descriptors. */
bool sidecar_link_prepare(struct supervisor *sup);
/* It runs (its end is closed here), or it has ended. */
void sidecar_link_started(struct supervisor *sup);
void sidecar_link_ended(struct supervisor *sup);
/* Takes a connection to the control socket over as the channel; the descriptor is its own then. */
void sidecar_link_adopt(struct supervisor *sup, int fd);
/* One message. False: it does not take more now. */
bool sidecar_link_send(const struct supervisor *sup, const void *message, size_t size);
/* Some probe began or ended: tells the sidecar what it does not know yet. */
void sidecar_link_update(struct supervisor *sup);

#endif
