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

static void begin_exec(struct supervisor *sup, struct probe_run *run)
{
	struct service *service = run->service;

	run->pid = launch_helper(sup, service, run->config->argv, CHILD_PROBE, run->role);
	if (run->pid < 0) {
		run->pid = 0;
		/* that init has no process to spare is no reason to kill the service */
		if (run->role != ROLE_LIVENESS || !service->retry_helps)
			probe_report(sup, run, false, "cannot start the probe command");
		check_again(sup, run);
		return;
	}
	loop_arm(&sup->loop, &run->timer, sup->loop.now + msec(run->config->timeout));
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
	if (pid < 0) {
		probe_report(sup, run, false, "cannot start a process that looks");
		check_again(sup, run);
		return;
	}
	run->pid = pid;
	children_add(&sup->children, pid, CHILD_PROBE, run->service->slot, run->role);
	loop_arm(&sup->loop, &run->timer, sup->loop.now + msec(run->config->timeout));
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

/* Kills a probe command that runs too long; its end is reported when it is reaped. */
static void timer_expired(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	struct probe_run *run = container_of(timer, struct probe_run, timer);

	if (run->pid)
		kill(-run->pid, SIGKILL);
	else if (run->config->kind == PROBE_EXEC)
		begin_exec(sup, run);
	else
		begin_path(sup, run);
}

void probe_exec_ended(struct supervisor *sup, struct probe_run *run, int wait_status)
{
	bool ok = WIFEXITED(wait_status) && WEXITSTATUS(wait_status) == 0;
	char reason[48] = "timed out";

	run->pid = 0;
	if (!run->active)
		return;
	if (WIFEXITED(wait_status) && run->config->kind != PROBE_EXEC)
		snprintf(reason, sizeof(reason), "%s",
			 path_probe_reason(run->config, WEXITSTATUS(wait_status)));
	else if (WIFEXITED(wait_status))
		snprintf(reason, sizeof(reason), "exit code %d", WEXITSTATUS(wait_status));
	else if (WTERMSIG(wait_status) != SIGKILL)
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
	struct probe_run *run = service->probes[ROLE_READINESS];

	if (!run || run->config->kind != PROBE_FD)
		return true;
	loop_close(&sup->loop, &run->source);
	run->source.ready = fd_ready;
	run->source.class = CLASS_FACT;
	run->write_end = loop_add_pipe(&sup->loop, &run->source);
	return run->write_end >= 0;
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

void probes_begin(struct supervisor *sup, struct service *service)
{
	struct probe_run **probes = service->probes;

	if (probes[ROLE_STARTUP]) {
		probe_begin(sup, probes[ROLE_STARTUP]);
		/* what the program says by itself may come before the startup probe has passed */
		if (probes[ROLE_READINESS] && !is_polled(probes[ROLE_READINESS]) &&
		    !probe_is_network(probes[ROLE_READINESS]->config))
			probe_begin(sup, probes[ROLE_READINESS]);
		return;
	}
	if (probes[ROLE_READINESS])
		probe_begin(sup, probes[ROLE_READINESS]);
	else if (probes[ROLE_LIVENESS])
		probe_begin(sup, probes[ROLE_LIVENESS]);
}

void probes_ready(struct supervisor *sup, struct service *service)
{
	struct probe_run *run = service->probes[ROLE_LIVENESS];

	if (run && !run->active)
		probe_begin(sup, run);
}

void probes_end(struct supervisor *sup, struct service *service)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (service->probes[role])
			probe_end(sup, service->probes[role]);
}

/* ---- results ---- */

static void startup_passed(struct supervisor *sup, struct service *service)
{
	struct probe_run *readiness = service->probes[ROLE_READINESS];

	probe_end(sup, service->probes[ROLE_STARTUP]);
	if (!readiness) {
		supervisor_event(sup, service, EV_READY);
		return;
	}
	if (!readiness->active)
		probe_begin(sup, readiness);
	else if (readiness->passed)
		supervisor_event(sup, service, EV_READY);
}

static bool startup_pending(const struct service *service)
{
	return service->probes[ROLE_STARTUP] && service->probes[ROLE_STARTUP]->active;
}

static void passed(struct supervisor *sup, struct service *service, struct probe_run *run)
{
	run->passed = true;
	if (run->role == ROLE_STARTUP)
		startup_passed(sup, service);
	else if (run->role == ROLE_READINESS && !startup_pending(service))
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
		    (state == STATE_STARTING || state == STATE_STOPPING || state == STATE_BACKOFF))
			return true;
	}
	return false;
}

static void failed(struct supervisor *sup, struct service *service, struct probe_run *run,
		   const char *reason)
{
	if (run->role == ROLE_READINESS) {
		if (!run->passed) { /* still starting: normal, but worth showing */
			supervisor_reason(sup, service, "not ready yet: %s", reason);
			return;
		}
		if (!failed_for_good(sup, run))
			return;
		run->passed = false;
		supervisor_reason(sup, service, "readiness probe failed: %s", reason);
		supervisor_event(sup, service, EV_UNREADY);
		return;
	}
	if (!failed_for_good(sup, run) || (run->role == ROLE_LIVENESS && has_to_wait(sup, service)))
		return;
	supervisor_reason(sup, service, "%s probe failed: %s", role_name(run->role), reason);
	supervisor_event(sup, service, EV_DEAD);
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
	struct probe_run *run = service->probes[ROLE_READINESS];

	if (run && run->active && !run->passed && run->config->kind == PROBE_LOG &&
	    match_line(run->config->match, line, len))
		probe_report(sup, run, true, NULL);
}
