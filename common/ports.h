/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PORTS_H
#define MUSTER_PORTS_H

#include <stdint.h>

/*
 * Ports by name. What services of containers are usually called is built in, since small images
 * have no /etc/services; the rest is looked up there, without asking the C library, which may load
 * modules for it.
 */
uint16_t port_by_name(const char *name); /* 0: not known */
/* Only what is built in. */
uint16_t port_well_known(const char *name, unsigned long len);
/* What usually listens on the port, among what is built in; NULL: not known. */
const char *port_service(uint16_t port);

#endif
