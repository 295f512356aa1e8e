/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "peer_json.h"
#include "peers.h"
#include "sidecar.h"
#include "states.h"

/* A family with samples for each peer. */
typedef void peer_samples(struct metrics *metrics, const struct peer_view *peer);

static void each_peer(struct metrics *metrics, peer_samples *put)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		put(metrics, &view);
	}
}

#define EACH_PEER(name)                                                                            \
	static void write_##name(struct metrics *metrics)                                          \
	{                                                                                          \
		each_peer(metrics, put_##name);                                                    \
	}

static void put_up(struct metrics *metrics, const struct peer_view *peer)
{
	metric_put(metrics, peer->state == PEER_OK, peer->name);
}
EACH_PEER(up)

static void put_last_seen(struct metrics *metrics, const struct peer_view *peer)
{
	if (peer->heard)
		metric_put(metrics, metric_seconds(peer->heard_realtime), peer->name);
}
EACH_PEER(last_seen)

/* What is not known is not counted: of a peer that is not ok there is nothing. */
static void put_services(struct metrics *metrics, const struct peer_view *peer)
{
	unsigned counts[STATE_COUNT] = {0};

	if (peer->state != PEER_OK)
		return;
	for (uint32_t i = 0; i < peer->report->service_count; i++)
		if (peer->report->services[i].state < STATE_COUNT)
			counts[peer->report->services[i].state]++;
	for (unsigned state = 0; state < STATE_COUNT; state++)
		metric_put(metrics, counts[state], peer->name, state_name(state));
}
EACH_PEER(services)

static void put_pulls(struct metrics *metrics, const struct peer_view *peer)
{
	metric_put(metrics, (double)peer->pulls, peer->name);
}
EACH_PEER(pulls)

static void put_failures(struct metrics *metrics, const struct peer_view *peer)
{
	metric_put(metrics, (double)peer->failures, peer->name);
}
EACH_PEER(failures)

static void put_received(struct metrics *metrics, const struct peer_view *peer)
{
	metric_put(metrics, (double)peer->received, peer->name);
}
EACH_PEER(received)

const struct metric_family peer_metrics[] = {
	METRIC("muster_peer_up", GAUGE, "", write_up,
	       "Whether the peer was heard within three of its periods.", "peer"),
	METRIC("muster_peer_last_seen_timestamp_seconds", GAUGE, "seconds", write_last_seen,
	       "When the peer was heard last.", "peer"),
	METRIC("muster_peer_services", GAUGE, "", write_services,
	       "Services of the peer in each state, while it is up.", "peer", "state"),
	METRIC("muster_peer_pulls", COUNTER, "", write_pulls, "Times the peer was asked.", "peer"),
	METRIC("muster_peer_pull_failures", COUNTER, "", write_failures,
	       "Times it gave no answer, or none that can be used.", "peer"),
	METRIC("muster_peer_received_bytes", COUNTER, "bytes", write_received,
	       "Bytes of its answers, heads included.", "peer"),
	METRIC_END,
};
