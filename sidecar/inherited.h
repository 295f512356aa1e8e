/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_INHERITED_H
#define SIDECAR_INHERITED_H

#include "target.h"

/*
 * Sockets that this program was started with, as those for ports that only root may open: who
 * wants to listen somewhere looks here first.
 */

/*
 * One that was inherited, or a new one, bound, and listening when it is of a stream; it does not
 * block. `type`: SOCK_STREAM or SOCK_DGRAM. -errno when that is not possible.
 */
int inherited_or_bound(const union address *address, int type);

/* Why a port cannot be had, in words. */
const char *bind_error_text(int error);

#endif
