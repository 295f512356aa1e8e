/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PEERS_STATE_H
#define SIDECAR_PEERS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "peer_json.h"
#include "peer_pull.h"
#include "peers.h"
#include "watch.h"

/*
 * Between peers.c, which asks, and peer_watch.c, which says what that means for those who wait. For
 * these two only.
 */
struct peer {
	struct peers *peers;
	const char *name;
	const char *url; /* ${address:...} stands for what is in force */
	uint32_t period; /* ms */
	char now[1280];  /* the URL that was asked last */
	uint8_t known;   /* enum peer_state, as it was told */
	bool pulling, queued;
	struct loop_timer timer;
	uint64_t due;   /* the next pull */
	uint64_t begun; /* when it was asked for the first time */
	uint64_t heard, heard_realtime;
	unsigned failing; /* pulls in a row; 0: the last one was good */
	char error[PULL_ERROR_SIZE];
	char etag[ETAG_SIZE]; /* of `report` */
	struct peer_report *report;
	bool self; /* it says that it is this host */
	uint64_t pulls, failures, received;
};

/* A service of a peer that somebody waits for. */
struct peer_watch {
	struct watch watch;
	struct peer *peer;
	char service[64];
	int condition; /* enum dep_condition; -1: as the type of the service suggests */
	uint64_t begun;
};

struct peers {
	struct loop *loop;
	struct puller *puller;
	struct live *live;
	struct snapshot *snapshot;
	const char *host;
	struct peer *list;
	uint32_t count, next; /* `next`: who of those that are queued comes first */
	bool taking;
	uint32_t *revision;
	uint64_t random;
	struct watch *watches; /* each of a struct peer_watch */
	peers_changed *changed;
	void *changed_data;
};

enum peer_state peer_state_of(const struct peer *peer, uint64_t now);
/* Why it is not heard. */
const char *peer_error(const struct peer *peer);
/* Asks it soon. */
void peer_hurry(struct peer *peer);

/* ---- peer_watch.c ---- */

/* Tells those who wait for services of the peer what there is to be told. */
void peer_tell_watches(struct peer *peer);
/* Whether somebody is told that a service of the peer is not so far. */
bool peer_has_unmet(const struct peer *peer);
/* Whether a service of this host waits for one of them right now. */
bool peer_is_awaited(const struct peer *peer);
/* This host's name. */
const char *peers_host(const struct peers *peers);

#endif
