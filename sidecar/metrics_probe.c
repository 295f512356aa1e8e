/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "probe.h"
#include "sidecar.h"
#include "snapshot.h"
#include "states.h"
#include "tally.h"

/* A family with samples for each tally. */
typedef void tally_samples(struct metrics *metrics, const char *service, const char *check,
			   const struct tally *tally);

static bool is_gone(const void *view, const char *service)
{
	return view_find(view, service) < 0;
}

static void each_tally(struct metrics *metrics, tally_samples *put)
{
	struct tallies *tallies = prober_tallies(metrics->sidecar->prober);

	if (metrics->view->present)
		tallies_forget(tallies, is_gone, metrics->view);
	for (const struct tally *tally = tallies->first; tally; tally = tally->next)
		put(metrics, tally->name[0] ? tally->name : "?", role_name(tally->role), tally);
}

#define EACH_TALLY(name)                                                                           \
	static void write_##name(struct metrics *metrics)                                          \
	{                                                                                          \
		each_tally(metrics, put_##name);                                                   \
	}

static void put_success(struct metrics *metrics, const char *service, const char *check,
			const struct tally *tally)
{
	metric_put(metrics, tally->probes && tally->passing == tally->probes, service, check);
}
EACH_TALLY(success)

static void put_checks(struct metrics *metrics, const char *service, const char *check,
		       const struct tally *tally)
{
	metric_put(metrics, (double)tally->checks, service, check);
}
EACH_TALLY(checks)

static void put_faults(struct metrics *metrics, const char *service, const char *check,
		       const struct tally *tally)
{
	for (unsigned fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
		metric_put(metrics, (double)tally->faults[fault], service, check,
			   fault_name(fault));
}
EACH_TALLY(faults)

static void put_last_success(struct metrics *metrics, const char *service, const char *check,
			     const struct tally *tally)
{
	metric_put(metrics, metric_seconds(tally->last_success), service, check);
}
EACH_TALLY(last_success)

static void put_status(struct metrics *metrics, const char *service, const char *check,
		       const struct tally *tally)
{
	if (tally->http)
		metric_put(metrics, tally->status, service, check);
}
EACH_TALLY(status)

static void put_expiry(struct metrics *metrics, const char *service, const char *check,
		       const struct tally *tally)
{
	if (tally->tls_expiry)
		metric_put(metrics, (double)tally->tls_expiry, service, check);
}
EACH_TALLY(expiry)

static void put_latency(struct metrics *metrics, const char *service, const char *check,
			const struct tally *tally)
{
	metric_put_latency(metrics, &tally->latency, service, check);
}
EACH_TALLY(latency)

const struct metric_family probe_metrics[] = {
	METRIC("muster_probe_success", GAUGE, "", write_success,
	       "1 when the last check succeeded; 0 also while none is made.", "service", "check"),
	METRIC("muster_probes", COUNTER, "", write_checks, "Checks made.", "service", "check"),
	METRIC("muster_probe_failures", COUNTER, "", write_faults,
	       "Checks that failed, by the step that failed.", "service", "check", "reason"),
	METRIC("muster_probe_duration_seconds", HISTOGRAM, "seconds", write_latency,
	       "Duration of successful checks, until connected or until the answer began.",
	       "service", "check"),
	METRIC("muster_probe_last_success_timestamp_seconds", GAUGE, "seconds", write_last_success,
	       "When a check last succeeded, Unix time; 0: never.", "service", "check"),
	METRIC("muster_probe_http_status_code", GAUGE, "", write_status,
	       "Status of the last answer; 0: none came.", "service", "check"),
	METRIC("muster_probe_tls_expiry_timestamp_seconds", GAUGE, "seconds", write_expiry,
	       "When the first certificate of the last chain seen expires, Unix time.", "service",
	       "check"),
	METRIC_END,
};
