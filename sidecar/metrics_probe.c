/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "probe.h"
#include "sidecar.h"
#include "snapshot.h"
#include "states.h"

typedef void probe_samples(struct metrics *metrics, const char *service, const char *check,
			   const struct probe *probe);

static const char *service_of(const struct metrics *metrics, const struct probe *probe)
{
	if (probe->spec.name[0])
		return probe->spec.name;
	if (metrics->view->present && probe->spec.service < metrics->view->header.record_count)
		return metrics->view->records[probe->spec.service].name;
	return "?";
}

static void each_probe(struct metrics *metrics, probe_samples *write)
{
	const struct probe *probe = NULL;

	while ((probe = prober_next(metrics->sidecar->prober, probe)))
		write(metrics, service_of(metrics, probe), role_name(probe->spec.role), probe);
}

#define EACH_PROBE(name)                                                                           \
	static void write_##name(struct metrics *metrics)                                          \
	{                                                                                          \
		each_probe(metrics, put_##name);                                                   \
	}

static void put_success(struct metrics *metrics, const char *service, const char *check,
			const struct probe *probe)
{
	metric_put(metrics, probe->last.ok, service, check);
}
EACH_PROBE(success)

static void put_checks(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	metric_put(metrics, (double)probe->checks, service, check);
}
EACH_PROBE(checks)

static void put_faults(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	for (unsigned fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
		metric_put(metrics, (double)probe->faults[fault], service, check,
			   fault_name(fault));
}
EACH_PROBE(faults)

static void put_last_success(struct metrics *metrics, const char *service, const char *check,
			     const struct probe *probe)
{
	metric_put(metrics, metric_seconds(probe->last_success), service, check);
}
EACH_PROBE(last_success)

static void put_status(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	if (probe->spec.kind == PROBE_HTTP)
		metric_put(metrics, probe->last.status, service, check);
}
EACH_PROBE(status)

static void put_latency(struct metrics *metrics, const char *service, const char *check,
			const struct probe *probe)
{
	const struct metric_histogram histogram = {
		.bounds = latency_bounds,
		.count = LATENCY_BOUNDS,
		.in = probe->latency,
		.sum = metric_seconds(probe->latency_sum),
	};

	metric_put_histogram(metrics, &histogram, service, check);
}
EACH_PROBE(latency)

const struct metric_family probe_metrics[] = {
	METRIC("muster_probe_success", GAUGE, "", write_success, "1 when the last check succeeded.",
	       "service", "check"),
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
	METRIC_END,
};
