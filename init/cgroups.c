/* SPDX-License-Identifier: MIT */
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_files.h"
#include "fd.h"
#include "log.h"
#include "str.h"
#include "supervisor.h"

#define PREFIX    "service."
#define PATH_SIZE 160

const struct cgroup_limit cgroup_limits[LIMIT_COUNT] = {
	{"memory_max", "memory.max", "memory"},
	{"cpu_max", "cpu.max", "cpu"},
	{"pids_max", "pids.max", "pids"},
};

uint64_t cgroups_value(const struct service *service, unsigned limit)
{
	const struct cgroup_config *config = service->config->policy->cgroup;

	if (!config)
		return 0;
	return limit == LIMIT_MEMORY ? config->memory_max
	       : limit == LIMIT_CPU  ? config->cpu_max
				     : config->pids_max;
}

static const char *path_of(const struct service *service, const char *file, char *path, size_t size)
{
	snprintf(path, size, PREFIX "%s%s%s", service->config->name, *file ? "/" : "", file);
	return path;
}

/* ---- with the life of a service ---- */

static bool is_limited(const struct supervisor *sup, const struct service *service)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (cgroups_value(service, i) && !(sup->cgroups.missing & 1U << i))
			return true;
	return false;
}

static struct cgroup_events read_events(const struct supervisor *sup, const struct service *service)
{
	char path[PATH_SIZE], text[512];

	fd_read_at(sup->cgroups.root, path_of(service, "memory.events", path, sizeof(path)), text,
		   sizeof(text));
	return (struct cgroup_events){cgroup_number(text, "oom"), cgroup_number(text, "oom_kill")};
}

/* 0 or -errno. */
static int set_limit(const struct supervisor *sup, const struct service *service, unsigned limit)
{
	unsigned long long value = cgroups_value(service, limit);
	char path[PATH_SIZE], text[48];

	if (!value || sup->cgroups.missing & 1U << limit)
		return 0;
	if (limit == LIMIT_CPU)
		snprintf(text, sizeof(text), "%llu %d", value, CPU_PERIOD);
	else
		snprintf(text, sizeof(text), "%llu", value);
	return cgroup_write(sup->cgroups.root,
			    path_of(service, cgroup_limits[limit].file, path, sizeof(path)), text);
}

int cgroups_enter(struct supervisor *sup, struct service *service)
{
	char path[PATH_SIZE];
	int rc = 0, fd;

	if (!is_limited(sup, service))
		return -1;
	if (mkdirat(sup->cgroups.root, path_of(service, "", path, sizeof(path)), 0755) < 0 &&
	    errno != EEXIST)
		rc = -errno;
	for (unsigned i = 0; !rc && !service->in_cgroup && i < LIMIT_COUNT; i++) {
		rc = set_limit(sup, service, i);
		if (rc)
			log_warning("%s: cannot set %s: %s", service->config->name,
				    cgroup_limits[i].key, strerror(-rc));
	}
	if (!service->in_cgroup)
		service->cgroup_events = read_events(sup, service);
	service->in_cgroup = true;
	fd = openat(sup->cgroups.root, path_of(service, "cgroup.procs", path, sizeof(path)),
		    O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		log_warning("%s: cannot use the cgroup %s: %s: it runs without limits",
			    service->config->name, path, strerror(errno));
	return fd;
}

void cgroups_kill(struct supervisor *sup, const struct service *service)
{
	char path[PATH_SIZE];

	if (service->in_cgroup) /* Linux 5.14; before that, what can be found is killed */
		cgroup_write(sup->cgroups.root, path_of(service, "cgroup.kill", path, sizeof(path)),
			     "1");
}

void cgroups_leave(struct supervisor *sup, struct service *service)
{
	char path[PATH_SIZE];

	if (!service->in_cgroup)
		return;
	cgroups_kill(sup, service);
	/* what was killed may be there a moment longer: cgroups_tidy sees to it, or the next start
	 * finds it as it was */
	service->in_cgroup = unlinkat(sup->cgroups.root, path_of(service, "", path, sizeof(path)),
				      AT_REMOVEDIR) < 0;
	if (service->in_cgroup)
		service->cgroup_events = read_events(sup, service);
}

void cgroups_remove(struct supervisor *sup, const struct service *service)
{
	char path[PATH_SIZE];

	if (is_limited(sup, service))
		unlinkat(sup->cgroups.root, path_of(service, "", path, sizeof(path)), AT_REMOVEDIR);
}

void cgroups_tidy(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (service->in_cgroup && machine_is_at_rest(service->phase))
			cgroups_leave(sup, service);
	}
}

/* ---- who was killed ---- */

static bool container_killed(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;
	uint64_t killed = cgroup_killed(cgroups->events);

	if (killed > cgroups->killed)
		cgroups->moved_at = sup->loop.now;
	cgroups->killed = killed;
	/* several may have been killed at once */
	return killed && cgroups->moved_at == sup->loop.now;
}

bool cgroups_killed(struct supervisor *sup, const struct service *service, char *text, size_t size)
{
	struct cgroup_events now = {0};
	bool by_container = container_killed(sup);
	char limit[24];

	if (service->in_cgroup)
		now = read_events(sup, service);
	if (now.oom_kill > service->cgroup_events.oom_kill &&
	    now.oom > service->cgroup_events.oom) {
		snprintf(text, size, "memory_max %s",
			 format_size(limit, sizeof(limit), cgroups_value(service, LIMIT_MEMORY)));
		return true;
	}
	snprintf(text, size, "no memory was left in the container");
	return by_container || now.oom_kill > service->cgroup_events.oom_kill;
}
