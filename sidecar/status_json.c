/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "facts.h"
#include "gpu.h"
#include "probe.h"
#include "processes.h"
#include "sidecar.h"
#include "timeline.h"
#include "usage.h"
#include "values.h"
#include "version.h"

/* ---- a service ---- */

static json_t *dependencies(const struct view *view, uint32_t index)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < view->header.edge_count; i++) {
		const struct status_edge *edge = &view->edges[i];

		if (edge->from != index || edge->to >= view->header.record_count)
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name",
						      view->records[edge->to].name, "condition",
						      condition_name(edge->condition), "optional",
						      (int)edge->optional));
	}
	return list;
}

/* The oldest first. */
static json_t *failure_list(const struct failures *failures)
{
	json_t *list = json_array();
	unsigned total = failures ? failures->total : 0;

	for (unsigned i = total > FAILURES_KEPT ? total - FAILURES_KEPT : 0; i < total; i++) {
		const struct failure *failure = &failures->list[i % FAILURES_KEPT];

		json_array_append_new(list, json_pack("{s:o, s:o, s:i, s:s, s:o}", "time",
						      value_time(failure->last), "first_time",
						      value_time(failure->first), "count",
						      (int)failure->count, "phase",
						      step_name(failure->step), "reason",
						      value_text(failure->reason)));
	}
	return list;
}

/* Where it was reached, and how old the name server's word on that is. */
static void add_address(json_t *value, const struct view *view, const struct probe *probe)
{
	char text[ADDRESS_TEXT];

	if (!probe->good.any.sa_family)
		return;
	address_format(&probe->good, text);
	json_object_set_new(value, "address", value_text(text));
	if (probe->good_time)
		json_object_set_new(value, "address_age_seconds",
				    value_seconds(view->now - probe->good_time));
}

static void add_check(json_t *value, const struct view *view, const struct probe *probe)
{
	json_object_set_new(value, "age_seconds", value_seconds(view->now - probe->last_time));
	if (probe->last.ok)
		json_object_set_new(value, "latency_seconds", value_seconds(probe->last.latency));
	else
		json_object_set_new(value, "phase", json_string(step_name(probe->last.step)));
	add_address(value, view, probe);
	if (probe->tls_expiry)
		json_object_set_new(value, "tls_expiry",
				    value_time((uint64_t)probe->tls_expiry * NSEC_PER_SEC));
}

/* What of a probe only the sidecar knows is null where init does the probing. */
static json_t *probe_value(const struct view *view, uint32_t index, const struct probe *probe)
{
	const struct status_record *record = &view->records[index];
	unsigned kind = record->probe != PROBE_NONE || !probe ? record->probe : probe->spec.kind;
	const char *error = record->failures ? record->reason : "";
	json_t *value;

	if (kind == PROBE_NONE)
		return json_null();
	value = json_pack("{s:s, s:i, s:i, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:o}", "kind",
			  probe_kind_name(kind), "count", (int)record->probes, "passed",
			  (int)record->passed, "latency_seconds", "age_seconds", "error", "phase",
			  "address", "address_age_seconds", "tls_expiry", "failures",
			  failure_list(probe ? probe->failures : NULL));
	if (probe && probe->last_time) {
		add_check(value, view, probe);
		error = probe->last.reason;
	}
	if (*error)
		json_object_set_new(value, "error", value_text(error));
	return value;
}

static json_t *interval(uint64_t from, uint64_t to)
{
	return from && to >= from ? value_seconds(to - from) : json_null();
}

static void add_cause(json_t *value, const struct view *view, uint32_t index)
{
	const struct status_record *record = &view->records[index];
	bool waits = record->flags & STATUS_DEP_CAUSE && record->cause < view->header.record_count;
	bool silent = view_is_ready(view, index) ||
		      (record->state == STATE_INACTIVE && !record->reason[0]);
	char why[VIEW_WHY];

	json_object_set_new(value, "reason",
			    silent ? json_null() : value_text(view_why(view, index, why)));
	json_object_set_new(value, "cause",
			    waits ? json_string(view->records[record->cause].name) : json_null());
}

static json_t *service_value(const struct sidecar *sidecar, const struct view *view, uint32_t index,
			     const struct probe *probe)
{
	const struct status_record *record = &view->records[index];
	json_t *value;

	value = json_pack(
		"{s:s, s:s, s:s, s:b, s:b, s:b, s:i, s:o, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
		"name", record->name, "type", type_name(record->type), "state",
		state_name(record->state), "ready", (int)view_is_ready(view, index), "wanted",
		(record->flags & STATUS_WANTED) != 0, "essential",
		(record->flags & STATUS_ESSENTIAL) != 0, "score", (int)view_score(view, index),
		"pid", record->pid > 0 ? json_integer(record->pid) : json_null(), "starts",
		(json_int_t)record->starts, "restarts", (json_int_t)record->restarts, "since",
		value_time(view_realtime(view, record->since)), "start_seconds",
		interval(record->start_begin, record->ready_at), "depends_on",
		dependencies(view, index), "last_exit",
		record->last_exit >= 0 ? json_integer(record->last_exit) : json_null(), "probe",
		probe_value(view, index, probe));
	add_cause(value, view, index);
	usage_add_service(value, sidecar, index);
	return value;
}

static json_t *service_list(const struct sidecar *sidecar, const struct view *view)
{
	const struct probe **probes = facts_probes(sidecar->prober, view);
	json_t *list = json_array();

	for (uint32_t i = 0; i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			json_array_append_new(list, service_value(sidecar, view, i, probes[i]));
	free(probes);
	return list;
}

/* ---- the whole ---- */

static json_t *startup_value(const struct view *view)
{
	struct timeline timeline = {0};
	json_t *value = json_object();
	uint64_t done = view->header.startup_done;

	timeline_build(&timeline, view->page);
	json_object_set_new(value, "done", json_boolean(done));
	json_object_set_new(value, "seconds",
			    done ? value_seconds(done - view->header.boot) : json_null());
	json_object_set_new(value, "critical_path", startup_path(&timeline));
	timeline_free(&timeline);
	return value;
}

static json_t *init_value(const struct sidecar *sidecar, const struct status_header *header)
{
	if (sidecar->local)
		return json_null();
	return json_pack("{s:i, s:I, s:I}", "pid", header->pid, "reaped",
			 (json_int_t)header->reaped, "log_dropped",
			 (json_int_t)header->log_dropped);
}

static json_t *status_value(const struct sidecar *sidecar, const struct view *view, bool ready)
{
	const struct status_header *header = &view->header;

	return json_pack("{s:i, s:s, s:s, s:s, s:s, s:b, s:i, s:o, s:o, s:I, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
			 "schema", JSON_SCHEMA, "version", MUSTER_VERSION, "host",
			 sidecar_host(sidecar, view), "mode", header->mode, "phase",
			 phase_name(header->phase), "ready", (int)ready, "score",
			 (int)view_total_score(view), "time", value_time(view->now_realtime),
			 "uptime", value_seconds(view->now - header->boot), "changes",
			 (json_int_t)header->changes, "init", init_value(sidecar, header),
			 "startup", startup_value(view), "services", service_list(sidecar, view),
			 "cgroup", usage_cgroup(sidecar, view->now), "sidecar",
			 usage_sidecar(sidecar), "gpu", gpu_value(sidecar->gpus), "gpus",
			 gpu_list(sidecar->gpus));
}

/* The same counters may come again with another init, or another sidecar: their start tells them
 * apart. */
static void set_etag(struct reply *reply, const struct sidecar *sidecar, const struct view *view,
		     bool ready)
{
	snprintf(reply->etag, sizeof(reply->etag), "W/\"%llx-%x-%llx-%x%s\"",
		 (unsigned long long)view->header.boot_realtime, view->header.changes,
		 (unsigned long long)sidecar->begin_realtime, sidecar->revision, ready ? "" : "-n");
}

/* ---- answers that are given again ---- */

/* As long as no probe was done, of the same ETag nothing but ages and what is used can differ.
 * False: a new one is to be made. */
static bool give_again(const struct sidecar *sidecar, struct status_kept *kept, struct reply *reply,
		       uint64_t now)
{
	if (now / NSEC_PER_SEC != kept->second)
		kept->made = 0;
	kept->second = now / NSEC_PER_SEC;
	if (kept->made < STATUS_MADE_MOST || now - kept->time >= NSEC_PER_SEC ||
	    kept->probed != prober_changes(sidecar->prober) || strcmp(kept->etag, reply->etag) != 0)
		return false;
	reply->type = "application/json";
	text_put_bytes(&reply->body, kept->body.data, kept->body.len);
	return true;
}

static void keep(const struct sidecar *sidecar, struct status_kept *kept, const struct reply *reply,
		 uint64_t now)
{
	free(kept->body.data);
	kept->body = (struct text){0};
	kept->etag[0] = '\0';
	if (++kept->made < STATUS_MADE_MOST)
		return;
	kept->time = now;
	kept->probed = prober_changes(sidecar->prober);
	memcpy(kept->etag, reply->etag, sizeof(kept->etag));
	text_put_bytes(&kept->body, reply->body.data, reply->body.len);
}

void status_report(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	bool ready = health_all_ready(request->sidecar);
	struct status_kept *kept = &request->sidecar->status_kept;
	bool pss = request_asks(request, "pss");
	json_t *value;

	if (!view->present) {
		reply_no_page(reply);
		return;
	}
	gpu_ask(request->sidecar->gpus);
	set_etag(reply, request->sidecar, view, ready);
	if (request_has(request, reply->etag)) {
		reply->status = 304;
		return;
	}
	if (!pss && give_again(request->sidecar, kept, reply, view->now))
		return;
	if (facts_same_processes(request->sidecar))
		processes_refresh(request->sidecar->processes, view, pss);
	value = status_value(request->sidecar, view, ready);
	json_object_set_new(value, "peers", peers_value(request->sidecar->peers));
	reply_json(reply, "application/json", value);
	if (!pss)
		keep(request->sidecar, kept, reply, view->now);
}
