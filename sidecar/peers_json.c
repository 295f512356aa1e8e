/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <string.h>

#include "clock.h"
#include "feed.h"
#include "peer_json.h"
#include "peers.h"
#include "sidecar.h"
#include "states.h"
#include "values.h"
#include "version.h"

_Static_assert(PEER_SCHEMA == JSON_SCHEMA, "what is told is what is understood");

/* ---- a peer ---- */

static json_t *peer_services(const struct peer_report *report)
{
	json_t *list = json_array();

	for (uint32_t i = 0; report && i < report->service_count; i++) {
		const struct peer_service *service = &report->services[i];

		json_array_append_new(list, json_pack("{s:s, s:s, s:b}", "name",
						      peer_service_name(report, i), "state",
						      service->state < STATE_COUNT
							      ? state_name(service->state)
							      : "unknown",
						      "ready", (int)service->ready));
	}
	return list;
}

static json_t *peer_value(struct peers *peers, uint32_t index, bool whole)
{
	const struct peer_report *report;
	struct peer_view view;
	json_t *value;

	peers_view(peers, index, &view);
	report = view.report;
	value = json_pack("{s:s, s:s, s:s, s:o, s:s?, s:o, s:o, s:o, s:o}", "name", view.name,
			  "url", view.url, "state", peer_state_name(view.state), "age_seconds",
			  view.heard ? value_seconds(clock_monotonic() - view.heard) : json_null(),
			  "host", report ? report->host : NULL, "ready",
			  report ? json_boolean(report->ready) : json_null(), "score",
			  report && report->score >= 0 ? json_integer(report->score) : json_null(),
			  "services", peer_services(report), "error",
			  view.error ? value_text(view.error) : json_null());
	if (!whole)
		return value;
	json_object_set_new(value, "seen", value_time(view.heard_realtime));
	json_object_set_new(value, "mode", report ? json_string(report->mode) : json_null());
	json_object_set_new(value, "phase",
			    report && report->phase < PHASE_COUNT
				    ? json_string(phase_name(report->phase))
				    : json_null());
	return value;
}

json_t *peers_value(struct peers *peers)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < peers_count(peers); i++)
		json_array_append_new(list, peer_value(peers, i, false));
	return list;
}

void peers_publish(void *feed, const struct peer_view *view)
{
	feed_publish_value(feed, "peer",
			   json_pack("{s:s, s:s, s:o, s:o}", "name", view->name, "state",
				     peer_state_name(view->state), "reason",
				     view->error ? value_text(view->error) : json_null(), "time",
				     value_time(clock_realtime())));
}

/* ---- /fleet ---- */

static json_t *own_services(const struct view *view)
{
	json_t *list = json_array();

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i) && !strpbrk(view->records[i].name, ":/"))
			json_array_append_new(
				list, json_pack("{s:s, s:s, s:b}", "name", view->records[i].name,
						"state", state_name(view->records[i].state),
						"ready", (int)view_is_ready(view, i)));
	return list;
}

/* This host, in the same words; without a status page nothing is known of it. */
static json_t *own_value(const struct sidecar *sidecar, const struct view *view)
{
	const char *host = sidecar_host(sidecar, view);

	return json_pack("{s:s, s:n, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
			 host, "url", "state", view->present ? "ok" : "unknown", "age_seconds",
			 view->present ? value_seconds(0) : json_null(), "host", host, "ready",
			 view->present ? json_boolean(view_all_ready(view)) : json_null(), "score",
			 view->present ? json_integer(view_total_score(view)) : json_null(),
			 "services", own_services(view), "error",
			 view->present ? json_null() : json_string("there is no status page"),
			 "seen", view->present ? value_time(view->now_realtime) : json_null(),
			 "mode", view->present ? json_string(view->header.mode) : json_null(),
			 "phase",
			 view->present ? json_string(phase_name(view->header.phase)) : json_null());
}

void fleet_report(struct request *request, struct reply *reply)
{
	struct sidecar *sidecar = request->sidecar;
	const struct view *view = snapshot_refresh(sidecar->snapshot);
	json_t *hosts = json_array();

	json_array_append_new(hosts, own_value(sidecar, view));
	for (uint32_t i = 0; i < peers_count(sidecar->peers); i++)
		json_array_append_new(hosts, peer_value(sidecar->peers, i, true));
	reply_json(reply, "application/json",
		   json_pack("{s:i, s:s, s:s, s:o, s:o}", "schema", JSON_SCHEMA, "version",
			     MUSTER_VERSION, "host", sidecar_host(sidecar, view), "time",
			     value_time(view->now_realtime), "hosts", hosts));
}
