/* SPDX-License-Identifier: MIT */
#include "supervisor.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "clock.h"
#include "demand.h"
#include "gpu_codes.h"
#include "leftovers.h"
#include "log.h"
#include "logwriter.h"
#include "notify.h"
#include "probes.h"
#include "progress.h"
#include "sig.h"
#include "spawn.h"
#include "str.h"
#include "wire.h"

#define NO_EVENT        (-1)
#define KILL_TIMEOUT_MS 750 /* how long a killed process may take to vanish */
#define OWED_RETRY_MS   50

struct service *supervisor_find(const struct supervisor *sup, const char *name)
{
	for (uint32_t i = 0; i < sup->count; i++)
		if (strcmp(sup->services[i]->config->name, name) == 0)
			return sup->services[i];
	return NULL;
}

/* ---- what is shown ---- */

void supervisor_reason(struct supervisor *sup, struct service *service, const char *format, ...)
{
	struct status_record *record = status_record_begin(&sup->page, service->index);
	va_list args;

	va_start(args, format);
	vsnprintf(record->reason, sizeof(record->reason), format, args);
	va_end(args);
	record->flags &= (uint8_t)~STATUS_DEP_CAUSE;
	status_record_end(&sup->page, service->index);
}

/* States that need no explanation: what was said about an earlier one would only mislead. */
static bool is_plain(unsigned state)
{
	return state != STATE_UNHEALTHY && state != STATE_BACKOFF && state != STATE_FAILED &&
	       state != STATE_STOPPING;
}

/* The first start of this container is kept for the timeline. */
static void record_startup(struct status_record *record, unsigned state, uint64_t now,
			   bool starting_up)
{
	if (state == STATE_WAITING && !record->wait_begin)
		record->wait_begin = now;
	if (state != STATE_WAITING && state != STATE_INACTIVE && !record->start_begin)
		record->start_begin = now;
	if ((state_is_ready(state) || state == STATE_COMPLETED) && !record->ready_at)
		record->ready_at = now;
	/* one that ends while others still start was not ready, though it looked so */
	if ((state == STATE_FAILED || state == STATE_BACKOFF) && starting_up)
		record->ready_at = 0;
}

static void publish(struct supervisor *sup, struct service *service, unsigned old_state)
{
	unsigned state = machine_state(service->phase);
	struct status_record *record = status_record_begin(&sup->page, service->index);

	record->state = (uint8_t)state;
	record->since = sup->loop.now;
	record->pid = service->pid;
	record->last_exit = service->exit_code;
	if (service->wanted && !demand_answers(service))
		record->flags |= STATUS_WANTED;
	else
		record->flags &= (uint8_t)~STATUS_WANTED;
	if (is_plain(state)) {
		snprintf(record->reason, sizeof(record->reason), "%s",
			 service->notify && state_is_ready(state) ? service->notify->status : "");
		record->flags &= (uint8_t)~STATUS_DEP_CAUSE;
	}
	record_startup(record, state, sup->loop.now, sup->phase == PHASE_STARTING);
	status_record_end(&sup->page, service->index);
	event_log_add(&sup->events, (struct event_entry){.time = sup->loop.now,
							 .slot = service->slot,
							 .old_state = (uint8_t)old_state,
							 .state = (uint8_t)state,
							 .pid = service->pid,
							 .last_exit = service->exit_code});
}

static const char *reason_of(struct supervisor *sup, const struct service *service,
			     struct status_record *record)
{
	if (status_read_record(&sup->page, service->index, record) < 0)
		return "";
	return record->reason;
}

/* One line for people; starting and waiting are only worth one with -v. */
static void announce(struct supervisor *sup, struct service *service, unsigned state)
{
	const char *name = service->config->name;
	struct status_record record;
	const char *reason = reason_of(sup, service, &record);
	char took[24];

	switch (state) {
	case STATE_READY:
	case STATE_COMPLETED:
		format_duration(took, sizeof(took), sup->loop.now - service->up_since);
		log_info("%s: %s after %s", name, state_name(state), took);
		break;
	case STATE_UNHEALTHY:
		log_warning("%s: unhealthy: %s", name, reason);
		break;
	case STATE_BACKOFF:
		format_duration(took, sizeof(took), service->timer.when - sup->loop.now);
		log_warning("%s: %s; starting again in %s", name, reason, took);
		break;
	case STATE_FAILED:
		log_error("%s: failed: %s", name, reason);
		break;
	default:
		log_debug("%s: %s", name, state_name(state));
		break;
	}
}

/* ---- restarts ---- */

static bool within_limit(const struct supervisor *sup, const struct service *service)
{
	const struct policy_config *policy = service->config->policy;

	if (!policy->restart_limit)
		return true;
	if (sup->loop.now - service->window_begin > msec(policy->restart_window))
		return true;
	return service->window_count < policy->restart_limit;
}

static bool policy_restarts(const struct service *service, bool well)
{
	switch ((enum restart_policy)service->config->policy->restart) {
	case RESTART_NO:
		return false;
	case RESTART_ON_FAILURE:
		return !well;
	case RESTART_ALWAYS:
	case RESTART_UNLESS_STOPPED:
		break;
	}
	return true;
}

static bool is_starting(const struct service *service)
{
	return machine_state(service->phase) == STATE_STARTING;
}

static bool is_ending(const struct service *service)
{
	return machine_state(service->phase) == STATE_STOPPING;
}

/* Whether the service may be started again after this event. */
static bool may_restart(const struct supervisor *sup, const struct service *service,
			enum event event, bool well)
{
	if (!service->wanted || sup->stage >= STAGE_STOP)
		return false;
	if (event == EV_LAUNCH_FAILED) /* no memory, no process: try for as long as it takes */
		return service->retry_helps;
	if (is_starting(service))
		return policy_restarts(service, false) &&
		       service->attempts + 1 < service->config->policy->start_retries;
	return policy_restarts(service, well) && within_limit(sup, service);
}

static void count_restart(struct supervisor *sup, struct service *service, bool starting)
{
	const struct policy_config *policy = service->config->policy;
	struct status_record *record;

	if (starting)
		service->attempts++;
	if (sup->loop.now - service->window_begin > msec(policy->restart_window)) {
		service->window_begin = sup->loop.now;
		service->window_count = 0;
	}
	service->window_count++;
	record = status_record_begin(&sup->page, service->index);
	record->restarts++;
	status_record_end(&sup->page, service->index);
}

uint64_t supervisor_backoff(struct supervisor *sup, struct service *service)
{
	const struct policy_config *policy = service->config->policy;
	uint64_t now = sup->loop.now;
	uint64_t delay;

	if (service->backoff < policy->backoff_min ||
	    now - service->up_since >= msec(policy->backoff_max))
		service->backoff = policy->backoff_min;
	delay = msec(service->backoff);
	service->backoff = service->backoff > policy->backoff_max / 2 ? policy->backoff_max
								      : service->backoff * 2;
	sup->random = sup->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return delay + (sup->random >> 33) % (delay / 10 + 1);
}

/* ---- effects ---- */

static int signal_group(const struct service *service, int signal)
{
	/* a session leader that was not waited for: the number can be nobody else's */
	if (service->notify && service->notify->main.fd >= 0)
		return notify_signal(service, signal);
	return service->pid > 1 ? kill(-service->pid, signal) : 0;
}

/* Asks it to stop, and wakes it up to hear that. What cannot be sent is owed. */
static void send_stop(struct supervisor *sup, struct service *service, int signal)
{
	int rc = signal_group(service, signal);

	if (rc == 0 && signal != SIGKILL && signal != SIGCONT)
		rc = signal_group(service, signal = SIGCONT);
	service->owed = rc < 0 && errno != ESRCH ? (uint8_t)signal : 0;
	if (service->owed)
		loop_arm(&sup->loop, &sup->reap_timer, sup->loop.now + msec(OWED_RETRY_MS));
}

void supervisor_send_owed(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (service->owed && service->phase == PH_STOPPING)
			send_stop(sup, service, service->owed);
		else
			service->owed = 0;
	}
}

static void kill_all(struct supervisor *sup, struct service *service)
{
	if (!service->killed)
		log_warning("%s: still there after %u ms: killing it", service->config->name,
			    service->config->policy->stop_grace);
	leftovers_kill(sup, service);
}

/* Frozen, or in a call that nothing interrupts: the kernel has to finish it. It is tried again and
 * again, and said once. */
static void give_up(struct supervisor *sup, struct service *service)
{
	if (!service->stuck)
		leftovers_say_stuck(sup, service);
	service->stuck = sup->stop_check = true;
}

static int run_hook(struct supervisor *sup, struct service *service, char *const *argv)
{
	service->hook = launch_helper(sup, service, argv, CHILD_HOOK, 0);
	if (service->hook > 0)
		return NO_EVENT;
	service->hook = 0;
	/* no memory, no process: that says nothing about the hook */
	return service->phase == PH_PRE_START && service->retry_helps ? EV_LAUNCH_FAILED
								      : EV_HOOK_FAILED;
}

/* Before the program: the check of the GPU, then the service's own command. */
static int run_before(struct supervisor *sup, struct service *service)
{
	const struct policy_config *policy = service->config->policy;

	int next;

	service->checks_gpu = !service->checks_gpu && policy->gpu_check;
	next = run_hook(sup, service, service->checks_gpu ? policy->gpu_check : policy->pre_start);
	if (service->hook) /* what it leaves is the service's, started or not */
		service->session = service->hook;
	return next;
}

static int sweep(struct supervisor *sup, struct service *service)
{
	service->sweeping = leftovers_end(sup, service);
	return service->sweeping ? NO_EVENT : EV_GONE;
}

static void arm(struct supervisor *sup, struct service *service, unsigned effects)
{
	const struct policy_config *policy = service->config->policy;
	uint64_t when = NEVER;

	if (effects & FX_ARM_READY)
		when = policy->ready_timeout ? sup->loop.now + msec(policy->ready_timeout) : NEVER;
	else if (effects & FX_ARM_GRACE)
		when = sup->loop.now + msec(policy->stop_grace);
	else if (effects & FX_ARM_KILL)
		when = sup->loop.now + msec(KILL_TIMEOUT_MS);
	else if (effects & FX_ARM_BACKOFF)
		when = sup->loop.now + supervisor_backoff(sup, service);
	else if (!(effects & FX_DISARM))
		return;
	loop_arm(&sup->loop, &service->timer, when);
}

static void end_running(struct supervisor *sup, struct service *service, unsigned effects)
{
	int signal = service->aborting ? SIGABRT : service->config->policy->stop_signal;

	if (effects & FX_PROBES_OFF) {
		probes_end(sup, service);
		notify_unwatch(sup, service);
	}
	if (effects & FX_KILL_HOOK && service->hook) {
		kill(-service->hook, SIGKILL);
		service->hook = 0; /* its end says nothing any more */
	}
	if (effects & FX_STOP_SIGNAL)
		send_stop(sup, service, signal);
	if (effects & FX_KILL_SIGNAL)
		kill_all(sup, service);
	if (effects & FX_STUCK)
		give_up(sup, service);
}

/* Performs the effects; returns the event that follows at once, or NO_EVENT. */
static int perform(struct supervisor *sup, struct service *service, unsigned effects)
{
	const struct policy_config *policy = service->config->policy;

	end_running(sup, service, effects);
	arm(sup, service, effects);
	if (effects & FX_PRE_START) {
		service->checks_gpu = false;
		return run_before(sup, service);
	}
	if (effects & FX_STOP_COMMAND)
		return run_hook(sup, service, policy->stop_command);
	if (effects & FX_POST_STOP)
		return run_hook(sup, service, policy->post_stop);
	if (effects & FX_LAUNCH && !launch_main(sup, service))
		return EV_LAUNCH_FAILED;
	if (effects & FX_PROBES_ON)
		probes_begin(sup, service);
	if (effects & FX_SWEEP)
		return sweep(sup, service);
	return NO_EVENT;
}

/* ---- events ---- */

static struct machine_facts facts_of(const struct supervisor *sup, const struct service *service,
				     enum event event)
{
	const struct service_config *config = service->config;
	bool well = service->exit_code == 0;

	return (struct machine_facts){
		.type = config->type,
		.has_readiness = config->probes[ROLE_READINESS] || config->probes[ROLE_STARTUP],
		.has_pre_start = config->policy->gpu_check || config->policy->pre_start,
		.has_stop_command = config->policy->stop_command != NULL && !service->aborting,
		.has_post_stop =
			config->policy->post_stop != NULL && service->launched && !sup->killing,
		/* one that restarts whatever its code has failed when it may do so no more */
		.ended_well =
			well && (!policy_restarts(service, well) || within_limit(sup, service)),
		.on_demand = service->demand,
		.may_restart = may_restart(sup, service, event, event == EV_EXITED && well),
	};
}

/* Bookkeeping that follows from where the machine went. */
static void entered(struct supervisor *sup, struct service *service, enum phase phase)
{
	switch (phase) {
	case PH_READY:
		probes_ready(sup, service);
		/* fall through */
	case PH_RUNNING:
		service->attempts = 0;
		notify_watch(sup, service);
		break;
	case PH_INACTIVE:
		if (service->demand)
			service->wanted = false; /* until somebody connects */
						 /* fall through */
	case PH_COMPLETED:
	case PH_FAILED:
	case PH_BACKOFF:
		service->launched = false;
		service->session = 0;
		if (service->notify && phase != PH_BACKOFF)
			fdstore_clear(sup, &service->notify->store);
		cgroups_leave(sup, service);
		stream_finish(sup, service);
		if (service->config->internal)
			sidecar_link_ended(sup);
		break;
	default:
		break;
	}
	if (phase != PH_STOPPING && phase != PH_KILLING)
		service->sweeping = false;
}

void supervisor_event(struct supervisor *sup, struct service *service, enum event event)
{
	enum phase before = service->phase;
	unsigned old_state = machine_state(before), state;
	int next = (int)event;

	while (next != NO_EVENT) {
		struct machine_facts facts = facts_of(sup, service, (enum event)next);
		bool starting = is_starting(service);
		bool ending = is_ending(service);
		struct machine_step step =
			machine_next(service->phase, service->after, (enum event)next, &facts);

		if (step.ignored)
			break;
		if ((!ending || service->after == AFTER_OWN) && step.after == AFTER_BACKOFF)
			count_restart(sup, service, starting);
		if (starting && next == EV_DEADLINE)
			supervisor_reason(sup, service, "not ready within %u ms",
					  service->config->policy->ready_timeout);
		if (next == EV_DEPS_MET)
			service->up_since = sup->loop.now;
		service->phase = (uint8_t)step.phase;
		service->after = (uint8_t)step.after;
		next = perform(sup, service, step.effects);
		entered(sup, service, service->phase);
	}
	if (service->phase == before)
		return;
	state = machine_state(service->phase);
	sup->starting += state == STATE_STARTING;
	sup->starting -= old_state == STATE_STARTING;
	if (state != old_state) {
		publish(sup, service, old_state);
		announce(sup, service, state);
		progress_changed(sup);
	}
	schedule_changed(sup, service);
	stop_consider(sup, service);
}

/* ---- children ---- */

/* What it gave as its error itself, by sd_notify(3). */
static void add_own_words(struct supervisor *sup, struct service *service)
{
	const char *error = service->notify ? service->notify->error : "";
	struct status_record record;
	char text[STATUS_REASON_SIZE];

	if (!*error || !service->exit_code)
		return;
	snprintf(text, sizeof(text), "%s", reason_of(sup, service, &record));
	supervisor_reason(sup, service, "%s: %s", text, error);
}

static void describe_end(struct supervisor *sup, struct service *service, int wait_status)
{
	char name[12], what[40];

	if (is_ending(service) && service->after != AFTER_OWN)
		return; /* why it had to end says more than how it did */
	if (WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL &&
	    cgroups_killed(sup, service, what, sizeof(what)))
		supervisor_reason(sup, service, "killed by the OOM killer (%s)", what);
	else if (WIFSIGNALED(wait_status))
		supervisor_reason(sup, service, "ended by signal %d (%s)", WTERMSIG(wait_status),
				  sig_name(WTERMSIG(wait_status), name, sizeof(name)));
	else if (is_starting(service) && service->config->type == TYPE_SERVICE)
		supervisor_reason(sup, service, "exited with code %d before it was ready",
				  service->exit_code);
	else
		supervisor_reason(sup, service, "exited with code %d", service->exit_code);
	add_own_words(sup, service);
}

/* The main process has ended, which init may have learned without how. */
static void main_is_gone(struct supervisor *sup, struct service *service)
{
	struct status_record *record;

	service->pid = 0;
	notify_ended(sup, service);
	record = status_record_begin(&sup->page, service->index);
	record->exited = sup->loop.now;
	record->last_exit = service->exit_code;
	record->pid = 0;
	status_record_end(&sup->page, service->index);
	supervisor_event(sup, service, EV_EXITED);
}

static void main_ended(struct supervisor *sup, struct service *service, int wait_status)
{
	/* what it said before it ended comes first: facts in the order they happened */
	stream_finish(sup, service);
	service->exit_code = spawn_ended_code(wait_status);
	describe_end(sup, service, wait_status);
	main_is_gone(sup, service);
}

void supervisor_main_lost(struct supervisor *sup, struct service *service)
{
	stream_finish(sup, service);
	children_take(&sup->children, service->pid);
	service->exit_code = -1;
	if (!is_ending(service) || service->after == AFTER_OWN)
		supervisor_reason(sup, service, "ended; only its parent process knows how");
	main_is_gone(sup, service);
}

static void describe_gpu(struct supervisor *sup, struct service *service, int code)
{
	const char *why = gpu_code_text(code), *wanted = service->config->policy->gpu_check[2];

	supervisor_reason(sup, service, "require_gpu = %s: %s (exit code %d)", wanted,
			  why ? why : "gpu-check failed", code);
}

static void hook_ended(struct supervisor *sup, struct service *service, pid_t pid, int wait_status)
{
	int code = spawn_ended_code(wait_status), next = EV_HOOK_OK;
	bool gpu = service->phase == PH_PRE_START && service->checks_gpu;

	if (service->hook != pid) { /* it was killed: what it left comes to us now */
		sup->sweep_check = true;
		return;
	}
	service->hook = 0;
	if (code == 0) {
		if (gpu && service->config->policy->pre_start)
			next = run_before(sup, service);
		if (next != NO_EVENT)
			supervisor_event(sup, service, (enum event)next);
		return;
	}
	if (service->phase == PH_PRE_START)
		service->exit_code = code;
	if (gpu)
		describe_gpu(sup, service, code);
	else
		supervisor_reason(sup, service, "its %s command exited with code %d",
				  machine_phase_name(service->phase), code);
	if (service->phase != PH_PRE_START) /* that one is told as the reason of what follows */
		log_warning("%s: its %s command exited with code %d", service->config->name,
			    machine_phase_name(service->phase), code);
	supervisor_event(sup, service, EV_HOOK_FAILED);
}

static void stranger_ended(struct supervisor *sup)
{
	struct status_header *header = status_header_begin(&sup->page);

	header->reaped++;
	status_header_end(&sup->page);
	sup->sweep_check = true;
}

struct service *supervisor_owner(const struct supervisor *sup, struct child_entry child)
{
	return child.kind < CHILD_MAIN ? NULL : sup->by_slot[child.slot];
}

void supervisor_child_ended(struct supervisor *sup, pid_t pid, int wait_status)
{
	struct child_entry entry = children_take(&sup->children, pid);
	struct service *service = supervisor_owner(sup, entry);

	if (entry.kind == CHILD_STRANGER)
		stranger_ended(sup);
	if (entry.kind == CHILD_HOSTS)
		hosts_ended(sup);
	if (!service)
		return;
	switch ((enum child_kind)entry.kind) {
	case CHILD_MAIN:
		main_ended(sup, service, wait_status);
		break;
	case CHILD_HOOK:
		hook_ended(sup, service, pid, wait_status);
		break;
	case CHILD_PROBE:
		for (struct probe_run *run = service->probes[entry.extra]; run; run = run->next)
			if (run->pid == pid)
				probe_exec_ended(sup, run, wait_status);
		break;
	case CHILD_LOGGER:
		if (service->logger && service->logger->pid == pid)
			logger_ended(sup, service);
		break;
	default:
		break;
	}
}

bool supervisor_check_sweeps(struct supervisor *sup)
{
	bool any = false;

	if (!sup->sweep_check)
		return false;
	sup->sweep_check = false;
	cgroups_tidy(sup);
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (service->sweeping && !leftovers_end(sup, service)) {
			service->sweeping = false;
			supervisor_event(sup, service, EV_GONE);
		}
		any |= service->sweeping;
	}
	if (!any)
		sup->told_count = 0;
	return any;
}

static void deadline(struct loop *loop, struct loop_timer *timer)
{
	supervisor_event(supervisor_of(loop), container_of(timer, struct service, timer),
			 EV_DEADLINE);
}

void supervisor_close_service(struct supervisor *sup, struct service *service)
{
	probes_end(sup, service);
	stream_close(sup, service);
	logger_close(sup, service);
	notify_close(sup, service);
}

void supervisor_init_service(struct service *service)
{
	service->timer.expired = deadline;
	service->demand_timer.expired = demand_timer_expired;
	service->demand = service->config->start == START_ON_DEMAND;
	service->exit_code = -1;
}
