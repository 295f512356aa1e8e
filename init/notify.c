/* SPDX-License-Identifier: MIT */
#include "notify.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "datagram.h"
#include "leftovers.h"
#include "log.h"
#include "notice.h"
#include "probes.h"
#include "str.h"
#include "supervisor.h"

#define ASSIGNMENT     "NOTIFY_SOCKET="
#define ERRNO_KNOWN    133 /* up to here errno has names */
#define MICROSECOND    UINT64_C(1000)
#define PACKETS_A_TURN 16

_Static_assert(DATAGRAM_FDS == FDSTORE_MAX + 1, "one more than a service may store");

/* struct notify_run.told */
enum complaint { ABOUT_SENDER = 1, ABOUT_TEXT = 2, ABOUT_PID = 4, ABOUT_STORE = 8 };

/* Once a start: who floods the socket must not flood the log. */
static bool may_complain(struct notify_run *run, enum complaint about)
{
	bool first = !(run->told & about);

	run->told |= (uint8_t)about;
	return first;
}

/* ---- its state ---- */

static bool is_up(const struct service *service)
{
	return service->phase == PH_RUNNING || service->phase == PH_READY ||
	       service->phase == PH_UNHEALTHY;
}

static void take_ready(struct supervisor *sup, struct notify_run *run)
{
	struct service *service = run->service;

	if (run->reloading && is_up(service))
		supervisor_reason(sup, service, "%s", run->status);
	run->reloading = false;
	for (struct probe_run *probe = service->probes[ROLE_READINESS]; probe; probe = probe->next)
		if (probe->config->kind == PROBE_NOTIFY && !probe->passed)
			probe_report(sup, probe, true, NULL);
}

static void take_state(struct supervisor *sup, struct notify_run *run, enum notice_state state)
{
	struct service *service = run->service;

	switch (state) {
	case NOTICE_READY:
		take_ready(sup, run);
		break;
	case NOTICE_RELOADING:
		run->reloading = true;
		if (is_up(service))
			supervisor_reason(sup, service, "reloading");
		break;
	case NOTICE_STOPPING:
		if (is_up(service))
			supervisor_reason(sup, service, "says that it is stopping");
		supervisor_event(sup, service, EV_ENDING);
		break;
	case NOTICE_NONE:
		break;
	}
}

/* Why it is being ended says more than what it says of itself meanwhile. */
static void take_status(struct supervisor *sup, struct notify_run *run, const char *text)
{
	struct service *service = run->service;
	bool failing = service->after != AFTER_INACTIVE && service->after != AFTER_WAITING &&
		       service->after != AFTER_OWN;

	if (!service->pid || (machine_state(service->phase) == STATE_STOPPING && failing))
		return;
	notice_clean(run->status, sizeof(run->status), text);
	supervisor_reason(sup, service, "%s", run->status);
}

static void take_error(struct notify_run *run, const struct notice *notice)
{
	if (notice->error)
		notice_clean(run->error, sizeof(run->error), notice->error);
	if (notice->error_number > 0 && notice->error_number <= ERRNO_KNOWN)
		snprintf(run->error, sizeof(run->error), "%s", strerror((int)notice->error_number));
}

/* ---- time ---- */

static void arm_watchdog(struct supervisor *sup, struct notify_run *run)
{
	bool watched = run->interval && is_up(run->service);

	loop_arm(&sup->loop, &run->watchdog, watched ? sup->loop.now + run->interval : NEVER);
}

static void bark(struct supervisor *sup, struct service *service, const char *why)
{
	if (!is_up(service))
		return;
	supervisor_reason(sup, service, "watchdog: %s", why);
	log_warning("%s: watchdog: %s: ending it by ABRT", service->config->name, why);
	service->aborting = true;
	supervisor_event(sup, service, EV_DEAD);
}

static void watchdog_expired(struct loop *loop, struct loop_timer *timer)
{
	struct notify_run *run = container_of(timer, struct notify_run, watchdog);
	char took[24], why[64];

	snprintf(why, sizeof(why), "no sign of life within %s",
		 format_duration(took, sizeof(took), run->interval));
	bark(supervisor_of(loop), run->service, why);
}

static void extend(struct supervisor *sup, struct loop_timer *timer, uint64_t when)
{
	if (timer->slot && timer->when < when)
		loop_arm(&sup->loop, timer, when);
}

/* More time, from now, for the start or the stop that is under way, or for the next sign of life.
 */
static void take_extension(struct supervisor *sup, struct notify_run *run, uint64_t usec)
{
	uint64_t when = sup->loop.now + usec * MICROSECOND;

	if (run->service->phase != PH_BACKOFF)
		extend(sup, &run->service->timer, when);
	extend(sup, &run->watchdog, when);
}

static void take_watchdog(struct supervisor *sup, struct notify_run *run,
			  const struct notice *notice)
{
	if (notice->watchdog_usec != NOTICE_ABSENT)
		run->interval = notice->watchdog_usec * MICROSECOND;
	if (notice->watchdog_usec != NOTICE_ABSENT || notice->ping)
		arm_watchdog(sup, run);
	if (notice->trigger)
		bark(sup, run->service, "it asked for it");
}

/* ---- its main process ---- */

/* The end of a main process that is no child of ours: how it ended only its parent learns. Of one
 * that is, the reaper tells. */
static void main_gone(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct supervisor *sup = supervisor_of(loop);
	struct service *service = container_of(source, struct notify_run, main)->service;
	siginfo_t info = {0};

	(void)events;
	if (waitid(P_PID, (id_t)service->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
		loop_close(loop, source);
	else
		supervisor_main_lost(sup, service);
}

static void watch_main(struct supervisor *sup, struct notify_run *run, pid_t pid, int fd)
{
	struct service *service = run->service;
	struct status_record *record;

	loop_close(&sup->loop, &run->main);
	run->main.ready = main_gone;
	run->main.class = CLASS_CHILD;
	if (loop_add(&sup->loop, &run->main, fd, EPOLLIN) < 0) {
		close(fd);
		return;
	}
	children_take(&sup->children, service->pid); /* from now on it is what a service leaves */
	children_add(&sup->children, pid, CHILD_MAIN, service->slot, 0);
	log_debug("%s: main process is now %d, not %d", service->config->name, (int)pid,
		  (int)service->pid);
	service->pid = pid;
	record = status_record_begin(&sup->page, service->index);
	record->pid = pid;
	status_record_end(&sup->page, service->index);
}

static void take_main(struct supervisor *sup, struct notify_run *run, uint64_t number)
{
	struct service *service = run->service;
	pid_t pid = (pid_t)number;
	int fd;

	if (pid == service->pid || !service->pid || machine_state(service->phase) == STATE_STOPPING)
		return;
	fd = pid > 1 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
	/* that it can still be signalled means that it was the one who was looked at */
	if (fd >= 0 && children_has_room(&sup->children) && leftovers_owns(sup, service, pid) &&
	    syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0) {
		watch_main(sup, run, pid, fd);
		return;
	}
	if (fd >= 0)
		close(fd);
	if (may_complain(run, ABOUT_PID))
		log_warning("%s: MAINPID=%d is no process of its own and is ignored",
			    service->config->name, (int)pid);
}

int notify_signal(const struct service *service, int signal)
{
	if (service->notify && service->notify->main.fd >= 0)
		return (int)syscall(SYS_pidfd_send_signal, service->notify->main.fd, signal, NULL,
				    0);
	return kill(service->pid, signal);
}

/* ---- one datagram ---- */

/* Its main process or one of its session. A sender that is gone can no longer be asked about: it
 * came by the service's own socket, and its user has to be the service's. */
static bool sender_is_its_own(const struct service *service, const struct datagram *packet)
{
	const struct identity_config *identity = service->config->policy->identity;
	pid_t session;

	if (packet->pid <= 0)
		return false;
	if (packet->pid == service->pid || packet->pid == service->hook)
		return true;
	session = getsid(packet->pid);
	if (session < 0)
		return errno == ESRCH &&
		       packet->uid == (identity->change_user ? identity->uid : geteuid());
	return session == service->session || (service->pid > 1 && session == getsid(service->pid));
}

/* Its number may be one that a stored descriptor would get. */
static bool has_fd_probe(const struct service *service)
{
	for (const struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next)
		if (run->config->kind == PROBE_FD)
			return true;
	return false;
}

static void take_fds(struct supervisor *sup, struct notify_run *run, const struct notice *notice,
		     struct datagram *packet)
{
	bool ok = true;

	if (notice->store && !has_fd_probe(run->service)) {
		for (unsigned i = 0; i < packet->fd_count; i++)
			ok = fdstore_add(sup, &run->store, packet->fds[i], notice) && ok;
		packet->fd_count = 0;
	} else if (notice->remove && notice->fd_name) {
		fdstore_remove(sup, &run->store, notice->fd_name);
	}
	if (!ok && may_complain(run, ABOUT_STORE))
		log_warning("%s: at most %d descriptors can be stored: the others are closed",
			    run->service->config->name, FDSTORE_MAX);
}

static void take_notice(struct supervisor *sup, struct notify_run *run, const struct notice *notice)
{
	if (notice->main_pid != NOTICE_ABSENT)
		take_main(sup, run, notice->main_pid);
	take_error(run, notice);
	take_state(sup, run, (enum notice_state)notice->state);
	if (notice->status)
		take_status(sup, run, notice->status);
	if (notice->extend_usec != NOTICE_ABSENT)
		take_extension(sup, run, notice->extend_usec);
	take_watchdog(sup, run, notice);
}

static void take_packet(struct supervisor *sup, struct notify_run *run, char *text, size_t size,
			struct datagram *packet)
{
	const char *name = run->service->config->name;
	struct notice notice;

	if (!sender_is_its_own(run->service, packet)) {
		if (may_complain(run, ABOUT_SENDER))
			log_warning("%s: a notification from process %d, which is not its own, is "
				    "ignored",
				    name, (int)packet->pid);
	} else if (size > NOTICE_MAX || !notice_read(text, size, &notice)) {
		if (may_complain(run, ABOUT_TEXT))
			log_warning("%s: a notification that is no text of at most %d bytes is "
				    "ignored",
				    name, NOTICE_MAX);
	} else {
		take_fds(sup, run, &notice, packet);
		take_notice(sup, run, &notice);
	}
}

static void notify_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct notify_run *run = container_of(source, struct notify_run, source);
	char text[NOTICE_MAX + 1];
	struct datagram packet;

	(void)events;
	/* a bounded number a turn: what comes without end must not keep init busy with it */
	for (unsigned i = 0; i < PACKETS_A_TURN && source->fd >= 0; i++) {
		ssize_t n = datagram_receive(source->fd, text, NOTICE_MAX, &packet);

		loop->failed |= n < 0 && i == 0;
		if (n < 0)
			break;
		take_packet(supervisor_of(loop), run, text, (size_t)n, &packet);
		/* those that nobody asked for; and closing is how a barrier is answered, when all
		 * that was sent before has been taken */
		for (unsigned k = 0; k < packet.fd_count; k++)
			close(packet.fds[k]);
	}
}

/* ---- with the life of the service ---- */

void notify_started(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;

	if (!run)
		return;
	loop_close(&sup->loop, &run->main);
	run->told = 0;
	run->reloading = false;
	run->status[0] = run->error[0] = '\0';
	run->interval = msec(service->config->policy->watchdog);
	run->watchdog.expired = watchdog_expired;
}

void notify_ended(struct supervisor *sup, struct service *service)
{
	if (service->notify)
		loop_close(&sup->loop, &service->notify->main);
}

void notify_watch(struct supervisor *sup, struct service *service)
{
	if (service->notify && !service->notify->watchdog.slot)
		arm_watchdog(sup, service->notify);
}

void notify_unwatch(struct supervisor *sup, struct service *service)
{
	if (service->notify)
		loop_disarm(&sup->loop, &service->notify->watchdog);
}

/* ---- the sockets ---- */

bool notify_open(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;
	int fd;

	if (!run || run->source.fd >= 0)
		return true;
	memcpy(run->variable, ASSIGNMENT, sizeof(ASSIGNMENT));
	fd = datagram_open(sup->run_fd >= 0 ? sup->run_dir : NULL, sup->boot,
			   service->config->policy->identity,
			   run->variable + sizeof(ASSIGNMENT) - 1);
	if (fd < 0)
		return false;
	run->source.ready = notify_ready;
	run->source.class = CLASS_FACT;
	if (loop_add(&sup->loop, &run->source, fd, EPOLLIN) < 0) {
		close(fd);
		return false;
	}
	if (service->config->policy->watchdog)
		snprintf(run->watchdog_variable, sizeof(run->watchdog_variable),
			 "WATCHDOG_USEC=%llu", service->config->policy->watchdog * 1000ULL);
	return true;
}

void notify_close(struct supervisor *sup, struct service *service)
{
	struct notify_run *run = service->notify;

	if (!run)
		return;
	fdstore_clear(sup, &run->store);
	loop_close(&sup->loop, &run->main);
	loop_disarm(&sup->loop, &run->watchdog);
	if (run->source.fd < 0)
		return;
	loop_close(&sup->loop, &run->source);
	if (run->variable[sizeof(ASSIGNMENT) - 1] == '/')
		unlink(run->variable + sizeof(ASSIGNMENT) - 1);
}
