/* SPDX-License-Identifier: MIT */
#include "supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cgroup_root.h"
#include "clock.h"
#include "config.h"
#include "cores.h"
#include "fault.h"
#include "fd.h"
#include "filters.h"
#include "guard.h"
#include "learned.h"
#include "log.h"
#include "logwriter.h"
#include "memory.h"
#include "notify.h"
#include "outer.h"
#include "plan.h"
#include "progress.h"
#include "rundir.h"
#include "sidecar_config.h"
#include "sockets.h"

#define EXIT_CONFIG 78

/* Above this a soft limit of descriptors is taken for "no limit at all", and services get what
 * programs expect that loop over all of them. */
#define NOFILE_HUGE    524288
#define NOFILE_DEFAULT 1024

extern char **environ;

static struct supervisor supervisor;

/* ---- surroundings ---- */

static void leave_run_dir(struct supervisor *sup, int error)
{
	rundir_say_unusable(sup->run_dir, error);
	close(sup->run_fd);
	sup->run_fd = -1;
}

/* Init's environment for its services: less what an outer manager meant for init itself. */
static char **service_environment(void)
{
	static const char *const own[] = {"NOTIFY_SOCKET=",  "LISTEN_PID=",    "LISTEN_FDS=",
					  "LISTEN_FDNAMES=", "WATCHDOG_USEC=", "WATCHDOG_PID="};
	size_t count = 0, kept = 0;
	char **list;

	while (environ[count])
		count++;
	list = calloc(count + 1, sizeof(*list));
	for (size_t i = 0; list && i < count; i++) {
		bool mine = false;

		for (unsigned n = 0; n < sizeof(own) / sizeof(own[0]); n++)
			mine |= strncmp(environ[i], own[n], strlen(own[n])) == 0;
		if (!mine)
			list[kept++] = environ[i];
	}
	return list;
}

/* What services get, whatever init takes for itself. */
static void note_descriptors(struct supervisor *sup)
{
	getrlimit(RLIMIT_NOFILE, &sup->nofile);
	if (sup->nofile.rlim_cur > NOFILE_HUGE)
		sup->nofile.rlim_cur = NOFILE_DEFAULT;
}

/* ---- beginning and end ---- */

static int find_sidecar(struct supervisor *sup, const struct config *config)
{
	const char *problem;

	if (!config->sidecar.present || config->sidecar.external)
		return 0;
	problem = sidecar_user_problem(config);
	if (problem) {
		log_error("%s", problem);
		return -ENOENT;
	}
	sup->sidecar_program = sidecar_find_program(config);
	if (sup->sidecar_program)
		return 0;
	log_error("network probes and [sidecar] need the program %s, which is neither beside "
		  "muster-init nor in /usr/local/bin, /usr/bin, /usr/sbin, /bin or /sbin",
		  config->sidecar.program ? config->sidecar.program : SIDECAR_NAME);
	return -ENOENT;
}

/* The sockets of the configuration; what cannot be opened is said. */
static bool open_sockets(struct supervisor *sup, struct config *config)
{
	char text[SOCKETS_TEXT_SIZE];

	plan_raise_descriptors(sup, config);
	if (sockets_open_all(config, NULL, NULL, text))
		return true;
	log_error("%s", text);
	output_flush(sup);
	return false;
}

/* 0, -errno, or the exit code where the reason has been said. */
static int open_all(struct supervisor *sup, struct config *config)
{
	const char *run_dir = getenv("MUSTER_RUN_DIR");
	int rc;

	sup->boot = clock_monotonic();
	sup->random = sup->boot ^ (uint64_t)getpid() << 32;
	sup->exit_code = -1;
	sup->pid1 = getpid() == 1;
	if (!sup->pid1 && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		log_warning("cannot adopt orphans: %s", strerror(errno));
	fd_close_from(3); /* nothing there was meant for us */
	sup->null_fd = fd_open_null();
	sup->link.source.fd = sup->link.child_end = -1;
	sup->environment = service_environment();
	rc = loop_open(&sup->loop);
	if (rc < 0 || !sup->environment)
		return rc < 0 ? rc : -ENOMEM;
	rc = reaper_open(sup);
	if (rc < 0)
		return rc;
	output_open(sup);
	logger_reports_open(sup);
	sup->run_dir = run_dir && *run_dir ? run_dir : RUN_DIR_DEFAULT;
	sup->run_fd = rundir_open(sup->run_dir);
	note_descriptors(sup);
	cgroup_root_open(sup);
	sup->admission.cores = cores_count(sup->cgroups.root);
	if (!open_sockets(sup, config))
		return EXIT_CONFIG;
	learned_open(sup, config);
	rc = plan_create(sup, config);
	if (rc < 0 && sup->run_fd >= 0) { /* a full file system is no reason not to run */
		leave_run_dir(sup, -rc);
		rc = plan_create(sup, config);
	}
	if (rc < 0)
		return rc;
	control_open(sup);
	return 0;
}

static void start_all(struct supervisor *sup)
{
	sup->stop_timer.expired = stop_timer_expired;
	sup->start_timer.expired = schedule_start_timeout;
	if (sup->config->start_timeout)
		loop_arm(&sup->loop, &sup->start_timer,
			 sup->loop.now + msec(sup->config->start_timeout));
	/* all are wanted before any is looked at, so that nobody counts as ready too early */
	for (uint32_t i = 0; i < sup->count; i++)
		sup->services[i]->wanted = sup->services[i]->config->start == START_AUTO;
	for (uint32_t i = sup->count; i-- > 0;)
		if (sup->services[i]->wanted)
			schedule_want(sup, sup->services[i]);
		else
			schedule_changed(sup, sup->services[i]); /* it may wait for somebody */
}

/* The last word: why, with which code, how many orphans there were, and who had to be killed. */
static void report_end(struct supervisor *sup)
{
	struct status_header header = {0};
	char more[32] = "";

	status_read_header(&sup->page, &header);
	if (sup->kills > sup->kills_named)
		snprintf(more, sizeof(more), " and %u more", sup->kills - sup->kills_named);
	if (sup->kills > 0)
		log_warning("ended: %s; exit code %d; %llu orphans reaped; %u had to be killed: "
			    "%s%s",
			    sup->why, sup->exit_code, (unsigned long long)header.reaped, sup->kills,
			    sup->killed, more);
	else
		log_info("ended: %s; exit code %d; %llu orphans reaped; none had to be killed",
			 sup->why, sup->exit_code, (unsigned long long)header.reaped);
}

/* On a requested shutdown the code is 0, unless a service was named whose code counts. */
static int final_code(const struct supervisor *sup)
{
	int index = sup->config->exit_code_from;

	if (sup->requested && index >= 0 && sup->services[index]->exit_code >= 0)
		return sup->services[index]->exit_code;
	return sup->exit_code < 0 ? 0 : sup->exit_code;
}

static void close_all(struct supervisor *sup)
{
	sup->exit_code = final_code(sup);
	report_end(sup);
	hosts_restore(sup);
	control_close(sup);
	if (sup->run_fd >= 0)
		unlinkat(sup->run_fd, STATUS_FILE, 0);
	output_drain(sup, 500);
	log_set_sink(NULL);
	cgroup_root_close(sup);
	plan_destroy(sup);
	free(sup->environment);
}

static bool make_filters(struct config *config)
{
	char text[FILTERS_TEXT_SIZE];

	if (filters_make_all(config, FILTERS_AT_START, text))
		return true;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		log_error("%s", line);
	return false;
}

int supervise_main(const struct supervise_options *options)
{
	struct supervisor *sup = &supervisor;
	int rc;

	sup->source = options->source;
	if (find_sidecar(sup, options->config) < 0 || !make_filters(options->config)) {
		config_free(options->config);
		return EXIT_CONFIG;
	}
	rc = open_all(sup, options->config);
	if (rc > 0)
		return rc;
	if (rc < 0) {
		log_error("cannot start: %s", strerror(-rc));
		output_flush(sup);
		return EXIT_INTERNAL;
	}
	outer_open(sup);
	progress_open(sup);
	log_info("%u services", sup->config->count);
	hosts_changed(sup);
	cgroup_root_follow(sup);
	guard_begin(sup);
	start_all(sup);
	/* from here on init does not exit on an error of its own: a failure becomes a state and a
	 * delay */
	while (sup->stage != STAGE_DONE) {
		reload_run(sup);
		schedule_run(sup);
		stop_run(sup);
		control_flush(sup);
		hosts_run(sup);
		progress_draw(sup);
		output_flush(sup);
		if (sup->has_started) /* the last to be done: what is touched now stays */
			memory_give_back_code();
		sup->has_started = false;
		if (sup->stage != STAGE_DONE)
			loop_turn(&sup->loop);
	}
	close_all(sup);
	return sup->exit_code;
}
