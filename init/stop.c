/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "leftovers.h"
#include "log.h"
#include "notify.h"
#include "supervisor.h"
#include "sweep.h"

/*
 * The way out: drain, stop services against the direction of the graph, give adopted processes
 * their grace, leave. Each stage has an end that does not depend on anybody's cooperation: the
 * whole takes at most drain + stop_timeout + one second.
 */

#define SWEEP_GRACE_MS 2000 /* for adopted processes, once all services are down */
#define LAST_WAIT_MS   750  /* for killed processes to vanish */

static bool is_down(const struct service *service)
{
	return machine_is_at_rest(service->phase) || service->stuck;
}

/* ---- killing without asking ---- */

/* Whether any process is left that init would have to wait for. */
static bool has_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* As PID 1 that is what the kernel calls everything; otherwise only what init started or adopted,
 * never a bystander. */
static void end_everything(const struct supervisor *sup)
{
	static const struct sweep all = {.signo = SIGTERM};

	if (!sup->pid1 || kill(-1, SIGTERM) < 0)
		sweep_run(&all);
	else
		kill(-1, SIGCONT);
}

static void name_survivors(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];

		if (service->pid > 0 && !service->stuck)
			log_warning("%s: process %d did not end in time and is killed",
				    service->config->name, (int)service->pid);
	}
}

/* From here on the process table decides, not the state machine: the last wait. */
static void kill_everything(struct supervisor *sup)
{
	if (sup->killing)
		return;
	sup->killing = true;
	name_survivors(sup);
	sup->stage = has_children() ? STAGE_SWEEP : STAGE_DONE;
	leftovers_kill_everything(sup);
	loop_arm(&sup->loop, &sup->stop_timer, sup->loop.now + msec(LAST_WAIT_MS));
}

void stop_immediately(struct supervisor *sup)
{
	log_warning("asked twice: ending everything now");
	kill_everything(sup);
}

/* ---- stages ---- */

static void unwant_all(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		service->wanted = false;
		service->killed = service->stuck = false; /* what was killed before is over */
		if (service->phase == PH_WAITING || service->phase == PH_BACKOFF)
			supervisor_event(sup, service, EV_UNWANT);
		else
			schedule_changed(sup, service);
	}
}

static void enter_stop(struct supervisor *sup)
{
	sup->stage = STAGE_STOP;
	schedule_set_phase(sup, PHASE_STOPPING);
	loop_arm(&sup->loop, &sup->stop_timer, sup->loop.now + msec(sup->config->stop_timeout));
	notify_up_send(sup, "STOPPING=1\nSTATUS=stopping: %s", sup->why);
	unwant_all(sup);
}

void stop_timer_expired(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);

	(void)timer;
	switch ((enum stage)sup->stage) {
	case STAGE_DRAIN:
		enter_stop(sup);
		break;
	case STAGE_STOP:
		kill_everything(sup);
		break;
	case STAGE_SWEEP:
		if (sup->killing)
			sup->stage = STAGE_DONE; /* uninterruptible: the kernel has to finish it */
		else
			kill_everything(sup);
		break;
	case STAGE_RUN:
	case STAGE_DONE:
		break;
	}
}

static bool is_over(const struct service *service)
{
	return service->phase == PH_COMPLETED || service->phase == PH_FAILED;
}

/* Whether every service has come to its end by itself and none may still be asked to start. */
static bool nothing_left(const struct supervisor *sup)
{
	bool any = false;

	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];

		if (service->config->internal)
			continue;
		if (!is_over(service))
			return false;
		any = true;
	}
	return any;
}

void stop_begin(struct supervisor *sup, int exit_code, const char *why)
{
	struct status_header *header;

	if (sup->stage != STAGE_RUN)
		return;
	if (sup->exit_code < 0)
		sup->exit_code = exit_code;
	header = status_header_begin(&sup->page);
	header->exit_code = sup->exit_code;
	status_header_end(&sup->page);
	snprintf(sup->why, sizeof(sup->why), "%s", why);
	log_info("stopping: %s", why);
	control_reload_done(sup, "muster-init is stopping");
	if (sup->config->drain && !exit_code && !nothing_left(sup)) {
		sup->stage = STAGE_DRAIN;
		schedule_set_phase(sup, PHASE_DRAINING);
		loop_arm(&sup->loop, &sup->stop_timer, sup->loop.now + msec(sup->config->drain));
		return;
	}
	enter_stop(sup);
}

/* ---- the order ---- */

static bool dependents_are_down(const struct supervisor *sup, const struct service *service)
{
	const struct graph *graph = &sup->graph;

	for (uint32_t i = graph->dependent_start[service->index];
	     i < graph->dependent_start[service->index + 1]; i++)
		if (!is_down(sup->services[graph->dependents[i]]))
			return false;
	return true;
}

/* Tells every service whose turn has come; returns how many are not down. The sidecar goes last,
 * so that it can say to the end what is going on. */
static unsigned stop_those_whose_turn_it_is(struct supervisor *sup, bool internal)
{
	unsigned up = 0;

	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (service->config->internal != internal || is_down(service))
			continue;
		if (!service->told && dependents_are_down(sup, service)) {
			service->told = true;
			supervisor_event(sup, service, EV_UNWANT);
		}
		up += !is_down(service);
	}
	return up;
}

static void enter_sweep(struct supervisor *sup)
{
	uint64_t grace = sup->loop.now + msec(SWEEP_GRACE_MS);

	sup->stage = STAGE_SWEEP;
	end_everything(sup);
	/* never past the deadline of the whole */
	if (!sup->stop_timer.slot || grace < sup->stop_timer.when)
		loop_arm(&sup->loop, &sup->stop_timer, grace);
}

void stop_run(struct supervisor *sup)
{
	if (sup->stage != STAGE_STOP || !sup->stop_check)
		return;
	/* a service that is down in an instant lets the next one go: look until nothing moves */
	while (sup->stop_check) {
		sup->stop_check = false;
		if (stop_those_whose_turn_it_is(sup, false) == 0 &&
		    stop_those_whose_turn_it_is(sup, true) == 0) {
			for (uint32_t i = 0; i < sup->count; i++)
				supervisor_close_service(sup, sup->services[i]);
			if (has_children() && leftovers_unstuck(sup))
				enter_sweep(sup);
			else
				sup->stage = STAGE_DONE;
			return;
		}
	}
}

/* ---- ends that end the whole ---- */

/* The code that a service which ended for good stands for. */
static int code_of(const struct service *service)
{
	if (service->phase == PH_COMPLETED)
		return 0;
	return service->exit_code > 0 ? service->exit_code : 1;
}

void stop_consider(struct supervisor *sup, struct service *service)
{
	char why[160];

	sup->stop_check = true;
	if (sup->stage != STAGE_RUN || service->config->internal || !is_over(service))
		return;
	if ((int)service->index == sup->config->exit_code_from) {
		snprintf(why, sizeof(why), "%s, whose exit code counts, ended",
			 service->config->name);
		stop_begin(sup, code_of(service), why);
	} else if (service->phase == PH_FAILED && service->config->essential) {
		snprintf(why, sizeof(why), "essential service %s failed", service->config->name);
		stop_begin(sup, code_of(service), why);
	} else if (nothing_left(sup)) {
		stop_begin(sup, 0, "every service has ended");
	}
}
