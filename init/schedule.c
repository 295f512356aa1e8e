/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "demand.h"
#include "learning.h"
#include "log.h"
#include "notify.h"
#include "progress.h"
#include "sockets.h"
#include "str.h"
#include "supervisor.h"
#include "wire.h"

/*
 * No layers and no barriers: a change is noted, and at the end of the turn everything that depends
 * on what changed is looked at once. Work lists instead of calls from service to service, so that
 * a chain of ten thousand needs no stack.
 */

/* ---- numbers of the whole ---- */

static void count(bool *counted, uint32_t *number, bool now)
{
	*number += now;
	*number -= *counted;
	*counted = now;
}

static void recount(struct supervisor *sup, struct service *service)
{
	unsigned state = machine_state(service->phase);
	bool matters = service->wanted && !service->config->internal;
	bool good = state_is_ready(state) || state == STATE_COMPLETED || demand_answers(service);

	count(&service->unready, &sup->unready, matters && !good);
	count(&service->unsettled, &sup->unsettled, matters && !good && state != STATE_FAILED);
}

static void announce_ready(struct supervisor *sup)
{
	char took[24];

	format_duration(took, sizeof(took), sup->loop.now - sup->boot);
	if (sup->phase == PHASE_READY)
		log_info("all ready after %s", took);
	else
		log_warning("start-up is over after %s; %u of %u services are not ready", took,
			    sup->unready, sup->config->count);
}

/* Also when it changes later: what an outer manager shows of us. */
static void tell_upwards(struct supervisor *sup, const char *first)
{
	if (sup->unready)
		notify_up_send(sup, "%sSTATUS=%u of %u services are not ready", first, sup->unready,
			       sup->config->count);
	else
		notify_up_send(sup, "%sSTATUS=all services are ready", first);
}

void schedule_tell_ready(struct supervisor *sup)
{
	if (sup->phase == PHASE_READY || sup->phase == PHASE_DEGRADED)
		tell_upwards(sup, "READY=1\n");
}

void schedule_set_phase(struct supervisor *sup, enum system_phase phase)
{
	struct status_header *header;
	uint8_t old = sup->phase;

	if (phase == old)
		return;
	sup->phase = (uint8_t)phase;
	header = status_header_begin(&sup->page);
	header->phase = (uint8_t)phase;
	if (!header->startup_done && (phase == PHASE_READY || phase == PHASE_DEGRADED))
		header->startup_done = sup->loop.now;
	status_header_end(&sup->page);
	event_log_add(&sup->events, (struct event_entry){.time = sup->loop.now,
							 .slot = WIRE_EVENT_SYSTEM,
							 .old_state = old,
							 .state = (uint8_t)phase,
							 .pid = (int32_t)getpid(),
							 .last_exit = -1});
	if (old == PHASE_STARTING && (phase == PHASE_READY || phase == PHASE_DEGRADED)) {
		progress_end(sup);
		announce_ready(sup);
		schedule_tell_ready(sup);
		learning_write(sup);
		sup->has_started = true;
		loop_disarm(&sup->loop, &sup->start_timer);
	} else {
		log_debug("phase %s", phase_name(phase));
		if (phase == PHASE_READY || phase == PHASE_DEGRADED)
			tell_upwards(sup, "");
	}
}

static void update_phase(struct supervisor *sup)
{
	if (sup->stage != STAGE_RUN)
		return;
	if (!sup->unready)
		schedule_set_phase(sup, PHASE_READY);
	else if (sup->phase != PHASE_STARTING || !sup->unsettled)
		schedule_set_phase(sup, PHASE_DEGRADED);
}

void schedule_start_timeout(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *culprit = NULL;

	(void)timer;
	if (sup->stage != STAGE_RUN || sup->phase != PHASE_STARTING)
		return;
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (!service->unready)
			continue;
		log_error("%s: not ready within start_timeout (%s)", service->config->name,
			  state_name(machine_state(service->phase)));
		if (service->config->essential && !culprit)
			culprit = service;
	}
	if (culprit)
		stop_begin(sup, culprit->exit_code > 0 ? culprit->exit_code : 1,
			   "start_timeout passed before all essential services were ready");
	else
		schedule_set_phase(sup, PHASE_DEGRADED);
}

/* ---- dependencies ---- */

enum verdict { DEP_MET, DEP_PENDING, DEP_FAILED };

static bool has_started(const struct service *service)
{
	unsigned state = machine_state(service->phase);

	return service->phase == PH_STARTING || state_is_ready(state) || state == STATE_UNHEALTHY ||
	       state == STATE_COMPLETED;
}

static enum verdict condition_of(const struct service *service, enum dep_condition condition)
{
	unsigned state = machine_state(service->phase);

	switch (condition) {
	case COND_STARTED:
		return has_started(service) ? DEP_MET : DEP_PENDING;
	case COND_HEALTHY:
		if (state == STATE_COMPLETED && service->config->type != TYPE_ONESHOT)
			return DEP_FAILED; /* ended: it will not be healthy again */
		return state_is_ready(state) || state == STATE_COMPLETED ? DEP_MET : DEP_PENDING;
	case COND_COMPLETED:
	case COND_COUNT:
		break;
	}
	return state == STATE_COMPLETED ? DEP_MET : DEP_PENDING;
}

static enum verdict dep_verdict(const struct supervisor *sup, const struct dep_config *dep)
{
	const struct service *service = sup->services[dep->service];
	enum verdict verdict = condition_of(service, dep->condition);

	if (demand_answers(service)) /* who connects to it waits for it */
		verdict = DEP_MET;
	if (machine_state(service->phase) == STATE_FAILED)
		verdict = DEP_FAILED;
	if (!dep->optional)
		return verdict;
	/* optional: waited for, but neither its failure nor its absence blocks */
	return verdict == DEP_FAILED || !service->wanted ? DEP_MET : verdict;
}

/* The worst over all dependencies; *cause is the first that stands in the way. */
static enum verdict deps_verdict(const struct supervisor *sup, const struct service *service,
				 uint16_t *cause)
{
	enum verdict worst = DEP_MET;

	for (unsigned i = 0; i < service->config->dep_count; i++) {
		enum verdict verdict = dep_verdict(sup, &service->config->deps[i]);

		if (verdict <= worst)
			continue;
		worst = verdict;
		*cause = service->config->deps[i].service;
		if (worst == DEP_FAILED)
			break;
	}
	return worst;
}

static void show_cause(struct supervisor *sup, struct service *service, uint16_t cause, bool failed)
{
	struct status_record *record = status_record_begin(&sup->page, service->index);

	if (failed || !(record->flags & STATUS_DEP_CAUSE) || record->cause != cause) {
		record->cause = cause;
		record->flags |= STATUS_DEP_CAUSE;
		snprintf(record->reason, sizeof(record->reason), "%s %s%s",
			 failed ? "depends on" : "waits for", sup->services[cause]->config->name,
			 failed ? ", which failed" : "");
	}
	status_record_end(&sup->page, service->index);
}

/* ---- the work lists ---- */

void schedule_changed(struct supervisor *sup, struct service *service)
{
	recount(sup, service);
	sockets_follow(sup, service);
	demand_follow(sup, service);
	if (service->noted)
		return;
	service->noted = true;
	sup->changed[sup->changed_count++] = service->index;
}

static void make_runnable(struct supervisor *sup, struct service *service)
{
	if (service->queued)
		return;
	service->queued = true;
	sup->runnable[sup->runnable_count++] = service->index;
}

/* What a reload is about to replace waits for that. */
static bool may_start(const struct supervisor *sup, const struct service *service)
{
	return service->phase == PH_WAITING && !service->leaving && sup->stage < STAGE_STOP;
}

static void consider(struct supervisor *sup, struct service *service)
{
	uint16_t cause = 0;

	if (!may_start(sup, service))
		return;
	switch (deps_verdict(sup, service, &cause)) {
	case DEP_MET:
		/* the sidecar takes no slot: those that hold one may wait for its verdict */
		if (service->config->internal)
			supervisor_event(sup, service, EV_DEPS_MET);
		else
			make_runnable(sup, service);
		break;
	case DEP_PENDING:
		show_cause(sup, service, cause, false);
		break;
	case DEP_FAILED:
		show_cause(sup, service, cause, true);
		service->exit_code = sup->services[cause]->exit_code;
		supervisor_event(sup, service, EV_DEPS_FAILED);
		break;
	}
}

/* Looks at a service that changed, and at all that depend on it. */
static void spread(struct supervisor *sup, struct service *service)
{
	const struct graph *graph = &sup->graph;

	service->noted = false;
	consider(sup, service);
	for (uint32_t i = graph->dependent_start[service->index];
	     i < graph->dependent_start[service->index + 1]; i++)
		consider(sup, sup->services[graph->dependents[i]]);
}

/* ---- start slots ---- */

static bool has_slot(struct supervisor *sup)
{
	uint32_t limit = sup->config->start_parallel;

	return limit == PARALLEL_AUTO ? admission_takes(sup) : sup->starting < limit;
}

/* Takes the one with the longest way to go; earlier in the file first among equals. */
static struct service *take_runnable(struct supervisor *sup)
{
	uint32_t best = 0;
	struct service *service;

	for (uint32_t i = 1; i < sup->runnable_count; i++) {
		uint16_t a = sup->runnable[i], b = sup->runnable[best];

		if (sup->remaining[a] > sup->remaining[b] ||
		    (sup->remaining[a] == sup->remaining[b] && a < b))
			best = i;
	}
	service = sup->services[sup->runnable[best]];
	sup->runnable[best] = sup->runnable[--sup->runnable_count];
	service->queued = false;
	return service;
}

bool schedule_restarts_with(const struct service *service, const struct service *dependency)
{
	for (unsigned i = 0; i < service->config->dep_count; i++)
		if (service->config->deps[i].service == dependency->index)
			return service->config->deps[i].restart;
	return false;
}

/* It starts again: those that asked for it do so, too, once it is there. */
static void restart_dependents(struct supervisor *sup, const struct service *service)
{
	const struct graph *graph = &sup->graph;

	for (uint32_t i = graph->dependent_start[service->index];
	     i < graph->dependent_start[service->index + 1]; i++) {
		struct service *other = sup->services[graph->dependents[i]];

		if (!other->wanted || machine_is_at_rest(other->phase) ||
		    !schedule_restarts_with(other, service))
			continue;
		log_info("%s: restarts, as %s does", other->config->name, service->config->name);
		supervisor_reason(sup, other, "restarts with %s", service->config->name);
		supervisor_event(sup, other, EV_RESTART);
	}
}

static void start_next(struct supervisor *sup)
{
	struct service *service = take_runnable(sup);
	bool again = service->up_since > 0;
	uint16_t cause = 0;

	/* since it was queued it may have been stopped, or a dependency lost */
	if (!may_start(sup, service) || deps_verdict(sup, service, &cause) != DEP_MET) {
		schedule_changed(sup, service);
		return;
	}
	supervisor_event(sup, service, EV_DEPS_MET);
	if (again)
		restart_dependents(sup, service);
}

void schedule_run(struct supervisor *sup)
{
	for (;;) {
		if (sup->changed_count) {
			struct service *service = sup->services[sup->changed[--sup->changed_count]];

			spread(sup, service);
		} else if (sup->runnable_count && sup->stage < STAGE_STOP && has_slot(sup)) {
			start_next(sup);
		} else {
			break;
		}
	}
	update_phase(sup);
}

static void want(struct supervisor *sup, struct service *service)
{
	service->wanted = true;
	service->attempts = service->window_count = 0;
	service->demand = service->config->start == START_ON_DEMAND;
	supervisor_event(sup, service, EV_WANT);
}

void schedule_want(struct supervisor *sup, struct service *service)
{
	uint32_t todo = 0;

	/* the stack is bounded: what was pushed is wanted and no longer over, so it comes once */
	want(sup, service);
	sup->stack[todo++] = service->index;
	while (todo) {
		const struct service *next = sup->services[sup->stack[--todo]];

		for (unsigned i = 0; i < next->config->dep_count; i++) {
			const struct dep_config *dep = &next->config->deps[i];
			struct service *other = sup->services[dep->service];

			if (dep->optional || (other->wanted && dep_verdict(sup, dep) != DEP_FAILED))
				continue;
			if (other->config->start == START_ON_DEMAND &&
			    machine_state(other->phase) != STATE_FAILED) {
				other->demand = true;
				schedule_changed(sup, other);
				continue;
			}
			want(sup, other);
			sup->stack[todo++] = dep->service;
		}
	}
}
