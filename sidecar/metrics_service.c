/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <math.h>

#include "facts.h"
#include "handlers.h"
#include "ledger.h"
#include "proc_stat.h"
#include "sidecar.h"
#include "snapshot.h"
#include "states.h"
#include "version.h"

/* ---- the whole ---- */

static void write_build(struct metrics *metrics)
{
	metric_put(metrics, 1, MUSTER_VERSION);
}

static void write_page(struct metrics *metrics)
{
	metric_put(metrics, metrics->view->present);
}

static void write_ready(struct metrics *metrics)
{
	metric_put(metrics, health_all_ready(metrics->sidecar));
}

static void write_phase(struct metrics *metrics)
{
	if (metrics->view->present)
		metric_put_states(metrics, metrics->view->header.phase, PHASE_COUNT, phase_name);
}

static void write_score(struct metrics *metrics)
{
	metric_put(metrics, view_total_score(metrics->view) / 100.0);
}

static void write_start_time(struct metrics *metrics)
{
	metric_put(metrics, metrics->view->present
				    ? metric_seconds(metrics->view->header.boot_realtime)
				    : (double)NAN);
}

static void write_startup(struct metrics *metrics)
{
	const struct status_header *header = &metrics->view->header;

	metric_put(metrics, metrics->view->present && header->startup_done
				    ? metric_seconds(header->startup_done - header->boot)
				    : (double)NAN);
}

static void write_reaped(struct metrics *metrics)
{
	if (metrics->view->present)
		metric_put(metrics, (double)metrics->view->header.reaped);
}

static void write_dropped(struct metrics *metrics)
{
	if (metrics->view->present)
		metric_put(metrics, (double)metrics->view->header.log_dropped);
}

const struct metric_family muster_metrics[] = {
	METRIC("muster_build", INFO, "", write_build, "The version, as a label.", "version"),
	METRIC("muster_status_page", GAUGE, "", write_page,
	       "1 when muster-init's status page can be read."),
	METRIC("muster_ready", GAUGE, "", write_ready, "1 when /readyz says so."),
	METRIC("muster_phase", STATESET, "", write_phase, "1 for the phase that holds."),
	METRIC("muster_health_score_ratio", GAUGE, "ratio", write_score,
	       "The score of /health, 0 to 1."),
	METRIC("muster_start_time_seconds", GAUGE, "seconds", write_start_time,
	       "When muster-init started, Unix time."),
	METRIC("muster_startup_duration_seconds", GAUGE, "seconds", write_startup,
	       "From the start of muster-init to the end of the start-up; NaN while it lasts."),
	METRIC("muster_reaped_processes", COUNTER, "", write_reaped,
	       "Adopted processes that were reaped."),
	METRIC("muster_log_dropped_lines", COUNTER, "", write_dropped,
	       "Lines of output dropped because standard output stalled."),
	METRIC_END,
};

/* ---- services ---- */

typedef double service_value(const struct view *view, uint32_t index);

static void each_service(struct metrics *metrics, service_value *value)
{
	const struct view *view = metrics->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			metric_put(metrics, value(view, i), view->records[i].name);
}

#define EACH_SERVICE(value)                                                                        \
	static void write_##value(struct metrics *metrics)                                         \
	{                                                                                          \
		each_service(metrics, value);                                                      \
	}

static double up(const struct view *view, uint32_t index)
{
	unsigned state = view->records[index].state;

	return state_is_active(state) && state != STATE_STARTING;
}
EACH_SERVICE(up)

static double is_ready(const struct view *view, uint32_t index)
{
	return view_is_ready(view, index);
}
EACH_SERVICE(is_ready)

static double exit_code(const struct view *view, uint32_t index)
{
	int code = view->records[index].last_exit;

	return code < 0 ? (double)NAN : code;
}
EACH_SERVICE(exit_code)

static double since(const struct view *view, uint32_t index)
{
	uint64_t when = view->records[index].since;

	return when ? metric_seconds(view_realtime(view, when)) : (double)NAN;
}
EACH_SERVICE(since)

static double failures(const struct view *view, uint32_t index)
{
	return view->records[index].failures;
}
EACH_SERVICE(failures)

/* Not as the page has it, which knows the first start only. */
static void write_start_times(struct metrics *metrics)
{
	const struct sidecar *sidecar = metrics->sidecar;
	const struct view *view = metrics->view;
	struct proc_stat stat;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			metric_put(metrics,
				   facts_same_processes(sidecar) &&
						   proc_stat_read(&stat, sidecar->options.proc_root,
								  view->records[i].pid)
					   ? metric_seconds(sidecar->boot_realtime + stat.begin)
					   : (double)NAN,
				   view->records[i].name);
}

static void write_starts(struct metrics *metrics)
{
	const struct ledger_entry *entries = metrics->ledger->entries;

	for (uint32_t i = 0; metrics->view->present && i < metrics->ledger->count; i++)
		if (view_is_shown(metrics->view, i))
			metric_put(metrics, (double)(entries[i].starts_before + entries[i].starts),
				   entries[i].name);
}

static void write_restarts(struct metrics *metrics)
{
	const struct ledger_entry *entries = metrics->ledger->entries;

	for (uint32_t i = 0; metrics->view->present && i < metrics->ledger->count; i++)
		if (view_is_shown(metrics->view, i))
			metric_put(metrics,
				   (double)(entries[i].restarts_before + entries[i].restarts),
				   entries[i].name);
}

static void write_states(struct metrics *metrics)
{
	const struct view *view = metrics->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			metric_put_states(metrics, view->records[i].state, STATE_COUNT, state_name,
					  view->records[i].name);
}

static void write_start_phases(struct metrics *metrics)
{
	const struct view *view = metrics->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++) {
		const struct status_record *record = &view->records[i];
		bool began = record->start_begin >= record->wait_begin && record->start_begin;
		bool done = began && record->ready_at >= record->start_begin;

		if (!view_is_shown(view, i))
			continue;
		metric_put(metrics,
			   began ? metric_seconds(record->start_begin - record->wait_begin)
				 : (double)NAN,
			   record->name, "waiting");
		metric_put(metrics,
			   done ? metric_seconds(record->ready_at - record->start_begin)
				: (double)NAN,
			   record->name, "starting");
	}
}

const struct metric_family service_metrics[] = {
	METRIC("muster_service_up", GAUGE, "", write_up,
	       "1 when the service runs and is past its start.", "service"),
	METRIC("muster_service_ready", GAUGE, "", write_is_ready,
	       "1 when the service is ready, running or completed.", "service"),
	METRIC("muster_service_state", STATESET, "", write_states,
	       "1 for the state that the service is in.", "service"),
	METRIC("muster_service_state_since_timestamp_seconds", GAUGE, "seconds", write_since,
	       "When the service entered its state, Unix time; NaN: it has not begun.", "service"),
	METRIC("muster_service_starts", COUNTER, "", write_starts, "Times the service was started.",
	       "service"),
	METRIC("muster_service_restarts", COUNTER, "", write_restarts,
	       "Times the service was started again after it ended by itself or by a probe.",
	       "service"),
	METRIC("muster_service_exit_code", GAUGE, "", write_exit_code,
	       "The last exit code, 128 + N for signal N; NaN: it never ended.", "service"),
	METRIC("muster_service_start_time_seconds", GAUGE, "seconds", write_start_times,
	       "When the main process started, Unix time; NaN: there is none.", "service"),
	METRIC("muster_service_startup_duration_seconds", GAUGE, "seconds", write_start_phases,
	       "How long the first start waited for others and then took; NaN: not yet done.",
	       "service", "phase"),
	METRIC("muster_service_probe_failures", GAUGE, "", write_failures,
	       "Failures in a row of the service's probe.", "service"),
	METRIC_END,
};
