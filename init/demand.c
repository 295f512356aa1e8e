/* SPDX-License-Identifier: MIT */
#include "demand.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "sig.h"
#include "sock_diag.h"
#include "sockets.h"
#include "str.h"
#include "supervisor.h"

/* How often within idle_stop is looked: it comes that much late at most. */
#define TICKS          4
#define WATCH_RETRY_MS 200 /* where the kernel has no memory to watch a socket */

static struct held_socket *socket_of(const struct supervisor *sup, const struct service *service,
				     unsigned index)
{
	return &sup->config->sockets[service->config->listen_first + index];
}

/* ---- waiting for somebody ---- */

static void unwatch(struct supervisor *sup, struct service *service)
{
	for (unsigned i = 0; i < service->config->listen_count; i++)
		loop_remove(&sup->loop, &socket_of(sup, service, i)->source);
}

static void somebody_came(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *service = container_of(source, struct held_socket, source)->service;

	(void)events;
	unwatch(sup, service);
	if (sup->stage != STAGE_RUN)
		return;
	log_debug("%s: somebody connects", service->config->name);
	service->rested = false;
	schedule_want(sup, service);
}

static bool somebody_waits(const struct supervisor *sup, const struct service *service)
{
	bool any = false;

	for (unsigned i = 0; i < service->config->listen_count; i++) {
		struct pollfd look = {.fd = socket_of(sup, service, i)->listener.fd,
				      .events = POLLIN};

		any |= poll(&look, 1, 0) > 0;
	}
	return any;
}

static void watch(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;

	supervisor_reason(sup, service, "starts when somebody connects to %s%s",
			  sup->config->listens[config->listen_first].text,
			  config->listen_count > 1 ? " ..." : "");
	for (unsigned i = 0; i < config->listen_count; i++) {
		struct held_socket *held = socket_of(sup, service, i);

		held->service = service;
		held->source.ready = somebody_came;
		held->source.class = CLASS_WISH;
		if (held->source.fd < 0 && held->listener.fd >= 0 &&
		    loop_add(&sup->loop, &held->source, held->listener.fd, EPOLLIN) < 0)
			loop_arm(&sup->loop, &service->demand_timer,
				 sup->loop.now + msec(WATCH_RETRY_MS));
	}
}

/* One that ends and leaves somebody waiting is not started again at once, and again: the delay is
 * that of restarts. */
static void begin_waiting(struct supervisor *sup, struct service *service)
{
	bool ended_by_itself = service->up_since && !service->rested;

	if (ended_by_itself && somebody_waits(sup, service))
		loop_arm(&sup->loop, &service->demand_timer,
			 sup->loop.now + supervisor_backoff(sup, service));
	else
		watch(sup, service);
}

/* ---- measuring its rest ---- */

/* The kernel is to tell of the next that connects. The flag belongs to the socket, also where the
 * service sees it, and names the descriptor under which it was set last. */
static void ask_to_be_told(struct supervisor *sup, const struct service *service, bool on)
{
	for (unsigned i = 0; i < service->config->listen_count; i++) {
		int fd = socket_of(sup, service, i)->listener.fd;
		int flags = fcntl(fd, F_GETFL);

		if (flags < 0)
			continue;
		fcntl(fd, F_SETFL, flags & ~O_ASYNC);
		if (!on)
			continue;
		fcntl(fd, F_SETOWN, getpid());
		fcntl(fd, F_SETSIG, DEMAND_SIGNAL);
		fcntl(fd, F_SETFL, flags | O_ASYNC);
	}
}

static void note_somebody(struct supervisor *sup, struct service *service)
{
	if (service->disturbed || !service->measured)
		return;
	service->disturbed = true;
	ask_to_be_told(sup, service, false);
}

/* Replicas share a socket, and only one of them has set its flag. */
static bool is_same_socket(const struct config *config, uint32_t a, uint32_t b)
{
	return a == b || (config->listens[a].shared &&
			  strcmp(config->listens[a].text, config->listens[b].text) == 0);
}

void demand_signal(struct supervisor *sup, int fd)
{
	const struct config *config = sup->config;
	uint32_t at = 0;

	while (fd >= 0 && at < config->listen_count && config->sockets[at].listener.fd != fd)
		at++;
	if (at == config->listen_count)
		return;
	for (uint32_t i = 0; i < config->listen_count; i++)
		if (fd < 0 || is_same_socket(config, at, i))
			note_somebody(sup, sup->services[config->listens[i].service]);
}

static void arm_tick(struct supervisor *sup, struct service *service)
{
	service->disturbed = false;
	ask_to_be_told(sup, service, true);
	loop_arm(&sup->loop, &service->demand_timer,
		 sup->loop.now + msec(service->config->idle_stop) / TICKS);
}

static bool is_connected(const struct supervisor *sup, const struct service *service)
{
	for (unsigned i = 0; i < service->config->listen_count; i++)
		if (sock_diag_in_use(socket_of(sup, service, i)->listener.fd))
			return true;
	return false;
}

static void let_rest(struct supervisor *sup, struct service *service)
{
	char time[24];

	format_duration(time, sizeof(time), msec(service->config->idle_stop));
	log_info("%s: no connection for %s: stopping it until the next", service->config->name,
		 time);
	service->wanted = false;
	service->rested = true;
	supervisor_event(sup, service, EV_UNWANT);
}

static void tick(struct supervisor *sup, struct service *service)
{
	if (service->disturbed || somebody_waits(sup, service) || is_connected(sup, service))
		service->quiet = 0;
	else
		service->quiet++;
	if (service->quiet < TICKS)
		arm_tick(sup, service);
	else
		let_rest(sup, service);
}

void demand_timer_expired(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *service = container_of(timer, struct service, demand_timer);

	if (service->measured)
		tick(sup, service);
	else if (service->waits)
		watch(sup, service);
}

/* ---- with its life ---- */

static bool is_measured(const struct service *service)
{
	return service->demand && service->config->idle_stop &&
	       (state_is_ready(machine_state(service->phase)) || service->phase == PH_UNHEALTHY);
}

static void begin_measuring(struct supervisor *sup, struct service *service)
{
	service->measured = true;
	service->quiet = 0;
	arm_tick(sup, service);
}

static void end_measuring(struct supervisor *sup, struct service *service)
{
	service->measured = false;
	ask_to_be_told(sup, service, false);
	loop_disarm(&sup->loop, &service->demand_timer);
}

void demand_follow(struct supervisor *sup, struct service *service)
{
	bool open = !service->leaving && sup->stage == STAGE_RUN;
	bool waits = open && service->demand && service->phase == PH_INACTIVE;
	bool measured = open && is_measured(service);

	if (service->config->start != START_ON_DEMAND)
		return;
	if (measured != service->measured)
		(measured ? begin_measuring : end_measuring)(sup, service);
	if (waits == service->waits)
		return;
	service->waits = waits;
	if (waits) {
		begin_waiting(sup, service);
	} else {
		unwatch(sup, service);
		if (!service->measured)
			loop_disarm(&sup->loop, &service->demand_timer);
	}
}

bool demand_answers(const struct service *service)
{
	unsigned state = machine_state(service->phase);

	return service->demand && (state == STATE_INACTIVE || state == STATE_WAITING ||
				   state == STATE_STARTING || state == STATE_STOPPING);
}
