/* SPDX-License-Identifier: MIT */
#include <math.h>

#include "cgroup.h"
#include "facts.h"
#include "metrics.h"
#include "pace.h"
#include "processes.h"
#include "sidecar.h"
#include "snapshot.h"
#include "stall.h"

/* ---- services ---- */

typedef void put_tree(struct metrics *metrics, const char *service, const struct tree *tree);

/* Who asks for all families has them of one pass over /proc. */
static void each_tree(struct metrics *metrics, put_tree *put)
{
	const struct sidecar *sidecar = metrics->sidecar;
	const struct view *view = metrics->view;

	if (!view->present || !facts_same_processes(sidecar))
		return;
	processes_refresh(sidecar->processes, view, false);
	for (uint32_t i = 0; i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			put(metrics, view->records[i].name, processes_tree(sidecar->processes, i));
}

#define EACH_TREE(field, value)                                                                    \
	static void put_##field(struct metrics *metrics, const char *service,                      \
				const struct tree *tree)                                           \
	{                                                                                          \
		if (counter_is_number(tree->field))                                                \
			metric_put(metrics, value(tree->field), service);                          \
	}                                                                                          \
	static void write_##field(struct metrics *metrics)                                         \
	{                                                                                          \
		each_tree(metrics, put_##field);                                                   \
	}
EACH_TREE(cpu_ever, metric_seconds)
EACH_TREE(memory, (double))
EACH_TREE(processes, (double))
EACH_TREE(threads, (double))
EACH_TREE(open_fds, (double))

/* ---- the container ---- */

static const struct cgroup_facts *facts_of(const struct metrics *metrics)
{
	return cgroup_refresh(metrics->sidecar->cgroup, metrics->begin);
}

static void put_time(struct metrics *metrics, uint64_t ns)
{
	if (counter_is_number(ns))
		metric_put(metrics, metric_seconds(ns));
}

static void put_count(struct metrics *metrics, uint64_t value)
{
	if (value == COUNTER_UNLIMITED)
		metric_put(metrics, (double)INFINITY);
	else if (value != COUNTER_UNKNOWN)
		metric_put(metrics, (double)value);
}

#define OF_CGROUP(field, put)                                                                      \
	static void write_cgroup_##field(struct metrics *metrics)                                  \
	{                                                                                          \
		put(metrics, facts_of(metrics)->field);                                            \
	}
OF_CGROUP(cpu, put_time)
OF_CGROUP(cpu_user, put_time)
OF_CGROUP(cpu_system, put_time)
OF_CGROUP(periods, put_count)
OF_CGROUP(throttled_periods, put_count)
OF_CGROUP(throttled, put_time)
OF_CGROUP(memory, put_count)
OF_CGROUP(working_set, put_count)
OF_CGROUP(memory_peak, put_count)
OF_CGROUP(memory_limit, put_count)
OF_CGROUP(pids, put_count)
OF_CGROUP(pids_limit, put_count)
OF_CGROUP(io_read, put_count)
OF_CGROUP(io_written, put_count)

static void write_cpu_limit(struct metrics *metrics)
{
	double cores = facts_of(metrics)->cpu_limit;

	if (!isnan(cores))
		metric_put(metrics, cores);
}

static void write_cgroup_oom_kills(struct metrics *metrics)
{
	put_count(metrics, facts_of(metrics)->events[CGROUP_EVENT_OOM_KILL]);
}

static void write_events(struct metrics *metrics)
{
	const struct cgroup_facts *facts = facts_of(metrics);

	for (unsigned i = 0; i < CGROUP_EVENTS; i++)
		if (counter_is_number(facts->events[i]))
			metric_put(metrics, (double)facts->events[i], cgroup_event_name(i));
}

/* ---- pressure ---- */

static void put_pressure(struct metrics *metrics, bool full)
{
	const struct cgroup_facts *facts = facts_of(metrics);
	const char *scope = facts->pressure_own ? "cgroup" : "machine";

	for (unsigned i = 0; i < PRESSURE_COUNT; i++) {
		const struct pressure *pressure = &facts->pressure[i];
		const struct pressure_share *share = full ? &pressure->full : &pressure->some;

		if (share->known)
			metric_put(metrics, metric_seconds(share->total), pressure_name(i), scope);
	}
}

static void write_waiting(struct metrics *metrics)
{
	put_pressure(metrics, false);
}

static void write_stalled(struct metrics *metrics)
{
	put_pressure(metrics, true);
}

static void write_stall(struct metrics *metrics)
{
	struct stall_state stall = stall_state(metrics->sidecar->stall);

	if (stall.watched)
		metric_put(metrics, stall.warns);
}

static void write_stalls(struct metrics *metrics)
{
	struct stall_state stall = stall_state(metrics->sidecar->stall);

	if (stall.watched)
		metric_put(metrics, (double)stall.times);
}

/* ---- probes ---- */

static void write_stretch(struct metrics *metrics)
{
	metric_put(metrics, pace_last(metrics->sidecar->pace).stretch);
}

const struct metric_family usage_metrics[] = {
	METRIC("muster_service_cpu_seconds", COUNTER, "seconds", write_cpu_ever,
	       "Processor time of all processes of the service, over its restarts, as far as it "
	       "was "
	       "seen.",
	       "service"),
	METRIC("muster_service_memory_bytes", GAUGE, "bytes", write_memory,
	       "Resident memory of all processes of the service; shared memory counts for each.",
	       "service"),
	METRIC("muster_service_processes", GAUGE, "", write_processes, "Processes of the service.",
	       "service"),
	METRIC("muster_service_threads", GAUGE, "", write_threads, "Threads of the service.",
	       "service"),
	METRIC("muster_service_open_fds", GAUGE, "", write_open_fds,
	       "Open descriptors of all processes of the service.", "service"),

	METRIC("muster_cgroup_cpu_usage_seconds", COUNTER, "seconds", write_cgroup_cpu,
	       "Processor time of the container."),
	METRIC("muster_cgroup_cpu_user_seconds", COUNTER, "seconds", write_cgroup_cpu_user,
	       "Of that, in programs."),
	METRIC("muster_cgroup_cpu_system_seconds", COUNTER, "seconds", write_cgroup_cpu_system,
	       "Of that, in the kernel."),
	METRIC("muster_cgroup_cpu_periods", COUNTER, "", write_cgroup_periods,
	       "Periods in which the limit of processor time was counted."),
	METRIC("muster_cgroup_cpu_throttled_periods", COUNTER, "", write_cgroup_throttled_periods,
	       "Of these, those in which the container was held back."),
	METRIC("muster_cgroup_cpu_throttled_seconds", COUNTER, "seconds", write_cgroup_throttled,
	       "For how long it was held back."),
	METRIC("muster_cgroup_cpu_limit_cores", GAUGE, "cores", write_cpu_limit,
	       "Processors that the container may use; +Inf: as many as there are."),
	METRIC("muster_cgroup_memory_usage_bytes", GAUGE, "bytes", write_cgroup_memory,
	       "Memory of the container, caches of files included."),
	METRIC("muster_cgroup_memory_working_set_bytes", GAUGE, "bytes", write_cgroup_working_set,
	       "Memory without the caches of files that were not used for a while."),
	METRIC("muster_cgroup_memory_peak_bytes", GAUGE, "bytes", write_cgroup_memory_peak,
	       "The most memory there was."),
	METRIC("muster_cgroup_memory_limit_bytes", GAUGE, "bytes", write_cgroup_memory_limit,
	       "The smallest limit of memory that holds; +Inf: none."),
	METRIC("muster_cgroup_memory_events", COUNTER, "", write_events,
	       "What came of limits of memory.", "event"),
	METRIC("muster_cgroup_oom_kills", COUNTER, "", write_cgroup_oom_kills,
	       "Processes that were killed for want of memory."),
	METRIC("muster_cgroup_pids", GAUGE, "", write_cgroup_pids,
	       "Processes and threads of the container."),
	METRIC("muster_cgroup_pids_limit", GAUGE, "", write_cgroup_pids_limit,
	       "How many there may be; +Inf: any number."),
	METRIC("muster_cgroup_io_read_bytes", COUNTER, "bytes", write_cgroup_io_read,
	       "Bytes that the container had devices read."),
	METRIC("muster_cgroup_io_written_bytes", COUNTER, "bytes", write_cgroup_io_written,
	       "Bytes that the container had devices write."),
	METRIC("muster_pressure_waiting_seconds", COUNTER, "seconds", write_waiting,
	       "Time in which somebody waited for the resource, in the container's cgroup or on "
	       "the "
	       "machine.",
	       "resource", "scope"),
	METRIC("muster_pressure_stalled_seconds", COUNTER, "seconds", write_stalled,
	       "Time in which all waited for the resource.", "resource", "scope"),
	METRIC("muster_memory_stall", GAUGE, "", write_stall,
	       "1 while /health warns that processes wait for memory."),
	METRIC("muster_memory_stalls", COUNTER, "", write_stalls, "Times that began."),
	METRIC("muster_probe_stretch_ratio", GAUGE, "ratio", write_stretch,
	       "How much longer than configured the periods of succeeding probes are, 1 to 4."),
	METRIC_END,
};
