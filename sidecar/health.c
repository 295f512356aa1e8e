/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "gpu.h"
#include "media.h"
#include "mem.h"
#include "probe.h"
#include "sidecar.h"
#include "usage.h"
#include "values.h"
#include "version.h"

#define CAUSES_MAX 40 /* lines of a not-ready answer that nobody asked to be long */

#define DOUBT (10 * NSEC_PER_SEC) /* after that it is too late to doubt */

static const char no_page[] = "unknown: muster-init has no status page here\n";
static const char in_doubt[] = "not checked since the sidecar stood still";

/* ---- ?exclude=NAME ---- */

/* What a request does not want to be looked at. */
struct exclusion {
	const struct view *view;
	bool *set; /* per record; NULL: nothing is excluded */
	unsigned unknown;
};

static bool is_excluded(const struct exclusion *exclusion, uint32_t index)
{
	return exclusion->set && exclusion->set[index];
}

static enum MHD_Result exclude_one(void *data, enum MHD_ValueKind kind, const char *key,
				   const char *name)
{
	struct exclusion *exclusion = data;
	int index;

	(void)kind;
	if (strcmp(key, "exclude") != 0)
		return MHD_YES;
	if (!exclusion->set)
		exclusion->set = mem_alloc(exclusion->view->header.record_count + 1);
	index = view_find(exclusion->view, name ? name : "");
	if (index < 0)
		exclusion->unknown++;
	else
		exclusion->set[index] = true;
	return MHD_YES;
}

static struct exclusion read_exclusion(const struct request *request, const struct view *view)
{
	struct exclusion exclusion = {.view = view};

	if (view->present)
		MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, exclude_one,
					  &exclusion);
	return exclusion;
}

/* As view_all_ready, of the others. */
static bool others_are_ready(const struct exclusion *exclusion)
{
	const struct view *view = exclusion->view;
	unsigned phase = view->header.phase;

	if (!exclusion->set || phase == PHASE_DRAINING || phase == PHASE_STOPPING)
		return view_all_ready(view);
	for (uint32_t i = 0; i < view->header.record_count; i++) {
		bool needed = phase == PHASE_STARTING || view->records[i].flags & STATUS_ESSENTIAL;

		if (needed && view_is_counted(view, i) && !view_is_ready(view, i) &&
		    !is_excluded(exclusion, i))
			return false;
	}
	return true;
}

/* ---- what may be old ---- */

static bool may_doubt(const struct sidecar *sidecar, const struct view *view)
{
	return view->now < loop_resumed(sidecar->loop) + DOUBT;
}

/* Ready as far as the page knows, which is from a check before this program began or stood still;
 * the next is on its way. */
static bool is_in_doubt(const struct sidecar *sidecar, const struct view *view, uint32_t index)
{
	return may_doubt(sidecar, view) && view_is_counted(view, index) &&
	       view_is_ready(view, index) &&
	       prober_is_behind(sidecar->prober, index, loop_resumed(sidecar->loop));
}

/* The first in doubt without which the whole is not ready; -1: none. */
static int find_doubt(const struct sidecar *sidecar, const struct exclusion *exclusion)
{
	const struct view *view = exclusion->view;

	if (!view->present || !may_doubt(sidecar, view))
		return -1;
	for (uint32_t i = 0; i < view->header.record_count; i++)
		if (view->records[i].flags & STATUS_ESSENTIAL && !is_excluded(exclusion, i) &&
		    is_in_doubt(sidecar, view, i))
			return (int)i;
	return -1;
}

bool health_all_ready(const struct sidecar *sidecar)
{
	const struct view *view = snapshot_refresh(sidecar->snapshot);
	const struct exclusion none = {.view = view};

	return view_all_ready(view) && find_doubt(sidecar, &none) < 0;
}

/* ---- lines ---- */

static void put_service(struct text *body, const struct view *view, uint32_t index)
{
	char why[VIEW_WHY];

	if (!view_is_counted(view, index) && !view_is_ready(view, index))
		text_add(body, "[ ] %s: %s\n", view->records[index].name,
			 state_name(view->records[index].state));
	else if (view_is_ready(view, index))
		text_add(body, "[+] %s: %s\n", view->records[index].name,
			 state_name(view->records[index].state));
	else
		text_add(body, "[-] %s: %s\n", view->records[index].name,
			 view_why(view, index, why));
}

/* What went wrong with its checks lately, whatever came after. */
static void put_failures(struct text *body, const struct prober *prober, uint32_t index)
{
	const struct probe *probe = NULL;
	uint64_t now = clock_realtime();

	while ((probe = prober_next(prober, probe))) {
		const struct failures *failures = probe->failures;
		unsigned total = failures ? failures->total : 0;

		if (probe->spec.service != index)
			continue;
		for (unsigned i = total > FAILURES_KEPT ? total - FAILURES_KEPT : 0; i < total;
		     i++) {
			const struct failure *one = &failures->list[i % FAILURES_KEPT];

			text_add(body, "    %s failed at %s: %s; %u times, last %llu s ago\n",
				 role_name(probe->spec.role), step_name(one->step), one->reason,
				 one->count,
				 now > one->last
					 ? (unsigned long long)((now - one->last) / NSEC_PER_SEC)
					 : 0);
		}
	}
}

static void put_services(struct text *body, const struct exclusion *exclusion)
{
	const struct view *view = exclusion->view;

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (is_excluded(exclusion, i))
			text_add(body, "[ ] %s: excluded\n", view->records[i].name);
		else if (view_is_shown(view, i))
			put_service(body, view, i);
	if (exclusion->unknown)
		text_add(body, "warn: no service has the name of %u that are to be excluded\n",
			 exclusion->unknown);
}

/* What is wrong by itself comes first, then what only waits for it. */
static void put_causes(struct text *body, const struct exclusion *exclusion)
{
	const struct view *view = exclusion->view;
	unsigned lines = 0, more = 0;
	char why[VIEW_WHY];

	for (int consequence = 0; consequence < 2; consequence++) {
		for (uint32_t i = 0; i < view->header.record_count; i++) {
			bool waits = view->records[i].flags & STATUS_DEP_CAUSE;

			if (!view_is_counted(view, i) || view_is_ready(view, i) ||
			    is_excluded(exclusion, i) || waits != (consequence == 1))
				continue;
			if (lines++ < CAUSES_MAX)
				text_add(body, "%s: %s\n", view->records[i].name,
					 view_why(view, i, why));
			else
				more++;
		}
	}
	if (more)
		text_add(body, "and %u more: ?verbose has all\n", more);
}

static void not_ready(struct reply *reply)
{
	reply->status = 503;
	reply->retry_after = 1;
}

/* ---- /livez /readyz /startupz ---- */

/* That the loop turns is shown by answering. A service is never a reason to say no here. */
void health_live(struct request *request, struct reply *reply)
{
	struct exclusion none = {0};

	text_put(&reply->body, "ok\n");
	if (!request->verbose)
		return;
	none.view = snapshot_refresh(request->sidecar->snapshot);
	put_services(&reply->body, &none);
}

static void put_readiness(struct request *request, struct reply *reply,
			  const struct exclusion *exclusion)
{
	const struct view *view = exclusion->view;
	bool ready = others_are_ready(exclusion);
	int doubt = ready ? find_doubt(request->sidecar, exclusion) : -1;

	if (doubt >= 0) {
		not_ready(reply);
		text_add(&reply->body, "unknown\n%s: %s\n", view->records[doubt].name, in_doubt);
	} else if (ready) {
		text_put(&reply->body, "ok\n");
	} else {
		not_ready(reply);
		text_add(&reply->body, "%s\n", phase_name(view->header.phase));
	}
	if (request->verbose)
		put_services(&reply->body, exclusion);
	else if (!ready)
		put_causes(&reply->body, exclusion);
}

void health_ready(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	struct exclusion exclusion;

	if (!view->present) {
		not_ready(reply);
		text_put(&reply->body, no_page);
		return;
	}
	exclusion = read_exclusion(request, view);
	put_readiness(request, reply, &exclusion);
	free(exclusion.set);
}

void health_ready_one(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	int index = view_find(view, request->rest);
	char why[VIEW_WHY];

	if (!view->present) {
		not_ready(reply);
		text_put(&reply->body, no_page);
	} else if (index < 0) {
		reply->status = 404;
		text_put(&reply->body, "there is no service of this name\n");
	} else if (is_in_doubt(request->sidecar, view, (uint32_t)index)) {
		not_ready(reply);
		text_add(&reply->body, "%s: %s\n", view->records[index].name, in_doubt);
	} else if (view_is_ready(view, (uint32_t)index)) {
		text_put(&reply->body, "ok\n");
	} else {
		not_ready(reply);
		text_add(&reply->body, "%s: %s\n", view->records[index].name,
			 view_why(view, (uint32_t)index, why));
	}
	if (request->verbose && index >= 0) {
		put_service(&reply->body, view, (uint32_t)index);
		put_failures(&reply->body, request->sidecar->prober, (uint32_t)index);
	}
}

/* Once it was 200 it stays so, whatever becomes of the page. */
void health_startup(struct request *request, struct reply *reply)
{
	struct sidecar *sidecar = request->sidecar;
	const struct view *view = snapshot_refresh(sidecar->snapshot);
	const struct exclusion none = {.view = view};

	if (view->present && view->header.startup_done)
		sidecar->startup_seen = true;
	if (sidecar->startup_seen) {
		text_put(&reply->body, "ok\n");
	} else {
		not_ready(reply);
		text_put(&reply->body, view->present ? "starting\n" : no_page);
	}
	if (request->verbose)
		put_services(&reply->body, &none);
	else if (view->present && !sidecar->startup_seen)
		put_causes(&reply->body, &none);
}

/* ---- /health ---- */

static const char *check_status(const struct sidecar *sidecar, const struct view *view,
				uint32_t index)
{
	if (view_is_ready(view, index) && !is_in_doubt(sidecar, view, index))
		return view->records[index].failures ? "warn" : "pass";
	if (!view_is_counted(view, index))
		return "pass"; /* nobody wants it */
	return view->records[index].flags & STATUS_ESSENTIAL ? "fail" : "warn";
}

/* Why a check does not pass. */
static const char *check_output(const struct sidecar *sidecar, const struct view *view,
				uint32_t index, char why[VIEW_WHY])
{
	if (!view_is_ready(view, index))
		return view_why(view, index, why);
	return is_in_doubt(sidecar, view, index) ? in_doubt : view->records[index].reason;
}

/* The draft wants no output with pass, and a time to be one. */
static json_t *state_check(const struct sidecar *sidecar, const struct view *view, uint32_t index)
{
	const struct status_record *record = &view->records[index];
	const char *status = check_status(sidecar, view, index), *output;
	char why[VIEW_WHY];
	json_t *check =
		json_pack("{s:s, s:s, s:s, s:s, s:i}", "componentId", record->name, "componentType",
			  "component", "observedValue", state_name(record->state), "status", status,
			  "score", (int)view_score(view, index));

	if (record->since)
		json_object_set_new(check, "time", value_time(view_realtime(view, record->since)));
	output = strcmp(status, "pass") == 0 ? "" : check_output(sidecar, view, index, why);
	if (*output)
		json_object_set_new(check, "output", value_text(output));
	return check;
}

static json_t *all_checks(const struct sidecar *sidecar, const struct view *view)
{
	json_t *checks = json_object();
	char key[STATUS_NAME_MAX + 16];

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++) {
		if (!view_is_shown(view, i))
			continue;
		strcpy(key, view->records[i].name);
		/* a component has no colon in its name there, address:NAME and PEER/NAME:CONDITION
		 * have; componentId is the whole name */
		for (char *colon = key; (colon = strchr(colon, ':'));)
			*colon = ' ';
		strcat(key, ":state");
		json_object_set_new(checks, key, json_pack("[o]", state_check(sidecar, view, i)));
	}
	return checks;
}

static const char *total_status(const struct sidecar *sidecar, const struct view *view)
{
	const struct exclusion none = {.view = view};

	if (!view_all_ready(view) || find_doubt(sidecar, &none) >= 0)
		return "fail";
	for (uint32_t i = 0; i < view->header.record_count; i++)
		if (view_is_shown(view, i) && strcmp(check_status(sidecar, view, i), "pass") != 0)
			return "warn";
	return "pass";
}

/* The draft's own type for whoever takes it, which is everybody who does not say otherwise. */
static const char *health_type(const struct request *request)
{
	const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);
	int own = media_quality(accept, "application", "health+json");

	return own && own >= media_quality(accept, "application", "json")
		       ? "application/health+json"
		       : "application/json";
}

/* As long as what is told stays true by itself: the shortest period of a probe, in seconds. */
static unsigned health_age(const struct prober *prober)
{
	const struct probe *probe = NULL;
	uint32_t least = UINT32_MAX;

	while ((probe = prober_next(prober, probe)))
		if (probe->spec.period_ms < least)
			least = probe->spec.period_ms;
	return least == UINT32_MAX || least < 2000 ? 1 : least / 1000;
}

void health_report(struct request *request, struct reply *reply)
{
	const struct view *view = snapshot_refresh(request->sidecar->snapshot);
	const char *status = total_status(request->sidecar, view);
	json_t *checks = all_checks(request->sidecar, view), *report;

	if (usage_add_check(checks, request->sidecar) && strcmp(status, "pass") == 0)
		status = "warn";
	if (gpu_add_check(checks, request->sidecar->gpus) && strcmp(status, "pass") == 0)
		status = "warn";
	report = json_pack("{s:s, s:s, s:s, s:i, s:o}", "status", status, "version", "1",
			   "releaseId", MUSTER_VERSION, "score", (int)view_total_score(view),
			   "checks", checks);
	if (!view->present)
		json_object_set_new(report, "output", json_string("there is no status page"));
	else if (strcmp(status, "pass") != 0)
		json_object_set_new(report, "output", json_string(phase_name(view->header.phase)));
	reply->vary = true;
	if (strcmp(status, "fail") == 0)
		not_ready(reply);
	else
		reply->max_age = health_age(request->sidecar->prober);
	reply_json(reply, health_type(request), report);
}
