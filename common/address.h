/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ADDRESS_H
#define MUSTER_ADDRESS_H

#include <stdint.h>

#include "endpoint.h"

/*
 * The address book: what the [address:NAME] sections and the environment say about where things
 * are, for the mode in force. Nothing is looked up in the DNS and nothing is connected to: that is
 * the sidecar's. Built by config_load, in config.addresses.
 *
 * For an address NAME (upper case in variables) these are tried in order:
 *   1. NAME_URL, NAME_ADDR, or NAME_HOST with NAME_PORT, in the environment: it alone counts
 *   2. the entry of the mode: one or several hosts
 *   3. NAME_SERVICE_HOST with NAME_SERVICE_PORT (Kubernetes), NAME_PORT=tcp://host:port (links)
 *   4. `fallback`
 *   5. in mode kubernetes, without an entry for it: NAME itself as a name in the DNS
 */
struct address_candidate {
	const char *host; /* no brackets */
	uint16_t port;
	const char *source; /* "environment REDIS_URL", "muster.ini:12 container" */
};

struct address {
	const char *name;
	/* in order of preference; the first is what services get */
	const struct address_candidate *candidates;
	uint32_t count;    /* 0: it has no address here */
	const char *tried; /* what was looked at and why it gave nothing; NULL when it did */
};

struct address_book {
	const struct address *entries;
	uint32_t count;
};

/* The address with this name, or NULL. */
const struct address *address_find(const struct address_book *book, const char *name);

#endif
