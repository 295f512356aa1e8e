/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "landlock.h"
#include "log.h"
#include "logwriter.h"
#include "notify.h"
#include "probe_link.h"
#include "probes.h"
#include "sidecar_link.h"
#include "sidecar_ports.h"
#include "sockets.h"
#include "spawn.h"
#include "supervisor.h"

/* 0, 1 and 2, the readiness and link descriptors, the sockets, and what is stored. */
#define FDS_MAX    (4 + PROBES_MAX + SOCKETS_MAX + FDSTORE_MAX)
#define PATH_SHOWN 32 /* of a program, in a reason */

/* What says whose a process is comes first: /proc/PID/environ is read no further (leftovers.c). */
static void put_name_first(char **envp)
{
	for (char **at = envp; *at; at++) {
		char *name = *at;

		if (strncmp(name, "MUSTER_SERVICE=", 15) != 0)
			continue;
		*at = *envp;
		*envp = name;
		return;
	}
}

_Static_assert(FDS_MAX <= SPAWN_FDS_MAX, "descriptors of a service");
_Static_assert(SIDECAR_PORTS_MAX <= SOCKETS_MAX, "ports of the sidecar");

/* Their values are written by the child: only that knows its pid in time. */
#define LISTEN_PID   "LISTEN_PID="
#define WATCHDOG_PID "WATCHDOG_PID="
static char listen_pid[sizeof(LISTEN_PID) + SPAWN_PID_SIZE] = LISTEN_PID;
static char watchdog_pid[sizeof(WATCHDOG_PID) + SPAWN_PID_SIZE] = WATCHDOG_PID;

/* LISTEN_FDS and LISTEN_FDNAMES of the start that is under way, where there is more to pass than
 * the configuration knows of. */
#define LISTEN_FDNAMES "LISTEN_FDNAMES"
static char listen_number[24];
static char listen_names[(SOCKETS_MAX + FDSTORE_MAX) * (NOTICE_NAME_MAX + 1) + 16];

static bool has_stored(const struct service *service)
{
	return service->notify && service->notify->store.count;
}

static bool has_sockets(const struct service *service, enum child_kind kind)
{
	return kind == CHILD_MAIN && (service->config->listen_count || has_stored(service));
}

static bool has_watchdog(const struct service *service, enum child_kind kind)
{
	return kind == CHILD_MAIN && service->config->policy->watchdog;
}

/* Those behind the sockets, and what the variables say of all. */
static unsigned stored_fds(const struct service *service, struct spawn_fd *fds)
{
	const struct service_config *config = service->config;
	unsigned count;

	if (!has_stored(service))
		return 0;
	snprintf(listen_names, sizeof(listen_names), "%s",
		 config->listen_count ? config->listen_names : LISTEN_FDNAMES);
	count = fdstore_list(&service->notify->store, fds, LISTEN_FIRST_FD + config->listen_count,
			     listen_names, sizeof(listen_names));
	listen_names[sizeof(LISTEN_FDNAMES) - 1] = '='; /* or the colon before the first name */
	snprintf(listen_number, sizeof(listen_number), "LISTEN_FDS=%u",
		 config->listen_count + count);
	return count;
}

/* The environment of a program of the service, in supervisor.envp, which has room for all of it and
 * ENVP_EXTRA more. */
static char *const *environment_of(struct supervisor *sup, const struct service *service,
				   enum child_kind kind)
{
	size_t count = config_environment(sup->config, service->config, sup->environment, sup->envp,
					  sup->envp_size - ENVP_EXTRA);

	count--; /* the NULL */
	if (service->notify)
		sup->envp[count++] = service->notify->variable;
	if (service->config->internal)
		sup->envp[count++] = (char *)(uintptr_t)LINK_VARIABLE "=3";
	if (has_watchdog(service, kind)) {
		sup->envp[count++] = service->notify->watchdog_variable;
		sup->envp[count++] = watchdog_pid;
	}
	if (has_sockets(service, kind)) {
		bool more = has_stored(service);

		sup->envp[count++] =
			more ? listen_number : (char *)(uintptr_t)service->config->listen_number;
		sup->envp[count++] =
			more ? listen_names : (char *)(uintptr_t)service->config->listen_names;
		sup->envp[count++] = listen_pid;
	}
	sup->envp[count] = NULL;
	put_name_first(sup->envp);
	return sup->envp;
}

/* ---- descriptors ---- */

static unsigned output_fds(const struct supervisor *sup, const struct service *service,
			   struct spawn_fd *fds)
{
	unsigned count = 0;
	uint8_t log = service->config->policy->log;

	fds[count++] = (struct spawn_fd){sup->null_fd, STDIN_FILENO};
	for (int i = 0; i < 2 && log != LOG_INHERIT; i++) {
		int source = service->streams ? service->streams[i].write_end : sup->null_fd;

		if (log == LOG_FILE)
			source = service->logger->write_end;
		fds[count++] = (struct spawn_fd){source, STDOUT_FILENO + i};
	}
	return count;
}

static unsigned extra_fds(const struct supervisor *sup, const struct service *service,
			  struct spawn_fd *fds)
{
	unsigned count = 0;

	for (const struct probe_run *run = service->probes[ROLE_READINESS]; run; run = run->next)
		if (run->config->kind == PROBE_FD)
			fds[count++] = (struct spawn_fd){run->write_end, run->config->fd};
	if (service->config->internal)
		fds[count++] = (struct spawn_fd){sup->link.child_end, 3};
	for (unsigned i = 0; i < service->config->listen_count; i++)
		fds[count++] = (struct spawn_fd){
			sup->config->sockets[service->config->listen_first + i].listener.fd,
			LISTEN_FIRST_FD + (int)i};
	return count + stored_fds(service, fds + count);
}

/* ---- processes ---- */

static bool prepare(struct supervisor *sup, struct service *service)
{
	if (!children_has_room(&sup->children)) {
		errno = EAGAIN;
		return false;
	}
	return stream_open(sup, service) && logger_open(sup, service) && notify_open(sup, service);
}

static struct spawn_request request_for(struct supervisor *sup, const struct service *service,
					enum child_kind kind, char *const *argv,
					const struct spawn_fd *fds, unsigned count)
{
	return (struct spawn_request){
		.argv = argv,
		.envp = environment_of(sup, service, kind),
		.identity = service->config->policy->identity,
		.filter = service->filter,
		.fds = fds,
		.fd_count = count,
		.new_session = true,
		.foreground_tty = -1,
		.nofile = sup->nofile_differs ? &sup->nofile : NULL,
		.die_with_parent = !sup->pid1,
		.keep_signals = true, /* all are at their defaults in init itself */
		.pid_text = {has_sockets(service, kind) ? listen_pid + strlen(LISTEN_PID) : NULL,
			     has_watchdog(service, kind) ? watchdog_pid + strlen(WATCHDOG_PID)
							 : NULL},
	};
}

/* Both: the pid, or -1 with *error. */
static pid_t spawn_in_cgroup(struct supervisor *sup, struct service *service,
			     struct spawn_request *request, struct spawn_error *error)
{
	pid_t pid;

	request->cgroup = cgroups_enter(sup, service);
	pid = spawn(request, error);
	if (request->cgroup >= 0)
		close(request->cgroup);
	return pid;
}

static pid_t start(struct supervisor *sup, struct service *service, struct spawn_request *request,
		   struct spawn_fd *fds, struct spawn_error *error)
{
	unsigned first = request->fd_count;
	pid_t pid;

	if (service->config->internal)
		request->fd_count += sidecar_open_ports(sup->config, fds + first);
	pid = spawn_in_cgroup(sup, service, request, error);
	while (request->fd_count > first)
		close(fds[--request->fd_count].source);
	return pid;
}

static void close_write_ends(struct probe_run *run)
{
	for (; run; run = run->next) {
		if (run->write_end >= 0)
			close(run->write_end);
		run->write_end = -1;
	}
}

static void started(struct supervisor *sup, struct service *service, pid_t pid)
{
	struct status_record *record;

	service->pid = service->session = pid;
	service->launched = service->computing = true;
	service->killed = service->stuck = service->aborting = false;
	notify_started(sup, service);
	children_add(&sup->children, pid, CHILD_MAIN, service->slot, 0);
	record = status_record_begin(&sup->page, service->index);
	record->pid = pid;
	record->starts++;
	record->failures = 0;
	status_record_end(&sup->page, service->index);
}

/* What went wrong, in the words of wrap mode; of a long path only the end, so that it fits. */
static void describe_failure(const struct service *service, char *text, size_t size,
			     const char *path, const struct spawn_error *error)
{
	const char *name = path;
	const char *why = error->error ? strerror(error->error) : "not as asked";
	const char *step = error->step == STEP_EXEC ? "" : spawn_step_name(error->step);
	const char *base = strrchr(name, '/');

	if (error->step == STEP_EXEC && error->error == ENOENT && base && access(path, F_OK) == 0)
		step = "its interpreter or loader";
	if (base && base[1] && (*step || strlen(name) > PATH_SHOWN))
		name = base + 1;
	if (error->step == STEP_LANDLOCK && landlock_culprit())
		snprintf(text, size, "cannot start %s: landlock: %s: %s", name, landlock_culprit(),
			 why);
	else
		snprintf(text, size, "cannot start %s: %s%s%s", name, step, *step ? ": " : "", why);
	if (name != path && error->step == STEP_EXEC)
		log_warning("%s: cannot start %s: %s%s%s", service->config->name, path, step,
			    *step ? ": " : "", why);
}

static bool has_run(const struct supervisor *sup, const struct service *service)
{
	struct status_record record;

	return status_read_record(&sup->page, service->index, &record) == 0 && record.starts > 0;
}

bool launch_main(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;
	struct spawn_error error = {STEP_DESCRIPTORS, 0};
	struct spawn_fd fds[FDS_MAX];
	struct spawn_request request;
	char text[STATUS_REASON_SIZE];
	pid_t pid = -1;
	unsigned count;

	if (prepare(sup, service) && sockets_prepare(sup, service) &&
	    probes_prepare(sup, service) && (!config->internal || sidecar_link_prepare(sup))) {
		count = output_fds(sup, service, fds);
		count += extra_fds(sup, service, fds + count);
		request = request_for(sup, service, CHILD_MAIN, config->argv, fds, count);
		pid = start(sup, service, &request, fds, &error);
	} else {
		error.error = errno;
	}
	close_write_ends(service->probes[ROLE_READINESS]);
	if (pid < 0) {
		service->exit_code = spawn_exit_code(&error);
		service->retry_helps = spawn_retry_helps(&error, has_run(sup, service));
		describe_failure(service, text, sizeof(text), config->argv[0], &error);
		supervisor_reason(sup, service, "%s", text);
		return false;
	}
	started(sup, service, pid);
	if (config->internal)
		sidecar_link_started(sup);
	return true;
}

/* A probe reports it as its result; the end of a service keeps its own code and reason. */
static void helper_failed(struct supervisor *sup, struct service *service, const char *name,
			  enum child_kind kind, const struct spawn_error *error)
{
	char text[STATUS_REASON_SIZE];

	service->retry_helps = spawn_retry_helps(error, has_run(sup, service));
	if (kind == CHILD_PROBE)
		return;
	describe_failure(service, text, sizeof(text), name, error);
	if (service->phase != PH_PRE_START) {
		log_warning("%s: %s", service->config->name, text);
		return;
	}
	service->exit_code = spawn_exit_code(error);
	supervisor_reason(sup, service, "%s", text);
}

pid_t launch_helper(struct supervisor *sup, struct service *service, char *const *argv,
		    enum child_kind kind, uint8_t extra)
{
	struct spawn_error error = {STEP_DESCRIPTORS, 0};
	struct spawn_fd fds[FDS_MAX];
	struct spawn_request request;
	pid_t pid = -1;
	unsigned count;

	if (prepare(sup, service)) {
		count = output_fds(sup, service, fds);
		if (kind == CHILD_PROBE) { /* a probe every few seconds would fill the log */
			fds[1] = (struct spawn_fd){sup->null_fd, STDOUT_FILENO};
			fds[2] = (struct spawn_fd){sup->null_fd, STDERR_FILENO};
			count = 3;
		}
		request = request_for(sup, service, kind, argv, fds, count);
		pid = spawn_in_cgroup(sup, service, &request, &error);
	} else {
		error.error = errno;
	}
	if (pid > 0)
		children_add(&sup->children, pid, kind, service->slot, extra);
	else
		helper_failed(sup, service, argv[0], kind, &error);
	return pid;
}
