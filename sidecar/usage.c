/* SPDX-License-Identifier: MIT */
#include "usage.h"

#include <math.h>

#include "cgroup.h"
#include "clock.h"
#include "facts.h"
#include "pace.h"
#include "processes.h"
#include "sidecar.h"
#include "stall.h"
#include "values.h"

/* ---- numbers that may not be known ---- */

/* A size or a number; null: there is no limit. */
static json_t *count_value(uint64_t value)
{
	if (!counter_is_number(value))
		return json_null();
	return value <= INT64_MAX ? json_integer((json_int_t)value) : json_real((double)value);
}

/* What is not known is left out. */
static void add_count(json_t *object, const char *key, uint64_t value)
{
	if (value != COUNTER_UNKNOWN)
		json_object_set_new(object, key, count_value(value));
}

static void add_time(json_t *object, const char *key, uint64_t ns)
{
	if (counter_is_number(ns))
		json_object_set_new(object, key, value_seconds(ns));
}

/* ---- services ---- */

void usage_add_service(json_t *service, const struct sidecar *sidecar, uint32_t index)
{
	bool seen = facts_same_processes(sidecar);
	const struct tree *tree =
		processes_tree(sidecar->processes, seen ? index : PROCESSES_NOBODY);

	json_object_set_new(service, "cpu_seconds",
			    counter_is_number(tree->cpu) ? value_seconds(tree->cpu) : json_null());
	json_object_set_new(service, "memory_bytes", count_value(tree->memory));
	json_object_set_new(service, "processes", count_value(tree->processes));
	json_object_set_new(service, "threads", count_value(tree->threads));
	json_object_set_new(service, "open_fds", count_value(tree->open_fds));
	add_count(service, "pss_bytes", tree->pss);
}

/* ---- the container ---- */

static void add_share(json_t *object, const struct pressure_share *share, const char *const key[4])
{
	if (!share->known)
		return;
	json_object_set_new(object, key[0], json_real(share->avg10));
	json_object_set_new(object, key[1], json_real(share->avg60));
	json_object_set_new(object, key[2], json_real(share->avg300));
	json_object_set_new(object, key[3], value_seconds(share->total));
}

static json_t *pressure_value(const struct pressure *pressure)
{
	static const char *const some[] = {"some_avg10_ratio", "some_avg60_ratio",
					   "some_avg300_ratio", "some_seconds"};
	static const char *const full[] = {"full_avg10_ratio", "full_avg60_ratio",
					   "full_avg300_ratio", "full_seconds"};
	json_t *value = json_object();

	add_share(value, &pressure->some, some);
	add_share(value, &pressure->full, full);
	return value;
}

/* null: the kernel does not keep account of it. */
static json_t *all_pressure(const struct sidecar *sidecar, const struct cgroup_facts *facts)
{
	struct stall_state stall = stall_state(sidecar->stall);
	json_t *value = json_object();

	for (unsigned i = 0; i < PRESSURE_COUNT; i++)
		if (facts->pressure[i].some.known)
			json_object_set_new(value, pressure_name(i),
					    pressure_value(&facts->pressure[i]));
	if (!json_object_size(value)) {
		json_decref(value);
		return json_null();
	}
	json_object_set_new(value, "scope",
			    json_string(facts->pressure_own ? "cgroup" : "machine"));
	if (stall.watched)
		json_object_set_new(value, "memory_stall", json_boolean(stall.warns));
	return value;
}

static json_t *all_events(const struct cgroup_facts *facts)
{
	json_t *value = json_object();

	for (unsigned i = 0; i < CGROUP_EVENTS; i++)
		add_count(value, cgroup_event_name(i), facts->events[i]);
	return value;
}

json_t *usage_cgroup(const struct sidecar *sidecar, uint64_t now)
{
	const struct cgroup_facts *facts = cgroup_refresh(sidecar->cgroup, now);
	json_t *value = json_object();

	json_object_set_new(value, "version",
			    facts->version ? json_integer(facts->version) : json_null());
	add_time(value, "cpu_seconds", facts->cpu);
	add_time(value, "cpu_user_seconds", facts->cpu_user);
	add_time(value, "cpu_system_seconds", facts->cpu_system);
	add_count(value, "periods", facts->periods);
	add_count(value, "throttled_periods", facts->throttled_periods);
	add_time(value, "throttled_seconds", facts->throttled);
	if (!isnan(facts->cpu_limit))
		json_object_set_new(value, "cpu_limit_cores",
				    isinf(facts->cpu_limit) ? json_null()
							    : json_real(facts->cpu_limit));
	add_count(value, "memory_bytes", facts->memory);
	add_count(value, "memory_working_set_bytes", facts->working_set);
	add_count(value, "memory_peak_bytes", facts->memory_peak);
	add_count(value, "memory_limit_bytes", facts->memory_limit);
	json_object_set_new(value, "memory_events", all_events(facts));
	add_count(value, "oom_kills", facts->events[CGROUP_EVENT_OOM_KILL]);
	add_count(value, "pids", facts->pids);
	add_count(value, "pids_limit", facts->pids_limit);
	add_count(value, "io_read_bytes", facts->io_read);
	add_count(value, "io_written_bytes", facts->io_written);
	json_object_set_new(value, "pressure", all_pressure(sidecar, facts));
	return value;
}

/* ---- this program ---- */

json_t *usage_sidecar(const struct sidecar *sidecar)
{
	struct pace_verdict pace = pace_last(sidecar->pace);
	json_t *value = json_object();

	add_time(value, "cpu_seconds", clock_ns(CLOCK_PROCESS_CPUTIME_ID));
	add_count(value, "memory_bytes", facts_own_memory());
	json_object_set_new(value, "probe_stretch_ratio", json_real(pace.stretch));
	json_object_set_new(value, "probe_stretch_cause",
			    pace.stretch > 1 ? json_string(pace_cause_name(pace.cause))
					     : json_null());
	return value;
}

bool usage_add_check(json_t *checks, const struct sidecar *sidecar)
{
	struct stall_state stall = stall_state(sidecar->stall);
	json_t *check;

	if (!stall.watched)
		return false;
	check = json_pack("{s:s, s:s, s:s}", "componentType", "system", "observedValue",
			  stall.warns ? "stalls" : "none", "status", stall.warns ? "warn" : "pass");
	if (stall.since)
		json_object_set_new(check, "time", value_time(stall.since));
	if (stall.warns)
		json_object_set_new(
			check, "output",
			json_string(stall.own ? "processes of the container wait for memory"
					      : "processes of the machine wait for memory"));
	json_object_set_new(checks, "memory:pressure", json_pack("[o]", check));
	return stall.warns;
}
