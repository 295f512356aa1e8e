/* SPDX-License-Identifier: MIT */
#include "sidecar_link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addresses.h"
#include "clock.h"
#include "log.h"
#include "probe_link.h"
#include "probes.h"
#include "supervisor.h"

/* ---- orders ---- */

static void fill_watch(struct link_watch *watch, const struct probe_run *run)
{
	const struct probe_config *config = run->config;

	*watch = (struct link_watch){
		.type = LINK_WATCH,
		.serial = run->serial,
		.probe = (uint16_t)run->number,
		.service = run->service->index,
		.role = run->role,
		.kind = config->kind,
		.period_ms = config->period,
		.timeout_ms = config->timeout,
		.initial_delay_ms = config->initial_delay,
		.success_threshold = config->success_threshold,
		.failure_threshold = config->failure_threshold,
	};
	strncpy(watch->target, config->target, sizeof(watch->target) - 1);
}

bool sidecar_link_send(const struct supervisor *sup, const void *message, size_t size)
{
	return send(sup->link.source.fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) > 0;
}

static bool send_order(const struct supervisor *sup, const struct probe_run *run)
{
	struct link_watch watch;
	struct link_drop drop = {
		.type = LINK_DROP, .serial = run->serial, .probe = (uint16_t)run->number};

	if (!run->active)
		return sidecar_link_send(sup, &drop, sizeof(drop));
	fill_watch(&watch, run);
	return sidecar_link_send(sup, &watch, sizeof(watch));
}

void sidecar_link_update(struct supervisor *sup)
{
	struct sidecar_link *link = &sup->link;
	bool blocked = false;

	if (link->external && !sup->config->sidecar.external)
		sidecar_link_ended(sup); /* a reload wants none */
	if (link->source.fd < 0)
		return; /* told when it starts */
	for (uint32_t i = 0; i < sup->numbers && !blocked; i++) {
		struct probe_run *run = sup->by_number[i];

		if (!run || run->announced)
			continue;
		if (send_order(sup, run))
			run->announced = true;
		else
			blocked = true;
	}
	blocked = blocked || !addresses_send(sup);
	if (blocked != link->blocked)
		loop_modify(&sup->loop, &link->source, blocked ? EPOLLIN | EPOLLOUT : EPOLLIN);
	link->blocked = blocked;
}

/* ---- verdicts ---- */

static void heard(struct supervisor *sup)
{
	struct status_header *header = status_header_begin(&sup->page);

	header->beat = sup->loop.now;
	status_header_end(&sup->page);
	loop_arm(&sup->loop, &sup->link.silence, sup->loop.now + msec(LINK_DEAD_MS));
}

static void take_result(struct supervisor *sup, struct link_result *result)
{
	struct probe_run *run;

	run = result->probe < sup->numbers ? sup->by_number[result->probe] : NULL;
	if (!run || !run->active || run->serial != result->serial)
		return; /* about an earlier run of that service */
	result->reason[sizeof(result->reason) - 1] = '\0';
	probe_report(sup, run, result->ok, result->reason);
}

static void link_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	union {
		uint32_t type;
		struct link_result result;
		struct link_answer answer;
	} message;

	/* a bounded number a turn: a sidecar gone wild must not keep init busy */
	for (unsigned i = 0; i < 64 && source->fd >= 0; i++) {
		ssize_t n = recv(source->fd, &message, sizeof(message), MSG_DONTWAIT);

		loop->failed |= n < 0 && i == 0 && (events & EPOLLIN);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n <= 0) {
			loop_close(loop, source);
			if (sup->link.external)
				sidecar_link_ended(sup);
			return;
		}
		heard(sup);
		if (n == sizeof(message.result) && message.type == LINK_RESULT)
			take_result(sup, &message.result);
		else if (n == sizeof(message.answer) && message.type == LINK_ANSWER)
			addresses_take(sup, &message.answer);
	}
	if (events & EPOLLOUT)
		sidecar_link_update(sup);
}

static void silence_expired(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *sidecar = sup->by_slot[sup->link.slot];

	(void)timer;
	if (sup->link.external) {
		log_warning("the sidecar was not heard for %d s: another may take its place",
			    LINK_DEAD_MS / 1000);
		sidecar_link_ended(sup);
		return;
	}
	supervisor_reason(sup, sidecar, "was not heard for %d s", LINK_DEAD_MS / 1000);
	log_warning("the sidecar was not heard for %d s: restarting it", LINK_DEAD_MS / 1000);
	supervisor_event(sup, sidecar, EV_DEAD);
}

/* ---- the channel ---- */

static bool open_channel(struct supervisor *sup, int fd, bool external)
{
	struct sidecar_link *link = &sup->link;

	sidecar_link_ended(sup);
	link->source.ready = link_ready;
	link->source.class = CLASS_FACT;
	link->silence.expired = silence_expired;
	if (loop_add(&sup->loop, &link->source, fd, EPOLLIN) < 0) {
		close(fd);
		return false;
	}
	link->blocked = false;
	link->external = external;
	addresses_renew(sup);
	/* the new sidecar knows nothing: everything that is active has to be said again */
	for (uint32_t i = 0; i < sup->numbers; i++)
		if (sup->by_number[i])
			sup->by_number[i]->announced = !sup->by_number[i]->active;
	return true;
}

bool sidecar_link_prepare(struct supervisor *sup)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		return false;
	if (!open_channel(sup, ends[0], false)) {
		close(ends[1]);
		return false;
	}
	sup->link.child_end = ends[1];
	return true;
}

void sidecar_link_adopt(struct supervisor *sup, int fd)
{
	if (!open_channel(sup, fd, true))
		return;
	heard(sup);
	sidecar_link_update(sup);
}

void sidecar_link_started(struct supervisor *sup)
{
	close(sup->link.child_end);
	sup->link.child_end = -1;
	heard(sup);
	sidecar_link_update(sup);
}

void sidecar_link_ended(struct supervisor *sup)
{
	struct sidecar_link *link = &sup->link;

	loop_disarm(&sup->loop, &link->silence);
	loop_close(&sup->loop, &link->source);
	if (link->child_end >= 0)
		close(link->child_end);
	link->child_end = -1;
	link->external = false;
}
