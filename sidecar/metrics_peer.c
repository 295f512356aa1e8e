/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "peer_json.h"
#include "peers.h"
#include "sidecar.h"
#include "states.h"

static void write_up(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		metric_put(metrics, view.state == PEER_OK, view.name);
	}
}

static void write_last_seen(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		if (view.heard)
			metric_put(metrics, metric_seconds(view.heard_realtime), view.name);
	}
}

/* What is not known is not counted: of a peer that is not ok there is nothing. */
static void write_services(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		unsigned counts[STATE_COUNT] = {0};

		peers_view(peers, i, &view);
		if (view.state != PEER_OK)
			continue;
		for (uint32_t n = 0; n < view.report->service_count; n++)
			if (view.report->services[n].state < STATE_COUNT)
				counts[view.report->services[n].state]++;
		for (unsigned state = 0; state < STATE_COUNT; state++)
			metric_put(metrics, counts[state], view.name, state_name(state));
	}
}

static void write_pulls(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		metric_put(metrics, (double)view.pulls, view.name);
	}
}

static void write_failures(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		metric_put(metrics, (double)view.failures, view.name);
	}
}

static void write_received(struct metrics *metrics)
{
	struct peers *peers = metrics->sidecar->peers;
	struct peer_view view;

	for (uint32_t i = 0; i < peers_count(peers); i++) {
		peers_view(peers, i, &view);
		metric_put(metrics, (double)view.received, view.name);
	}
}

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
