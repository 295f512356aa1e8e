/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_H
#define SIDECAR_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target.h"

/*
 * A small name server: answers where the addresses of the book are (A, AAAA, SRV), as they are
 * found at the moment, and passes what it does not know on to the name servers of this machine. Who
 * is not on this machine is told of addresses only. It keeps no answers of others.
 *
 * TTL of what it says of addresses: an answer that has changed is to be seen soon.
 */
#define DNS_TTL         5   /* seconds */
#define DNS_WAITING_MAX 512 /* questions waiting for somebody else's answer */
#define DNS_SOCKETS_MAX 16

struct dns;
struct dns_stream;
struct live;
struct loop;
struct resolver;

struct dns_options {
	const char *const *listen;   /* ADDRESS:PORT, NULL-ended */
	const char *const *upstream; /* as dns_upstream_create has it */
	const char *zone;
};

/* Opens its ports. NULL: one of them cannot be had, and the log says why. */
struct dns *dns_create(struct loop *loop, const struct dns_options *options);
void dns_start(struct dns *dns, struct live *live, struct resolver *resolver);
void dns_destroy(struct dns *dns);

struct dns_counts {
	uint64_t answered;  /* from the book: with records, */
	uint64_t empty;     /* without, */
	uint64_t missing;   /* and NXDOMAIN */
	uint64_t forwarded; /* passed on */
	uint64_t refused;
	uint64_t failed; /* SERVFAIL: nobody knew, or too many were waiting */
	uint64_t malformed;
	uint32_t waiting;
};
const struct dns_counts *dns_counts(const struct dns *dns);

/* ---- for the connections of dns_stream.c ---- */

/* Whom an answer goes to. */
struct dns_client {
	int fd; /* of the port it was asked at */
	union address peer;
	struct dns_stream *stream; /* NULL: UDP */
};

/*
 * Takes a question. Returns the size of the answer in `out`, which has room for DNS_UDP_MOST bytes;
 * 0: it comes later or not at all (*waits says which).
 */
size_t dns_take(struct dns *dns, const uint8_t *packet, size_t size,
		const struct dns_client *client, uint8_t *out, bool *waits);
/* The connection is gone: nobody waits for its answer. */
void dns_forget(struct dns *dns, const struct dns_stream *stream);

#endif
