/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_EXPLAIN_H
#define MUSTER_EXPLAIN_H

#include <stdint.h>
#include <stdio.h>

#include "address.h"

/*
 * The answer to "where is NAME, and why": of the book alone (musterctl resolve), or with what was
 * found by looking (muster-sidecar resolve, GET /resolve). One code writes it for all of them.
 */
struct json_out;

/* A place that was looked at over the network. */
struct explained_place {
	uint32_t candidate; /* that it comes from; an SRV record gives several */
	const char *host;
	uint16_t port;
	const char *state;   /* "up", "down", "unknown" */
	const char *error;   /* why it is down; NULL */
	const char *numbers; /* its addresses as DNS or the hosts file say, ", " between; NULL */
	uint64_t age;        /* ns since that was found; 0: not yet */
};

struct explanation {
	const struct address_book *book;
	const struct address_entry *address;
	/* what was found; place_count 0: nothing was looked up */
	const struct explained_place *places;
	uint32_t place_count;
	const char *state; /* of the address; NULL: it is not looked after */
	uint64_t age;      /* ns since it was last seen to be so */
};

void explain_json(struct json_out *json, const struct explanation *what);
/* Several lines for people. */
void explain_text(FILE *out, const struct explanation *what);

#endif
