/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <sys/resource.h>

#include "clock.h"
#include "counters.h"
#include "facts.h"
#include "server.h"
#include "sidecar.h"

/* ---- the HTTP server ---- */

static void put_requests(void *data, const char *path, unsigned status, uint64_t requests)
{
	char code[16];

	snprintf(code, sizeof(code), "%u", status);
	metric_put(data, (double)requests, path, code);
}

static void write_requests(struct metrics *metrics)
{
	server_requests(metrics->sidecar->server, put_requests, metrics);
}

static void write_connections(struct metrics *metrics)
{
	metric_put(metrics, server_counts(metrics->sidecar->server)->open);
}

static void write_accepted(struct metrics *metrics)
{
	metric_put(metrics, (double)server_counts(metrics->sidecar->server)->accepted);
}

static void write_ended(struct metrics *metrics)
{
	const struct server_counts *counts = server_counts(metrics->sidecar->server);

	metric_put(metrics, (double)counts->refused, "refused");
	metric_put(metrics, (double)counts->expired, "deadline");
	metric_put(metrics, (double)counts->evicted, "evicted");
}

/* ---- the process ---- */

static void write_cpu(struct metrics *metrics)
{
	metric_put(metrics, metric_seconds(clock_ns(CLOCK_PROCESS_CPUTIME_ID)));
}

static void write_memory(struct metrics *metrics)
{
	uint64_t memory = facts_own_memory();

	metric_put(metrics, counter_is_number(memory) ? (double)memory : (double)NAN);
}

static void write_start(struct metrics *metrics)
{
	metric_put(metrics, metric_seconds(metrics->sidecar->begin_realtime));
}

static void write_open_files(struct metrics *metrics)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* . and .. and the directory itself */

	if (!dir) {
		metric_put(metrics, NAN);
		return;
	}
	while (readdir(dir))
		count++;
	closedir(dir);
	metric_put(metrics, count);
}

static void write_file_limit(struct metrics *metrics)
{
	struct rlimit limit;

	metric_put(metrics, getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
				    ? (double)limit.rlim_cur
				    : INFINITY);
}

/* The last of all, so that little is missing. */
static void write_scrape(struct metrics *metrics)
{
	metric_put(metrics, metric_seconds(clock_monotonic() - metrics->begin));
}

const struct metric_family own_metrics[] = {
	METRIC("muster_http_requests", COUNTER, "", write_requests, "Requests answered.", "path",
	       "code"),
	METRIC("muster_http_connections", GAUGE, "", write_connections, "Connections open."),
	METRIC("muster_http_connections_accepted", COUNTER, "", write_accepted,
	       "Connections accepted."),
	METRIC("muster_http_connections_ended", COUNTER, "", write_ended,
	       "Connections that the server ended: no place, a deadline passed, or to make room.",
	       "reason"),
	METRIC("process_cpu_seconds", COUNTER, "seconds", write_cpu,
	       "Processor time of the sidecar."),
	METRIC("process_resident_memory_bytes", GAUGE, "bytes", write_memory,
	       "Resident memory of the sidecar."),
	METRIC("process_open_fds", GAUGE, "", write_open_files, "Open descriptors of the sidecar."),
	METRIC("process_max_fds", GAUGE, "", write_file_limit, "Limit of open descriptors."),
	METRIC("process_start_time_seconds", GAUGE, "seconds", write_start,
	       "When the sidecar started, Unix time."),
	METRIC("muster_scrape_duration_seconds", GAUGE, "seconds", write_scrape,
	       "How long the making of this answer took."),
	METRIC_END,
};
