/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "dns.h"
#include "forward.h"
#include "resolve.h"
#include "sidecar.h"

/* ---- names ---- */

static void write_lookups(struct metrics *metrics)
{
	metric_put(metrics, (double)resolver_counts(metrics->sidecar->resolver)->lookups);
}

static void write_lookup_failures(struct metrics *metrics)
{
	metric_put(metrics, (double)resolver_counts(metrics->sidecar->resolver)->failures);
}

static void write_lookup_times(struct metrics *metrics)
{
	metric_put_latency(metrics, &resolver_counts(metrics->sidecar->resolver)->took);
}

static void write_queries(struct metrics *metrics)
{
	const struct dns_counts *counts;

	if (!metrics->sidecar->dns)
		return;
	counts = dns_counts(metrics->sidecar->dns);
	metric_put(metrics, (double)counts->answered, "answered");
	metric_put(metrics, (double)counts->empty, "empty");
	metric_put(metrics, (double)counts->missing, "missing");
	metric_put(metrics, (double)counts->forwarded, "forwarded");
	metric_put(metrics, (double)counts->refused, "refused");
	metric_put(metrics, (double)counts->failed, "failed");
	metric_put(metrics, (double)counts->malformed, "malformed");
}

/* ---- connections passed on ---- */

static void put_open(void *data, const struct forward_counts *counts)
{
	metric_put(data, counts->open, counts->name, counts->listen);
}

static void put_accepted(void *data, const struct forward_counts *counts)
{
	metric_put(data, (double)counts->accepted, counts->name, counts->listen);
}

static void put_failures(void *data, const struct forward_counts *counts)
{
	metric_put(data, (double)counts->refused, counts->name, counts->listen, "refused");
	metric_put(data, (double)counts->failed, counts->name, counts->listen, "failed");
	metric_put(data, (double)counts->broken, counts->name, counts->listen, "broken");
}

static void put_bytes(void *data, const struct forward_counts *counts)
{
	metric_put(data, (double)counts->to_server, counts->name, counts->listen, "to_server");
	metric_put(data, (double)counts->to_client, counts->name, counts->listen, "to_client");
}

static void each_forward(struct metrics *metrics, forward_seen *put)
{
	if (metrics->sidecar->forward)
		forward_each(metrics->sidecar->forward, put, metrics);
}

static void write_open(struct metrics *metrics)
{
	each_forward(metrics, put_open);
}

static void write_accepted(struct metrics *metrics)
{
	each_forward(metrics, put_accepted);
}

static void write_failures(struct metrics *metrics)
{
	each_forward(metrics, put_failures);
}

static void write_bytes(struct metrics *metrics)
{
	each_forward(metrics, put_bytes);
}

const struct metric_family address_metrics[] = {
	METRIC("muster_resolve", COUNTER, "", write_lookups, "Names looked up."),
	METRIC("muster_resolve_failures", COUNTER, "", write_lookup_failures,
	       "Lookups that failed."),
	METRIC("muster_resolve_duration_seconds", HISTOGRAM, "seconds", write_lookup_times,
	       "Duration of lookups, of those that failed, too."),
	METRIC("muster_dns_queries", COUNTER, "", write_queries,
	       "Questions of others, by what became of them.", "result"),
	METRIC("muster_forward_connections", GAUGE, "", write_open,
	       "Connections that are passed on.", "address", "listen"),
	METRIC("muster_forward_accepted_connections", COUNTER, "", write_accepted,
	       "Connections accepted to be passed on, with those that failed or broke later.",
	       "address", "listen"),
	METRIC("muster_forward_failures", COUNTER, "", write_failures,
	       "Connections not passed on: refused, since there were too many; failed, since "
	       "nobody took it; broken, by an error later.",
	       "address", "listen", "reason"),
	METRIC("muster_forward_bytes", COUNTER, "bytes", write_bytes, "Bytes passed on.", "address",
	       "listen", "direction"),
	METRIC_END,
};
