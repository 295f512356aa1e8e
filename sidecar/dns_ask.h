/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_ASK_H
#define SIDECAR_DNS_ASK_H

#include <stdbool.h>

#include "dns_packet.h"
#include "dns_upstream.h"
#include "loop.h"

/*
 * A question passed on to another name server: each time from a port and with an id that nobody can
 * guess, on a socket that takes packets of that server only. A server that is silent, unreachable
 * or of no help is followed by the next.
 */
#define ASK_TRY_MS    1500
#define ASK_TRIES_MAX 4

/* `answer` NULL: nobody answered. The bytes are valid during the call, and may be changed. */
typedef void dns_asked(void *data, uint8_t *answer, size_t size);

/* Owned by the asker. */
struct dns_ask {
	struct loop *loop;
	const struct dns_query *query; /* stays while it is under way */
	dns_asked *call;
	void *data;
	bool tcp;
	struct upstreams servers;
	unsigned tries, servers_left;
	int fd; /* < 0: not under way */
	uint16_t id;
	struct loop_timer timer;
	uint8_t *stream; /* over TCP: what is sent, then what is received */
	size_t stream_size, stream_done;
	bool sent;
};

/* `call` comes once, perhaps before this returns. */
void dns_ask_begin(struct dns_ask *ask, const struct upstreams *servers);
void dns_ask_cancel(struct dns_ask *ask);

#endif
