/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "dns.h"
#include "facts.h"
#include "forward.h"
#include "probe.h"
#include "resolve.h"
#include "server.h"
#include "sidecar.h"
#include "version.h"

/*
 * One table of families; a renderer walks it. Each family has a function that writes its samples,
 * and sees nothing of the format but sample().
 */
struct metrics {
	struct text *out;
	const struct sidecar *sidecar;
	const struct view *view;
	const char *name; /* of the family being written */
};

struct family {
	const char *name, *type, *help;
	void (*write)(struct metrics *metrics);
};

/* ---- samples ---- */

static void put_label(struct text *out, const char *value)
{
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			text_add(out, "\\%c", *value);
		else if (*value == '\n')
			text_put(out, "\\n");
		else
			text_put_bytes(out, value, 1);
	}
}

static void put_number(struct text *out, double value)
{
	if (isnan(value))
		text_put(out, "NaN\n");
	else if (isinf(value))
		text_put(out, value > 0 ? "+Inf\n" : "-Inf\n");
	else
		text_add(out, "%.15g\n", value);
}

/* Labels are pairs of name and value, NULL-ended. `suffix` follows the family's name. */
static void sample(struct metrics *metrics, const char *suffix, const char *const *labels,
		   double value)
{
	struct text *out = metrics->out;

	text_put(out, metrics->name);
	text_put(out, suffix);
	for (size_t i = 0; labels && labels[i]; i += 2) {
		text_add(out, "%c%s=\"", i ? ',' : '{', labels[i]);
		put_label(out, labels[i + 1]);
		text_put(out, "\"");
	}
	text_put(out, labels && labels[0] ? "} " : " ");
	put_number(out, value);
}

static void plain(struct metrics *metrics, double value)
{
	sample(metrics, "", NULL, value);
}

/* To the microsecond. */
static double seconds(uint64_t ns)
{
	return (double)(ns / 1000) / 1e6;
}

/* ---- the whole ---- */

static void write_build(struct metrics *metrics)
{
	sample(metrics, "", (const char *const[]){"version", MUSTER_VERSION, NULL}, 1);
}

static void write_page(struct metrics *metrics)
{
	plain(metrics, metrics->view->present);
}

static void write_ready(struct metrics *metrics)
{
	plain(metrics, view_all_ready(metrics->view));
}

static void write_phase(struct metrics *metrics)
{
	for (unsigned phase = 0; phase < PHASE_COUNT; phase++)
		sample(metrics, "", (const char *const[]){"state", phase_name(phase), NULL},
		       metrics->view->present && metrics->view->header.phase == phase);
}

static void write_score(struct metrics *metrics)
{
	plain(metrics, view_total_score(metrics->view) / 100.0);
}

static void write_start_time(struct metrics *metrics)
{
	plain(metrics, seconds(metrics->view->header.boot_realtime));
}

static void write_startup(struct metrics *metrics)
{
	const struct status_header *header = &metrics->view->header;

	plain(metrics, header->startup_done ? seconds(header->startup_done - header->boot) : NAN);
}

static void write_reaped(struct metrics *metrics)
{
	plain(metrics, (double)metrics->view->header.reaped);
}

static void write_dropped(struct metrics *metrics)
{
	plain(metrics, (double)metrics->view->header.log_dropped);
}

/* ---- services ---- */

typedef double service_value(const struct metrics *metrics, uint32_t index);

static void each_service(struct metrics *metrics, service_value *value)
{
	const struct view *view = metrics->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			sample(metrics, "",
			       (const char *const[]){"service", view->records[i].name, NULL},
			       value(metrics, i));
}

static double is_up(const struct metrics *metrics, uint32_t index)
{
	unsigned state = metrics->view->records[index].state;

	return state_is_active(state) && state != STATE_STARTING;
}

static double is_ready(const struct metrics *metrics, uint32_t index)
{
	return view_is_ready(metrics->view, index);
}

static double starts(const struct metrics *metrics, uint32_t index)
{
	return metrics->view->records[index].starts;
}

static double restarts(const struct metrics *metrics, uint32_t index)
{
	return metrics->view->records[index].restarts;
}

static double exit_code(const struct metrics *metrics, uint32_t index)
{
	int code = metrics->view->records[index].last_exit;

	return code < 0 ? (double)NAN : code;
}

static double since(const struct metrics *metrics, uint32_t index)
{
	return seconds(view_realtime(metrics->view, metrics->view->records[index].since));
}

static double failures(const struct metrics *metrics, uint32_t index)
{
	return metrics->view->records[index].failures;
}

static void write_up(struct metrics *metrics)
{
	each_service(metrics, is_up);
}

static void write_service_ready(struct metrics *metrics)
{
	each_service(metrics, is_ready);
}

static void write_starts(struct metrics *metrics)
{
	each_service(metrics, starts);
}

static void write_restarts(struct metrics *metrics)
{
	each_service(metrics, restarts);
}

static void write_exit_code(struct metrics *metrics)
{
	each_service(metrics, exit_code);
}

static void write_since(struct metrics *metrics)
{
	each_service(metrics, since);
}

static void write_failures(struct metrics *metrics)
{
	each_service(metrics, failures);
}

static void write_states(struct metrics *metrics)
{
	const struct view *view = metrics->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		for (unsigned state = 0; view_is_shown(view, i) && state < STATE_COUNT; state++)
			sample(metrics, "",
			       (const char *const[]){"service", view->records[i].name, "state",
						     state_name(state), NULL},
			       view->records[i].state == state);
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
		sample(metrics, "",
		       (const char *const[]){"service", record->name, "phase", "waiting", NULL},
		       began ? seconds(record->start_begin - record->wait_begin) : NAN);
		sample(metrics, "",
		       (const char *const[]){"service", record->name, "phase", "starting", NULL},
		       done ? seconds(record->ready_at - record->start_begin) : NAN);
	}
}

/* ---- probes ---- */

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

static void probe_value(struct metrics *metrics, const char *service, const char *check,
			double value)
{
	sample(metrics, "", (const char *const[]){"service", service, "check", check, NULL}, value);
}

static void put_success(struct metrics *metrics, const char *service, const char *check,
			const struct probe *probe)
{
	probe_value(metrics, service, check, probe->last.ok);
}

static void put_checks(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	probe_value(metrics, service, check, (double)probe->checks);
}

static void put_faults(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	for (unsigned fault = FAULT_NONE + 1; fault < FAULT_COUNT; fault++)
		sample(metrics, "",
		       (const char *const[]){"service", service, "check", check, "reason",
					     fault_name(fault), NULL},
		       (double)probe->faults[fault]);
}

static void put_last_success(struct metrics *metrics, const char *service, const char *check,
			     const struct probe *probe)
{
	probe_value(metrics, service, check, seconds(probe->last_success));
}

static void put_status(struct metrics *metrics, const char *service, const char *check,
		       const struct probe *probe)
{
	if (probe->spec.kind == PROBE_HTTP)
		probe_value(metrics, service, check, probe->last.status);
}

static void put_latency(struct metrics *metrics, const char *service, const char *check,
			const struct probe *probe)
{
	const char *labels[] = {"service", service, "check", check, "le", NULL, NULL};
	double sum = 0;
	char bound[16];

	for (unsigned i = 0; i <= LATENCY_BOUNDS; i++) {
		sum += (double)probe->latency[i];
		if (i < LATENCY_BOUNDS)
			snprintf(bound, sizeof(bound), "%g", latency_bounds[i]);
		labels[5] = i < LATENCY_BOUNDS ? bound : "+Inf";
		sample(metrics, "_bucket", labels, sum);
	}
	labels[4] = NULL;
	sample(metrics, "_sum", labels, seconds(probe->latency_sum));
	sample(metrics, "_count", labels, sum);
}

static void write_success(struct metrics *metrics)
{
	each_probe(metrics, put_success);
}

static void write_checks(struct metrics *metrics)
{
	each_probe(metrics, put_checks);
}

static void write_faults(struct metrics *metrics)
{
	each_probe(metrics, put_faults);
}

static void write_last_success(struct metrics *metrics)
{
	each_probe(metrics, put_last_success);
}

static void write_status(struct metrics *metrics)
{
	each_probe(metrics, put_status);
}

static void write_latency(struct metrics *metrics)
{
	each_probe(metrics, put_latency);
}

/* ---- the sidecar itself ---- */

static void write_lookups(struct metrics *metrics)
{
	plain(metrics, (double)resolver_counts(metrics->sidecar->resolver)->lookups);
}

static void write_lookup_failures(struct metrics *metrics)
{
	plain(metrics, (double)resolver_counts(metrics->sidecar->resolver)->failures);
}

static void put_requests(void *data, const char *path, unsigned status, uint64_t requests)
{
	char code[16];

	snprintf(code, sizeof(code), "%u", status);
	sample(data, "", (const char *const[]){"path", path, "code", code, NULL}, (double)requests);
}

static void write_requests(struct metrics *metrics)
{
	server_requests(metrics->sidecar->server, put_requests, metrics);
}

static void write_connections(struct metrics *metrics)
{
	plain(metrics, server_counts(metrics->sidecar->server)->open);
}

static void write_accepted(struct metrics *metrics)
{
	plain(metrics, (double)server_counts(metrics->sidecar->server)->accepted);
}

static void write_ended(struct metrics *metrics)
{
	const struct server_counts *counts = server_counts(metrics->sidecar->server);

	sample(metrics, "", (const char *const[]){"reason", "refused", NULL},
	       (double)counts->refused);
	sample(metrics, "", (const char *const[]){"reason", "deadline", NULL},
	       (double)counts->expired);
	sample(metrics, "", (const char *const[]){"reason", "evicted", NULL},
	       (double)counts->evicted);
}

/* ---- names and connections ---- */

static void write_queries(struct metrics *metrics)
{
	const struct dns_counts *counts;

	if (!metrics->sidecar->dns)
		return;
	counts = dns_counts(metrics->sidecar->dns);
	sample(metrics, "", (const char *const[]){"result", "answered", NULL},
	       (double)counts->answered);
	sample(metrics, "", (const char *const[]){"result", "empty", NULL}, (double)counts->empty);
	sample(metrics, "", (const char *const[]){"result", "missing", NULL},
	       (double)counts->missing);
	sample(metrics, "", (const char *const[]){"result", "forwarded", NULL},
	       (double)counts->forwarded);
	sample(metrics, "", (const char *const[]){"result", "refused", NULL},
	       (double)counts->refused);
	sample(metrics, "", (const char *const[]){"result", "failed", NULL},
	       (double)counts->failed);
	sample(metrics, "", (const char *const[]){"result", "malformed", NULL},
	       (double)counts->malformed);
}

static void put_forward_open(void *data, const struct forward_counts *counts)
{
	sample(data, "",
	       (const char *const[]){"address", counts->name, "listen", counts->listen, NULL},
	       counts->open);
}

static void put_forward_result(struct metrics *metrics, const struct forward_counts *counts,
			       const char *result, uint64_t value)
{
	sample(metrics, "",
	       (const char *const[]){"address", counts->name, "listen", counts->listen, "result",
				     result, NULL},
	       (double)value);
}

static void put_forward_results(void *data, const struct forward_counts *counts)
{
	put_forward_result(data, counts, "accepted", counts->accepted);
	put_forward_result(data, counts, "refused", counts->refused);
	put_forward_result(data, counts, "failed", counts->failed);
	put_forward_result(data, counts, "broken", counts->broken);
}

static void put_forward_bytes(void *data, const struct forward_counts *counts)
{
	sample(data, "",
	       (const char *const[]){"address", counts->name, "listen", counts->listen, "direction",
				     "to_server", NULL},
	       (double)counts->to_server);
	sample(data, "",
	       (const char *const[]){"address", counts->name, "listen", counts->listen, "direction",
				     "to_client", NULL},
	       (double)counts->to_client);
}

static void each_forward(struct metrics *metrics, forward_seen *put)
{
	if (metrics->sidecar->forward)
		forward_each(metrics->sidecar->forward, put, metrics);
}

static void write_forward_open(struct metrics *metrics)
{
	each_forward(metrics, put_forward_open);
}

static void write_forward_results(struct metrics *metrics)
{
	each_forward(metrics, put_forward_results);
}

static void write_forward_bytes(struct metrics *metrics)
{
	each_forward(metrics, put_forward_bytes);
}

static void write_cpu(struct metrics *metrics)
{
	plain(metrics, seconds(clock_ns(CLOCK_PROCESS_CPUTIME_ID)));
}

static void write_memory(struct metrics *metrics)
{
	struct usage usage;

	plain(metrics, facts_usage("/proc", getpid(), &usage) ? (double)usage.memory : NAN);
}

static void write_own_start(struct metrics *metrics)
{
	plain(metrics, seconds(metrics->sidecar->begin_realtime));
}

static void write_open_files(struct metrics *metrics)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = -3; /* . and .. and the directory itself */

	if (!dir) {
		plain(metrics, NAN);
		return;
	}
	while (readdir(dir))
		count++;
	closedir(dir);
	plain(metrics, count);
}

static void write_file_limit(struct metrics *metrics)
{
	struct rlimit limit;

	plain(metrics, getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
			       ? (double)limit.rlim_cur
			       : INFINITY);
}

/* ---- the table ---- */

static const struct family families[] = {
	{"muster_build_info", "gauge", "The version, as a label.", write_build},
	{"muster_status_page", "gauge", "1 when muster-init's status page can be read.",
	 write_page},
	{"muster_ready", "gauge", "1 when /readyz says so.", write_ready},
	{"muster_phase", "gauge", "1 for the phase that holds.", write_phase},
	{"muster_health_score_ratio", "gauge", "The score of /health, 0 to 1.", write_score},
	{"muster_start_time_seconds", "gauge", "When muster-init started, Unix time.",
	 write_start_time},
	{"muster_startup_duration_seconds", "gauge",
	 "From the start of muster-init to the end of the start-up; NaN while it lasts.",
	 write_startup},
	{"muster_reaped_processes_total", "counter", "Adopted processes that were reaped.",
	 write_reaped},
	{"muster_log_dropped_lines_total", "counter",
	 "Lines of output dropped because standard output stalled.", write_dropped},

	{"muster_service_up", "gauge", "1 when the service runs and is past its start.", write_up},
	{"muster_service_ready", "gauge", "1 when the service is ready, running or completed.",
	 write_service_ready},
	{"muster_service_state", "gauge", "1 for the state that the service is in.", write_states},
	{"muster_service_state_since_timestamp_seconds", "gauge",
	 "When the service entered its state, Unix time.", write_since},
	{"muster_service_starts_total", "counter", "Times the service was started.", write_starts},
	{"muster_service_restarts_total", "counter",
	 "Times the service was started again after it ended by itself or by a probe.",
	 write_restarts},
	{"muster_service_exit_code", "gauge",
	 "The last exit code, 128 + N for signal N; NaN: it never ended.", write_exit_code},
	{"muster_service_startup_duration_seconds", "gauge",
	 "How long the first start waited for others and then took; NaN: not yet done.",
	 write_start_phases},
	{"muster_service_probe_failures", "gauge", "Failures in a row of the service's probe.",
	 write_failures},

	{"muster_probe_success", "gauge", "1 when the last check succeeded.", write_success},
	{"muster_probes_total", "counter", "Checks made.", write_checks},
	{"muster_probe_failures_total", "counter", "Checks that failed, by the step that failed.",
	 write_faults},
	{"muster_probe_duration_seconds", "histogram",
	 "Duration of successful checks, until connected or until the answer began.",
	 write_latency},
	{"muster_probe_last_success_timestamp_seconds", "gauge",
	 "When a check last succeeded, Unix time; 0: never.", write_last_success},
	{"muster_probe_http_status_code", "gauge", "Status of the last answer; 0: none came.",
	 write_status},

	{"muster_resolve_total", "counter", "Names looked up.", write_lookups},
	{"muster_resolve_failures_total", "counter", "Lookups that failed.", write_lookup_failures},
	{"muster_dns_queries_total", "counter", "Questions of others, by what became of them.",
	 write_queries},
	{"muster_forward_connections", "gauge", "Connections that are passed on.",
	 write_forward_open},
	{"muster_forward_connections_total", "counter",
	 "Connections to be passed on, by what became of them; those accepted include failed and "
	 "broken.",
	 write_forward_results},
	{"muster_forward_bytes_total", "counter", "Bytes passed on.", write_forward_bytes},
	{"muster_http_requests_total", "counter", "Requests answered.", write_requests},
	{"muster_http_connections", "gauge", "Connections open.", write_connections},
	{"muster_http_connections_accepted_total", "counter", "Connections accepted.",
	 write_accepted},
	{"muster_http_connections_ended_total", "counter",
	 "Connections that the server ended: no place, a deadline passed, or to make room.",
	 write_ended},
	{"process_cpu_seconds_total", "counter", "Processor time of the sidecar.", write_cpu},
	{"process_resident_memory_bytes", "gauge", "Resident memory of the sidecar.", write_memory},
	{"process_open_fds", "gauge", "Open descriptors of the sidecar.", write_open_files},
	{"process_max_fds", "gauge", "Limit of open descriptors.", write_file_limit},
	{"process_start_time_seconds", "gauge", "When the sidecar started, Unix time.",
	 write_own_start},
};

void metrics_report(struct request *request, struct reply *reply)
{
	struct metrics metrics = {
		.out = &reply->body,
		.sidecar = request->sidecar,
		.view = snapshot_refresh(request->sidecar->snapshot),
	};

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
		const struct family *family = &families[i];

		metrics.name = family->name;
		text_add(&reply->body, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help,
			 family->name, family->type);
		family->write(&metrics);
	}
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
}
