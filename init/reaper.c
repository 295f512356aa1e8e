/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "clock.h"
#include "demand.h"
#include "fault.h"
#include "log.h"
#include "sig.h"
#include "signals.h"
#include "supervisor.h"

#define REAP_RETRY_MS 50

/* systemd and lxc ask a container to stop with this one, its STOPSIGNAL */
#define SIGNAL_HALT (SIG_FIRST_RT + 3)

/* ---- reaping ---- */

/*
 * Takes one ended child. A probe's group dies with its leader, and has to be told before the
 * leader is waited for: until then its number cannot be anybody else's. Returns the pid, 0 when no
 * child has ended, -1 with errno.
 */
static pid_t take_one(struct supervisor *sup, int *status)
{
	siginfo_t info = {0};

	if (!sup->children.probes)
		return waitpid(-1, status, WNOHANG);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		return -1;
	if (!info.si_pid)
		return 0;
	if (children_find(&sup->children, info.si_pid).kind == CHILD_PROBE)
		kill(-info.si_pid, SIGKILL);
	return waitpid(info.si_pid, status, WNOHANG);
}

static void reap(struct supervisor *sup)
{
	int status;
	bool none;
	pid_t pid;

	while ((pid = take_one(sup, &status)) > 0)
		supervisor_child_ended(sup, pid, status);
	none = pid < 0 && errno == ECHILD && !sup->children.used;
	if (none && sup->stage == STAGE_SWEEP)
		sup->stage = STAGE_DONE;
	sup->sweep_check |= none;
	/* a wait that fails, or says there is none where there is one, must not lose any: look
	 * again */
	if ((supervisor_check_sweeps(sup) || !none) && pid < 0)
		loop_arm(&sup->loop, &sup->reap_timer, sup->loop.now + msec(REAP_RETRY_MS));
}

static void reap_again(struct loop *loop, struct loop_timer *timer)
{
	(void)timer;
	reap(supervisor_of(loop));
	supervisor_send_owed(supervisor_of(loop));
}

/* ---- signals ---- */

static void dump_state(struct supervisor *sup)
{
	log_info("state: phase %s, %u services, %u not ready, %u starting", phase_name(sup->phase),
		 sup->count, sup->unready, sup->starting);
	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];
		struct status_record record;

		if (status_read_record(&sup->page, i, &record) < 0)
			continue;
		log_info("state: %s: %s, pid %d, starts %u, restarts %u, last exit %d%s%s",
			 service->config->name, machine_phase_name(service->phase),
			 (int)service->pid, record.starts, record.restarts, record.last_exit,
			 record.reason[0] ? ": " : "", record.reason);
	}
}

static void reload(struct supervisor *sup)
{
	static char text[4096];
	bool ok = plan_reload(sup, text, sizeof(text));

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		if (ok)
			log_info("reload: %s", line);
		else
			log_error("reload: %s", line);
	}
}

static void on_stop_signal(struct supervisor *sup, int signal)
{
	char name[12], why[64];

	if (sup->requested) {
		stop_immediately(sup);
		return;
	}
	sup->requested = true;
	snprintf(why, sizeof(why), "signal %s", sig_name(signal, name, sizeof(name)));
	stop_begin(sup, 0, why);
}

static void on_signal(struct supervisor *sup, int signal, int fd)
{
	switch (signal) {
	case SIGIO:
		demand_signal(sup, -1);
		break;
	case DEMAND_SIGNAL:
		demand_signal(sup, fd);
		break;
	case SIGCHLD:
		reap(sup);
		break;
	case SIGTERM:
	case SIGINT:
	case SIGNAL_HALT:
		on_stop_signal(sup, signal);
		break;
	case SIGHUP:
		reload(sup);
		break;
	case SIGUSR1:
		dump_state(sup);
		break;
	default:
		log_debug("signal %d is ignored", signal);
		break;
	}
}

static void signals_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct signalfd_siginfo info[16];
	ssize_t n = read(source->fd, info, sizeof(info));

	(void)events;
	loop->failed |= n < 0;
	for (ssize_t i = 0; i < n / (ssize_t)sizeof(info[0]); i++)
		on_signal(supervisor_of(loop), (int)info[i].ssi_signo, info[i].ssi_fd);
}

/* All signals wait in a descriptor; faults stay as they are. What init inherited as ignored it must
 * not hand on: services start with defaults. */
int reaper_open(struct supervisor *sup)
{
	sigword mask;
	sigset_t set = {0};
	int fd, rc;

	for (int signal = 1; signal <= SIGNAL_MAX; signal++)
		signals_set_default(signal);
	mask = ~fault_catch(false);
	rc = signals_set_mask(mask, NULL);
	if (rc < 0)
		return rc;
	memcpy(&set, &mask, sizeof(mask));
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return -errno;
	sup->reap_timer.expired = reap_again;
	sup->signals.ready = signals_ready;
	sup->signals.class = CLASS_CHILD;
	return loop_add(&sup->loop, &sup->signals, fd, EPOLLIN);
}
