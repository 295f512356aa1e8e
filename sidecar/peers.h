/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PEERS_H
#define SIDECAR_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#include "probe.h"

/*
 * Other hosts: what their sidecars say of themselves at /status, asked for once a period, and kept
 * with its age. Nothing else is asked there, so two hosts that know each other do not ask in
 * circles. What a peer says changes nothing here but dependencies on its services.
 *
 * A peer that does not answer is asked ever more rarely, up to PEER_SLOWER periods apart. While a
 * service of this host waits for one of a peer, that peer is asked every PEER_FAST_MS.
 */
#define PEER_FAST_MS       150
#define PEER_FAST_SLOWER   4 /* times that, while it does not answer */
#define PEER_SLOWER        4
#define PEER_STALE_PERIODS 3

struct config;
struct live;
struct loop;
struct peer_report;
struct peers;
struct resolver;
struct snapshot;

enum peer_state {
	PEER_UNKNOWN, /* it was never heard */
	PEER_OK,
	PEER_STALE, /* not heard for PEER_STALE_PERIODS; what was heard last is kept */
	PEER_STATES
};
const char *peer_state_name(enum peer_state state);

/* What there is to tell of a peer. Texts are valid until the loop runs again. */
struct peer_view {
	const char *name;
	const char *url; /* as it is asked now, or as it is written where that is not known */
	enum peer_state state;
	uint64_t heard;                   /* 0: never */
	uint64_t heard_realtime;          /* the same on CLOCK_REALTIME */
	const struct peer_report *report; /* NULL: never heard */
	const char *error;                /* why not, or what is odd; NULL */
	uint64_t pulls, failures, received;
};

/*
 * `options` are --peer NAME/PERIOD=URL, NULL-ended, `config` a configuration; either may be NULL.
 * `host` is this host's name; NULL: as the status page says. NULL: one of them is wrong, and the
 * log says which.
 */
struct peers_source {
	struct loop *loop;
	uint32_t *revision; /* counted up whenever the state of a peer or of its services changes */
	struct resolver *resolver;
	struct live *live;
	struct snapshot *snapshot;
	const char *host;
	const char *const *options;
	const struct config *config;
};
struct peers *peers_create(const struct peers_source *source);
void peers_start(struct peers *peers);
void peers_destroy(struct peers *peers);

uint32_t peers_count(const struct peers *peers);
void peers_view(struct peers *peers, uint32_t index, struct peer_view *view);
/* Told when the state of a peer, or of its services, is another one. */
typedef void peers_changed(void *data, const struct peer_view *view);
void peers_on_change(struct peers *peers, peers_changed *call, void *data);

/* The same to a feed, as an event `peer`. */
void peers_publish(void *feed, const struct peer_view *view);

/*
 * A probe of peer:PEER/NAME[:condition], in place of the one in the same slot; `name` is what
 * stands behind peer:. `report` is called as a prober would, when it is known whether that service
 * is so far, and whenever that or the reason changes.
 */
void peers_watch(struct peers *peers, const struct probe_spec *spec, const char *name,
		 probe_report *report, void *data);
/* False: there is no such watch here. */
bool peers_drop(struct peers *peers, uint16_t slot, uint32_t serial);
void peers_drop_all(struct peers *peers);
void peers_resume(struct peers *peers);

#endif
