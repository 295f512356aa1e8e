/* SPDX-License-Identifier: MIT */
#include "probes.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "match.h"
#include "path_probe.h"
#include "sidecar_link.h"
#include "supervisor.h"

#define FIRST_CHECK_MS  5
#define APART_MS        50 /* between two that need a process */
#define ELAPSED_DIVISOR 16

/* ---- when to look again ---- */

static uint64_t next_pause(const struct supervisor *sup, const struct probe_run *run)
{
	uint64_t period = msec(run->config->period);
	uint64_t pause;

	if (run->passed || run->role == ROLE_LIVENESS)
		return period;
	pause = sup->loop.now > run->began ? (sup->loop.now - run->began) / ELAPSED_DIVISOR : 0;
	if (pause < msec(FIRST_CHECK_MS))
		pause = msec(FIRST_CHECK_MS);
	return pause < period ? pause : period;
}

static bool is_polled(const struct probe_run *run)
{
	unsigned kind = run->config->kind;

	return kind == PROBE_EXEC || kind == PROBE_FILE || kind == PROBE_UNIX;
}

/* ---- one check ---- */

static void check_again(struct supervisor *sup, struct probe_run *run)
{
	if (run->active)
		loop_arm(&sup->loop, &run->timer, sup->loop.now + next_pause(sup, run));
}

static void arm_timeout(struct supervisor *sup, struct probe_run *run)
{
	loop_arm(&sup->loop, &run->timer, sup->loop.now + msec(run->config->timeout));
}

/* A process that checks was started, or pid is -1. That init has none to spare (`scarce`) is no
 * reason to kill the service. */
static void begun(struct supervisor *sup, struct probe_run *run, pid_t pid, bool scarce,
		  const char *why)
{
	run->overdue = false;
	if (pid > 0) {
		run->pid = pid;
		arm_timeout(sup, run);
		return;
	}
	if (run->role != ROLE_LIVENESS || !scarce)
		probe_report(sup, run, false, why);
	check_again(sup, run);
}

static void begin_exec(struct supervisor *sup, struct probe_run *run)
{
	struct service *service = run->service;
	pid_t pid = launch_helper(sup, service, run->config->argv, CHILD_PROBE, run->role);

	begun(sup, run, pid, service->retry_helps, "cannot start the probe command");
}

/* In a process, which costs something, and is left out where the last one was just now. */
static void begin_apart(struct supervisor *sup, struct probe_run *run)
{
	pid_t pid = -1;

	if (run->apart && sup->loop.now < run->apart + msec(APART_MS)) {
		check_again(sup, run);
		return;
	}
	run->apart = sup->loop.now;
	if (children_has_room(&sup->children))
		pid = path_probe_fork(run->config);
	if (pid > 0)
		children_add(&sup->children, pid, CHILD_PROBE, run->service->slot, run->role);
	begun(sup, run, pid, true, "cannot start a process that looks");
}

static void begin_path(struct supervisor *sup, struct probe_run *run)
{
	int error;

	if (!path_probe_is_near(run->config->path)) {
		begin_apart(sup, run);
		return;
	}
	error = path_probe_check(run->config);
	probe_report(sup, run, !error, path_probe_reason(run->config, error));
	check_again(sup, run);
}

/* What hangs in the kernel (a lost disk, a GPU's driver) does not end when it is killed: it has
 * failed all the same, and again whenever so much time has passed. */
static void timed_out(struct supervisor *sup, struct probe_run *run)
{
	kill(-run->pid, SIGKILL);
	run->overdue = true;
	arm_timeout(sup, run);
	probe_report(sup, run, false, "timed out");
}

static void timer_expired(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	struct probe_run *run = container_of(timer, struct probe_run, timer);

	if (run->pid)
		timed_out(sup, run);
	else if (run->config->kind == PROBE_EXEC)
		begin_exec(sup, run);
	else
		begin_path(sup, run);
}

void probe_exec_ended(struct supervisor *sup, struct probe_run *run, int wait_status)
{
	bool ok = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
	char reason[48];

	run->pid = 0;
	if (run->overdue) {
		check_again(sup, run);
		return;
	}
	if (WIFEXITED(wait_status) && run->config->kind != PROBE_EXEC)
		snprintf(reason, sizeof(reason), "%s",
			 path_probe_reason(run->config, WEXITSTATUS(wait_status)));
	else if (WIFEXITED(wait_status))
		snprintf(reason, sizeof(reason), "exit code %d", WEXITSTATUS(wait_status));
	else
		snprintf(reason, sizeof(reason), "ended by signal %d", WTERMSIG(wait_status));
	probe_report(sup, run, ok, reason);
	check_again(sup, run);
}

/* ---- fd:N ---- */

static void fd_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct probe_run *run = container_of(source, struct probe_run, source);
	char buffer[512];
	ssize_t n = read(source->fd, buffer, sizeof(buffer));

	(void)events;
	loop->failed |= n < 0;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0 && !memchr(buffer, '\n', (size_t)n))
		return;
	loop_close(loop, source);
	if (n > 0)
		probe_report(sup, run, true, NULL);
	else
		probe_report(sup, run, false, "closed its descriptor without a newline");
}

bool probes_prepare(struct supervisor *sup, struct service *service)
{
	for (struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next) {
		if (run->config->kind != PROBE_FD)
			continue;
		loop_close(&sup->loop, &run->source);
		run->source.ready = fd_ready;
		run->source.class = CLASS_FACT;
		run->write_end = loop_add_pipe(&sup->loop, &run->source);
		if (run->write_end < 0)
			return false;
	}
	return true;
}

/* ---- begin and end ---- */

static void probe_begin(struct supervisor *sup, struct probe_run *run)
{
	run->active = true;
	run->passed = false;
	run->successes = run->failures = 0;
	run->serial = ++sup->serial;
	run->began = sup->loop.now + msec(run->config->initial_delay);
	if (is_polled(run)) {
		run->timer.expired = timer_expired;
		loop_arm(&sup->loop, &run->timer, run->began + msec(FIRST_CHECK_MS));
	} else if (probe_is_network(run->config)) {
		run->announced = false;
		sidecar_link_update(sup);
	}
}

static void probe_end(struct supervisor *sup, struct probe_run *run)
{
	bool was_active = run->active;

	run->active = false;
	loop_disarm(&sup->loop, &run->timer);
	loop_close(&sup->loop, &run->source);
	if (run->pid)
		kill(-run->pid, SIGKILL);
	run->pid = 0; /* its end says nothing any more */
	if (was_active && probe_is_network(run->config)) {
		run->announced = false;
		sidecar_link_update(sup);
	}
}

/* What the program says by itself, and so perhaps before its startup probe has passed. */
static bool is_told(const struct probe_run *run)
{
	return !is_polled(run) && !probe_is_network(run->config);
}

static void role_begin(struct supervisor *sup, struct service *service, enum probe_role role,
		       bool told_only)
{
	for (struct probe_run *run = service->probes[role]; run; run = run->next)
		if (!run->active && (!told_only || is_told(run)))
			probe_begin(sup, run);
}

static bool role_passed(const struct service *service, enum probe_role role)
{
	for (const struct probe_run *run = service->probes[role]; run; run = run->next)
		if (!run->passed)
			return false;
	return true;
}

void probes_begin(struct supervisor *sup, struct service *service)
{
	struct probe_run **probes = service->probes;

	if (probes[ROLE_STARTUP]) {
		role_begin(sup, service, ROLE_STARTUP, false);
		role_begin(sup, service, ROLE_READINESS, true);
	} else if (probes[ROLE_READINESS]) {
		role_begin(sup, service, ROLE_READINESS, false);
	} else {
		role_begin(sup, service, ROLE_LIVENESS, false);
	}
}

void probes_ready(struct supervisor *sup, struct service *service)
{
	role_begin(sup, service, ROLE_LIVENESS, false);
}

static void role_end(struct supervisor *sup, struct service *service, enum probe_role role)
{
	for (struct probe_run *run = service->probes[role]; run; run = run->next)
		probe_end(sup, run);
}

void probes_end(struct supervisor *sup, struct service *service)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		role_end(sup, service, role);
}

/* ---- results ---- */

static bool startup_pending(const struct service *service)
{
	return service->probes[ROLE_STARTUP] && service->probes[ROLE_STARTUP]->active;
}

/* How many of the probes for readiness succeed. */
static void count_passed(struct supervisor *sup, struct service *service)
{
	struct status_record *record = status_record_begin(&sup->page, service->index);

	record->passed = 0;
	for (const struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next)
		record->passed += run->passed;
	status_record_end(&sup->page, service->index);
}

static void passed(struct supervisor *sup, struct service *service, struct probe_run *run)
{
	run->passed = true;
	if (run->role == ROLE_READINESS)
		count_passed(sup, service);
	if (!role_passed(service, run->role))
		return;
	if (run->role == ROLE_STARTUP) {
		role_end(sup, service, ROLE_STARTUP);
		role_begin(sup, service, ROLE_READINESS, false);
	}
	if (run->role != ROLE_LIVENESS && !startup_pending(service) &&
	    role_passed(service, ROLE_READINESS))
		supervisor_event(sup, service, EV_READY);
}

/* Whether the failures so far are enough for the probe to have failed. */
static bool failed_for_good(const struct supervisor *sup, const struct probe_run *run)
{
	if (run->role == ROLE_STARTUP)
		return sup->loop.now >=
		       run->began + msec(run->config->period) * run->config->failure_threshold;
	return run->failures >= run->config->failure_threshold;
}

/* Replicas are replaced one at a time: meanwhile the others, bad as they are, may still answer. */
static bool has_to_wait(const struct supervisor *sup, const struct service *service)
{
	const char *name = service->config->replica_of;

	for (uint32_t i = 0; name && i < sup->count; i++) {
		const struct service *other = sup->services[i];
		unsigned state = machine_state(other->phase);

		if (other != service && other->config->replica_of == name && other->wanted &&
		    (state == STATE_WAITING || state == STATE_STARTING || state == STATE_STOPPING ||
		     state == STATE_BACKOFF))
			return true;
	}
	return false;
}

/* Which one, where there are several. */
static void say_failed(struct supervisor *sup, const struct probe_run *run, const char *what,
		       const char *reason)
{
	const struct probe_config *config = run->config;
	bool one_of_many = run->service->probes[run->role]->next != NULL;
	char url[24 + 1];

	if (probe_is_network(config))
		url_mask(url, sizeof(url), config->target);
	supervisor_reason(sup, run->service, "%s%s%.24s: %s", what, one_of_many ? " " : "",
			  !one_of_many               ? ""
			  : probe_is_network(config) ? url
						     : config->target,
			  reason);
}

static void failed(struct supervisor *sup, struct service *service, struct probe_run *run,
		   const char *reason)
{
	char what[24];

	if (run->role == ROLE_READINESS && !run->passed) { /* normal, but worth showing */
		if (service->phase != PH_UNHEALTHY)
			say_failed(sup, run, "not ready yet", reason);
		return;
	}
	if (!failed_for_good(sup, run) || (run->role == ROLE_LIVENESS && has_to_wait(sup, service)))
		return;
	snprintf(what, sizeof(what), "%s probe failed", role_name(run->role));
	say_failed(sup, run, what, reason);
	if (run->role != ROLE_READINESS) {
		supervisor_event(sup, service, EV_DEAD);
		return;
	}
	run->passed = false;
	count_passed(sup, service);
	supervisor_event(sup, service, EV_UNREADY);
}

static void count_failures(struct supervisor *sup, struct service *service, uint32_t failures)
{
	struct status_record *record = status_record_begin(&sup->page, service->index);

	record->failures = failures;
	status_record_end(&sup->page, service->index);
}

void probe_report(struct supervisor *sup, struct probe_run *run, bool ok, const char *reason)
{
	struct service *service = run->service;

	if (!run->active)
		return;
	if (ok) {
		if (run->failures)
			count_failures(sup, service, 0);
		run->failures = 0;
		run->successes++;
		if (!run->passed && run->successes >= run->config->success_threshold)
			passed(sup, service, run);
		return;
	}
	run->successes = 0;
	run->failures++;
	count_failures(sup, service, run->failures);
	failed(sup, service, run, reason);
}

void probe_log_line(struct supervisor *sup, struct service *service, const char *line, size_t len)
{
	for (struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next)
		if (run->active && !run->passed && run->config->kind == PROBE_LOG &&
		    match_line(run->config->match, line, len))
			probe_report(sup, run, true, NULL);
}
