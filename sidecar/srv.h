/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_SRV_H
#define SIDECAR_SRV_H

#include <stdint.h>

/*
 * SRV records (RFC 2782): which hosts and ports offer a service, in the order in which they are to
 * be tried: by priority, and among equals the heavier first.
 */
#define SRV_MAX 8

struct srv_target {
	char host[256];
	uint16_t port;
	uint16_t priority, weight;
};

struct srv_answer {
	const char *error; /* NULL: there are targets; else why not (static text) */
	unsigned count;
	uint32_t ttl; /* seconds */
	struct srv_target targets[SRV_MAX];
};

/* Reads a DNS message. What is not an answer with usable records gives an error. */
void srv_read(struct srv_answer *answer, const unsigned char *message, int size);

#endif
