/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_HOSTS_H
#define SIDECAR_HOSTS_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Which names a request may have in its Host header. A web page of a stranger can make the
 * reader's browser ask this server by a name of the stranger's own that resolves to our address
 * (DNS rebinding), and would then read the answer. So only names are taken that a stranger cannot
 * own: addresses, this host's names, the names given to listen on, names without a dot, and names
 * under .localhost, .local, .internal and .svc, which no public DNS has.
 */
struct hosts;

struct hosts *hosts_create(void);
void hosts_add(struct hosts *hosts, const char *name);
void hosts_destroy(struct hosts *hosts);

/* Whether the value of a Host header (NAME[:PORT]) is one of these. */
bool hosts_allow(struct hosts *hosts, const char *value);

#endif
