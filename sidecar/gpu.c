/* SPDX-License-Identifier: MIT */
#include "gpu.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "feed.h"
#include "gpu_helper.h"
#include "gpu_hints.h"
#include "gpu_read.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "sidecar.h"
#include "sig.h"
#include "str.h"
#include "values.h"

#define TIMEOUT_MS  5000 /* for one look at all GPUs */
#define START_TIMES 4    /* as long for opening: some drivers wake the GPUs then */
#define ASK_EVERY   NSEC_PER_SEC
#define PAUSE_MIN   NSEC_PER_SEC /* between readers that fail */
#define PAUSE_MAX   (300 * NSEC_PER_SEC)
#define END_WAIT_MS 1500 /* when the sidecar ends */
#define BATCH       64   /* messages taken before others have their turn */

enum step {
	STEP_OFF,      /* there is no keeper */
	STEP_PAUSE,    /* no reader, one is started when the timer fires */
	STEP_STARTING, /* it opens the library; the timer is its deadline */
	STEP_IDLE,
	STEP_ASKED, /* the timer is its deadline */
	STEP_ENDING /* it was killed: nothing to do until it has ended */
};

struct gpus {
	struct sidecar *sidecar;
	struct loop *loop;
	const char *library;
	uint32_t timeout_ms;
	int orders, talk; /* -1: none */
	enum step step;
	struct loop_timer timer;
	uint64_t pause, ready_at;
	uint32_t run, serial;
	enum gpu_state state;
	bool wanted;  /* gpu = yes */
	bool seen;    /* there was one: it can only be lost */
	bool trouble; /* what `reason` says is worth a warning */
	bool events;
	char reason[GPU_TEXT], driver[NVML_TEXT_SIZE];
	uint64_t restarts, timeouts;
	struct gpu_sample sample, draft;
	struct gpu_faults faults;
};

const char *gpu_state_name(unsigned state)
{
	static const char *const names[GPU_STATES] = {"ok", "none", "unavailable", "stuck"};

	return state < GPU_STATES ? names[state] : "?";
}

/* ---- what is the matter ---- */

static void __attribute__((format(printf, 3, 4)))
set_state(struct gpus *gpus, enum gpu_state state, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(gpus->reason, sizeof(gpus->reason), format, args);
	va_end(args);
	if (gpus->state != state)
		gpus->sidecar->revision++;
	gpus->state = state;
}

/* Said once, not at each try. */
static void say_trouble(struct gpus *gpus)
{
	if (!gpus->trouble)
		log_warning("GPUs: %s", gpus->reason);
	gpus->trouble = true;
}

static void end_helper(struct gpus *gpus)
{
	loop_disarm(gpus->loop, &gpus->timer);
	loop_forget(gpus->loop, gpus->orders);
	loop_forget(gpus->loop, gpus->talk);
	close(gpus->orders);
	close(gpus->talk);
	gpus->orders = gpus->talk = -1;
	gpus->step = STEP_OFF;
	sample_free(&gpus->draft);
}

/* For good: nothing is left that would cost anything. */
static void give_up(struct gpus *gpus)
{
	end_helper(gpus);
	if (gpus->wanted)
		say_trouble(gpus);
	else
		log_debug("GPUs: %s", gpus->reason);
}

/* ---- to the helper ---- */

static void order(struct gpus *gpus, uint32_t type)
{
	struct gpu_order message = {.type = type, .run = gpus->run};

	if (send(gpus->orders, &message, sizeof(message), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("GPUs: the keeper does not hear: %s", strerror(errno));
}

static void start_reader(struct gpus *gpus)
{
	gpus->run++;
	gpus->step = STEP_STARTING;
	order(gpus, GPU_ORDER_START);
	loop_arm(gpus->loop, &gpus->timer,
		 clock_monotonic() + msec((uint64_t)gpus->timeout_ms * START_TIMES));
}

static void ask(struct gpus *gpus)
{
	struct gpu_head head = {.type = GPU_ASK, .run = gpus->run, .serial = ++gpus->serial};

	if (send(gpus->talk, &head, sizeof(head), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(head))
		return; /* it ends, or there is no memory at the moment */
	sample_free(&gpus->draft);
	gpus->step = STEP_ASKED;
	loop_arm(gpus->loop, &gpus->timer, clock_monotonic() + msec(gpus->timeout_ms));
}

static void kill_reader(struct gpus *gpus)
{
	gpus->step = STEP_ENDING;
	loop_disarm(gpus->loop, &gpus->timer);
	order(gpus, GPU_ORDER_KILL);
}

static void time_is_over(void *data, uint64_t now)
{
	struct gpus *gpus = data;
	uint64_t times = gpus->step == STEP_STARTING ? START_TIMES : 1;
	char text[24];

	(void)now;
	if (gpus->step == STEP_PAUSE) {
		start_reader(gpus);
		return;
	}
	set_state(gpus, GPU_STATE_STUCK, "a call to the NVIDIA driver did not return within %s",
		  format_duration(text, sizeof(text), msec(gpus->timeout_ms * times)));
	say_trouble(gpus);
	gpus->timeouts++;
	kill_reader(gpus);
}

/* ---- from the reader ---- */

static void take_ready(struct gpus *gpus, const struct gpu_ready *ready)
{
	if (gpus->step != STEP_STARTING)
		return;
	loop_disarm(gpus->loop, &gpus->timer);
	if (ready->outcome == GPU_FOUND) {
		memcpy(gpus->driver, ready->driver, sizeof(gpus->driver));
		gpus->driver[sizeof(gpus->driver) - 1] = '\0';
		gpus->events = ready->events != 0;
		gpus->ready_at = clock_monotonic();
		gpus->step = STEP_IDLE;
		ask(gpus);
		return;
	}
	/* what was there once may come back */
	set_state(gpus,
		  ready->outcome == GPU_NONE && !gpus->seen ? GPU_STATE_NONE
							    : GPU_STATE_UNAVAILABLE,
		  "%.*s", (int)sizeof(ready->reason) - 1, ready->reason);
	gpus->step = STEP_ENDING;
	if (gpus->state == GPU_STATE_NONE)
		give_up(gpus);
	else
		say_trouble(gpus);
}

/* Counters of uncorrected errors that have grown since the last look. */
static void note_ecc(struct gpus *gpus)
{
	for (uint32_t i = 0; i < gpus->draft.count; i++) {
		const struct gpu_device *now = &gpus->draft.list[i].device;
		const struct gpu_entry *then = sample_find(&gpus->sample, now->index, now->mig);

		if (then && now->known & then->device.known & GPU_HAS_UNCORRECTED &&
		    now->uncorrected > then->device.uncorrected)
			faults_note(&gpus->faults, now->index, true, 0,
				    now->uncorrected - then->device.uncorrected, clock_monotonic());
	}
}

static void take_done(struct gpus *gpus, const struct gpu_head *head)
{
	if (head->code != NVML_OK) {
		set_state(gpus, GPU_STATE_UNAVAILABLE, "the driver cannot be asked: %s (%u)",
			  gpu_code_text((int)head->code), head->code);
		say_trouble(gpus);
		kill_reader(gpus);
		return;
	}
	loop_disarm(gpus->loop, &gpus->timer);
	note_ecc(gpus);
	sample_free(&gpus->sample);
	gpus->sample = gpus->draft;
	gpus->draft = (struct gpu_sample){0};
	gpus->sample.time = clock_monotonic();
	sample_name_services(&gpus->sample, gpus->sidecar);
	if (gpus->trouble)
		log_info("GPUs: seen again");
	set_state(gpus, GPU_STATE_OK, "%s", "");
	gpus->trouble = false;
	gpus->seen = true;
	gpus->step = STEP_IDLE;
}

static void take_event(struct gpus *gpus, const struct gpu_event *event)
{
	struct gpu_fault fault = {.index = event->index, .ecc = event->ecc != 0, .xid = event->xid};
	char text[GPU_WARNING];

	if (event->index >= GPU_MAX)
		return;
	if (fault.ecc)
		fault.xid = 0;
	log_warning("%s", fault_text(&fault, text, sizeof(text)));
	faults_note(&gpus->faults, fault.index, fault.ecc, fault.xid, 1, clock_monotonic());
	gpus->sidecar->revision++;
	feed_publish_value(
		gpus->sidecar->feed, "warn",
		json_pack("{s:s, s:o}", "reason", text, "time", value_time(clock_realtime())));
}

static void take_message(struct gpus *gpus, const union gpu_message *message, size_t size)
{
	const struct gpu_head *head = &message->head;
	bool answers = gpus->step == STEP_ASKED && head->serial == gpus->serial;

	if (size < sizeof(*head) || head->run != gpus->run)
		return;
	if (head->type == GPU_READY && size == sizeof(message->ready))
		take_ready(gpus, &message->ready);
	else if (head->type == GPU_EVENT && size == sizeof(message->event))
		take_event(gpus, &message->event);
	else if (head->type == GPU_DEVICE && size == sizeof(message->device) && answers)
		sample_add_device(&gpus->draft, &message->device);
	else if (head->type == GPU_PROCESSES && size == sizeof(message->processes) && answers)
		sample_add_processes(&gpus->draft, &message->processes);
	else if (head->type == GPU_DONE && size == sizeof(*head) && answers)
		take_done(gpus, head);
}

/* The end of a reader is told by the keeper, which has the other end open as long as it lives. */
static void talk_ready(void *data, int fd, uint32_t events)
{
	static union gpu_message message;
	struct gpus *gpus = data;

	(void)events;
	for (int i = 0; i < BATCH && gpus->talk == fd; i++) {
		ssize_t n = recv(fd, &message, sizeof(message), MSG_DONTWAIT);

		if (n <= 0) {
			if (n == 0)
				loop_forget(gpus->loop, fd);
			return;
		}
		take_message(gpus, &message, (size_t)n);
	}
}

/* ---- from the keeper ---- */

static void pause_reader(struct gpus *gpus)
{
	uint64_t now = clock_monotonic();

	if (gpus->ready_at && now - gpus->ready_at > PAUSE_MAX)
		gpus->pause = 0;
	gpus->pause = !gpus->pause ? PAUSE_MIN : gpus->pause * 2;
	if (gpus->pause > PAUSE_MAX)
		gpus->pause = PAUSE_MAX;
	gpus->ready_at = 0;
	gpus->restarts++;
	gpus->step = STEP_PAUSE;
	loop_arm(gpus->loop, &gpus->timer, now + gpus->pause);
}

static void take_end(struct gpus *gpus, int status)
{
	char name[12];

	/* its last words may still lie there: why it ended, and Xids */
	talk_ready(gpus, gpus->talk, EPOLLIN);
	if (gpus->step == STEP_OFF)
		return;
	if (gpus->step != STEP_ENDING) {
		if (WIFSIGNALED(status))
			set_state(gpus, GPU_STATE_UNAVAILABLE,
				  "the NVIDIA library has crashed: SIG%s",
				  sig_name(WTERMSIG(status), name, sizeof(name)));
		else
			set_state(gpus, GPU_STATE_UNAVAILABLE,
				  "the process with the NVIDIA library has ended with code %d",
				  WEXITSTATUS(status));
		say_trouble(gpus);
	}
	pause_reader(gpus);
}

static void orders_ready(void *data, int fd, uint32_t events)
{
	struct gpus *gpus = data;
	struct gpu_ended ended;
	ssize_t n = recv(fd, &ended, sizeof(ended), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n != sizeof(ended)) {
		set_state(gpus, GPU_STATE_UNAVAILABLE,
			  "the process that looks after the NVIDIA library has ended");
		say_trouble(gpus);
		end_helper(gpus);
		return;
	}
	if (ended.run == gpus->run)
		take_end(gpus, ended.status);
}

/* ---- beginning and end ---- */

static bool read_environment(struct gpus *gpus)
{
	const char *library = getenv(GPU_LIBRARY_VARIABLE);
	const char *timeout = getenv(GPU_TIMEOUT_VARIABLE);

	gpus->library = library && *library ? library : GPU_LIBRARY;
	gpus->timeout_ms = TIMEOUT_MS;
	if (!timeout || !*timeout)
		return true;
	if (parse_duration(timeout, &gpus->timeout_ms) && gpus->timeout_ms)
		return true;
	log_error("%s: \"%s\": expected " FORM_DURATION ", more than 0", GPU_TIMEOUT_VARIABLE,
		  timeout);
	return false;
}

/* Children that end are nobody's business here: the confined sidecar cannot wait for them. */
static bool fork_keeper(struct gpus *gpus)
{
	int orders[2], talk[2], parent = getpid();
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, orders) < 0)
		return false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, talk) < 0) {
		close(orders[0]);
		close(orders[1]);
		return false;
	}
	signal(SIGCHLD, SIG_IGN);
	pid = fork();
	if (pid == 0)
		gpu_keep(orders[1], talk[1], gpus->library, parent);
	close(orders[1]);
	close(talk[1]);
	gpus->orders = orders[0];
	gpus->talk = talk[0];
	return pid > 0;
}

struct gpus *gpu_create(struct sidecar *sidecar)
{
	struct gpus *gpus = mem_alloc(sizeof(*gpus));
	char why[GPU_TEXT];

	gpus->sidecar = sidecar;
	gpus->loop = sidecar->loop;
	gpus->orders = gpus->talk = -1;
	gpus->timer.call = time_is_over;
	gpus->timer.data = gpus;
	gpus->wanted = sidecar->options.gpu == GPU_YES;
	if (!read_environment(gpus)) {
		free(gpus);
		return NULL;
	}
	if (!gpu_suggested((enum gpu_mode)sidecar->options.gpu, why, sizeof(why))) {
		set_state(gpus, GPU_STATE_NONE, "%s", why);
		return gpus;
	}
	set_state(gpus, GPU_STATE_UNAVAILABLE, "the NVIDIA library is being opened");
	if (!fork_keeper(gpus)) {
		set_state(gpus, GPU_STATE_UNAVAILABLE, "no process can be started: %s",
			  strerror(errno));
		say_trouble(gpus);
		return gpus;
	}
	gpus->step = STEP_PAUSE;
	return gpus;
}

void gpu_start(struct gpus *gpus)
{
	if (gpus->step == STEP_OFF)
		return;
	loop_watch(gpus->loop, gpus->orders, EPOLLIN, orders_ready, gpus);
	loop_watch(gpus->loop, gpus->talk, EPOLLIN, talk_ready, gpus);
	start_reader(gpus);
}

/* Waits for the keeper, which ends at once, and its reader before it: so neither is left behind. */
static void await_end(int orders)
{
	struct pollfd wait = {.fd = orders, .events = POLLIN};
	struct gpu_ended ended;

	shutdown(orders, SHUT_WR);
	while (poll(&wait, 1, END_WAIT_MS) > 0 && recv(orders, &ended, sizeof(ended), 0) > 0)
		;
}

void gpu_destroy(struct gpus *gpus)
{
	if (gpus->orders >= 0) {
		await_end(gpus->orders);
		end_helper(gpus);
	}
	sample_free(&gpus->sample);
	faults_free(&gpus->faults);
	free(gpus);
}

/* ---- for others ---- */

struct gpu_view gpu_look(const struct gpus *gpus)
{
	return (struct gpu_view){
		.state = gpus->state,
		.reason = gpus->reason,
		.driver = gpus->driver,
		.sample = &gpus->sample,
		.faults = &gpus->faults,
		.restarts = gpus->restarts,
		.timeouts = gpus->timeouts,
		.events = gpus->events,
	};
}

struct gpu_view gpu_ask(struct gpus *gpus)
{
	if (gpus->step == STEP_IDLE && clock_monotonic() - gpus->sample.time >= ASK_EVERY)
		ask(gpus);
	return gpu_look(gpus);
}

static const struct gpu_device *lost_device(const struct gpus *gpus)
{
	for (uint32_t i = 0; i < gpus->sample.count; i++)
		if (gpus->sample.list[i].device.error)
			return &gpus->sample.list[i].device;
	return NULL;
}

bool gpu_warning(const struct gpus *gpus, char buffer[GPU_WARNING])
{
	const struct gpu_fault *fault = faults_news(&gpus->faults, clock_monotonic());
	const struct gpu_device *lost = lost_device(gpus);

	if (gpus->trouble)
		snprintf(buffer, GPU_WARNING, "%s", gpus->reason);
	else if (lost)
		snprintf(buffer, GPU_WARNING, "GPU %u: %s", lost->index,
			 gpu_code_text((int)lost->error));
	else if (fault)
		fault_text(fault, buffer, GPU_WARNING);
	return gpus->trouble || lost || fault;
}
