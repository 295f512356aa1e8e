/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_UPSTREAM_H
#define SIDECAR_DNS_UPSTREAM_H

#include <stdbool.h>

#include "target.h"

/*
 * The name servers that are asked what the book does not know: those that are configured, or those
 * of /etc/resolv.conf, read again when it has changed; never ourselves.
 */
#define UPSTREAMS_MAX 8

struct resolver;

struct upstreams {
	union address list[UPSTREAMS_MAX];
	unsigned count;
};

struct dns_upstream;

/* `given` as `--dns-upstream` has it, NULL-ended, empty: resolv.conf; `own`: where we ourselves
 * answer. Lists are borrowed. Keeps the resolver from asking us for what it is to find out for us.
 */
struct dns_upstream *dns_upstream_create(struct resolver *resolver, const char *const *given,
					 const union address *own, unsigned own_count);
const struct upstreams *dns_upstream_list(struct dns_upstream *upstream);
void dns_upstream_destroy(struct dns_upstream *upstream);

#endif
