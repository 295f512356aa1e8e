/* SPDX-License-Identifier: MIT */
#include "cgroups.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"
#include "str.h"
#include "supervisor.h"

#define LEAF       "init"
#define PREFIX     "service."
#define MOVES_MAX  16 /* rounds of moving what is forked meanwhile */
#define NAMES_SIZE 160

/* The limits, in the order of the bits in struct cgroups. */
enum limit { LIMIT_MEMORY, LIMIT_CPU, LIMIT_PIDS, LIMIT_COUNT };

static const struct {
	char key[12], file[12], controller[8];
} limits[LIMIT_COUNT] = {
	{"memory_max", "memory.max", "memory"},
	{"cpu_max", "cpu.max", "cpu"},
	{"pids_max", "pids.max", "pids"},
};

static uint64_t value_of(const struct service *service, unsigned limit)
{
	const struct cgroup_config *config = service->config->policy->cgroup;

	if (!config)
		return 0;
	return limit == LIMIT_MEMORY ? config->memory_max
	       : limit == LIMIT_CPU  ? config->cpu_max
				     : config->pids_max;
}

/* ---- files ---- */

static int write_at(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

/* The length, or -errno. */
static ssize_t read_at(int dir, const char *path, char *text, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -errno : pread(fd, text, size - 1, 0);

	if (fd >= 0)
		close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n;
}

/* The number behind this word, at the start of a line. */
static uint64_t number_after(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

static const char *path_of(const struct service *service, const char *file, char *path, size_t size)
{
	snprintf(path, size, PREFIX "%s%s%s", service->config->name, *file ? "/" : "", file);
	return path;
}

/* ---- where it is ---- */

/* Our place in the hierarchy of this controller ("": that of v2), from /proc/self/cgroup. */
static bool own_place(const char *controller, char *place, size_t size)
{
	char text[4096];

	if (fd_read_file("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return false;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(names + 1, controller) == 0)
			return snprintf(place, size, "%s", path) < (int)size;
	}
	return false;
}

/* The directory of that place below `base`; where it is not to be seen there, a container is shown
 * its own as `base`. -1: it is no file system of this kind. */
static int open_place(const char *base, const char *controller, uint32_t magic)
{
	char place[PATH_MAX / 2], path[PATH_MAX];
	struct statfs fs;
	int fd = -1;

	if (own_place(controller, place, sizeof(place)) && !strstr(place, "/..")) {
		snprintf(path, sizeof(path), "%s%s", base, place);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || (uint32_t)fs.f_type != magic)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int open_v2(void)
{
	const char *given = getenv("MUSTER_CGROUP_ROOT");
	int fd;

	if (given && *given)
		return open(given, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_place("/sys/fs/cgroup", "", CGROUP2_SUPER_MAGIC);
	return fd >= 0 ? fd : open_place("/sys/fs/cgroup/unified", "", CGROUP2_SUPER_MAGIC);
}

static int open_events(int root)
{
	int fd = openat(root, "memory.events", O_RDONLY | O_CLOEXEC), dir;

	if (fd >= 0)
		return fd;
	dir = open_place("/sys/fs/cgroup/memory", "memory", CGROUP_SUPER_MAGIC);
	fd = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (dir >= 0)
		close(dir);
	return fd;
}

static uint64_t count_killed(const struct cgroups *cgroups)
{
	char text[512];
	ssize_t n = pread(cgroups->events, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return number_after(text, "oom_kill");
}

void cgroups_open(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;

	cgroups->root = open_v2();
	cgroups->events = open_events(cgroups->root);
	cgroups->killed = count_killed(cgroups);
}

/* ---- making it ours ---- */

/* Moves init to its leaf; as PID 1, whoever else is in our container, too. 0 or -errno. */
static int move_to_leaf(const struct supervisor *sup, int root)
{
	char text[4096], pid[16];
	int rc = 0;

	if (mkdirat(root, LEAF, 0755) < 0 && errno != EEXIST)
		return -errno;
	rc = write_at(root, LEAF "/cgroup.procs", "0");
	for (int i = 0; i < MOVES_MAX && !rc && sup->pid1; i++) {
		bool moved = false;

		if (read_at(root, "cgroup.procs", text, sizeof(text)) <= 0)
			break;
		for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
			snprintf(pid, sizeof(pid), "%.12s", line);
			moved |= write_at(root, LEAF "/cgroup.procs", pid) == 0;
		}
		if (!moved) /* threads of the kernel stay, in the root of all */
			break;
	}
	return rc;
}

/* Whether there is such a controller. */
static bool offers(int root, unsigned limit)
{
	char text[256];

	read_at(root, "cgroup.controllers", text, sizeof(text));
	for (char *name = strtok(text, " \n"); name; name = strtok(NULL, " \n"))
		if (strcmp(name, limits[limit].controller) == 0)
			return true;
	return false;
}

/* Switches it on or off for the cgroups below the root. 0 or -errno. */
static int switch_to(int root, unsigned limit, char sign)
{
	char word[12];

	snprintf(word, sizeof(word), "%c%s", sign, limits[limit].controller);
	return write_at(root, "cgroup.subtree_control", word);
}

static void write_names(const struct supervisor *sup, unsigned limit, char *names, size_t size)
{
	size_t used = 0;

	for (uint32_t i = 0; i < sup->count && used < size; i++)
		if (value_of(sup->services[i], limit))
			used += (size_t)snprintf(names + used, size - used, "%s%s",
						 used ? ", " : "", sup->services[i]->config->name);
	if (used >= size)
		memcpy(names + size - 4, "...", 4);
}

/* Once for each key. */
static void say_missing(const struct supervisor *sup, unsigned limit, int error)
{
	char names[NAMES_SIZE], why[96];

	if (error == -EBADF)
		snprintf(why, sizeof(why), "muster-init is in no cgroup v2");
	else if (error == -ENODEV)
		snprintf(why, sizeof(why), "the cgroup v2 of muster-init has no controller %s",
			 limits[limit].controller);
	else
		snprintf(why, sizeof(why), "the cgroup v2 is not delegated to muster-init: %s",
			 error == -EBUSY ? "others are in it" : strerror(-error));
	write_names(sup, limit, names, sizeof(names));
	log_warning("%s has no effect here: %s; asked for by %s", limits[limit].key, why, names);
}

static uint8_t wanted_limits(const struct supervisor *sup)
{
	uint8_t wanted = 0;

	for (uint32_t i = 0; i < sup->count; i++)
		for (unsigned n = 0; n < LIMIT_COUNT; n++)
			if (value_of(sup->services[i], n))
				wanted |= (uint8_t)(1U << n);
	return wanted;
}

/* For these limits, of which there has been no word yet. */
static void make_possible(struct supervisor *sup, uint8_t fresh)
{
	struct cgroups *cgroups = &sup->cgroups;
	int moved = 0;

	for (unsigned i = 0; i < LIMIT_COUNT; i++) {
		int rc = cgroups->root < 0 ? -EBADF : -ENODEV;

		if (!(fresh & 1U << i))
			continue;
		if (offers(cgroups->root, i)) {
			if (!cgroups->ours && !moved)
				moved = move_to_leaf(sup, cgroups->root);
			cgroups->ours |= !moved;
			rc = moved ? moved : switch_to(cgroups->root, i, '+');
		}
		if (rc) {
			cgroups->missing |= (uint8_t)(1U << i);
			say_missing(sup, i, rc);
		}
	}
}

void cgroups_follow(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;
	uint8_t fresh = wanted_limits(sup) & (uint8_t)~cgroups->asked;

	cgroups->asked |= fresh;
	make_possible(sup, fresh);
	/* in the root of all nothing is counted: what is not limited is in our leaf */
	if (cgroups->ours && cgroups->events < 0) {
		cgroups->events =
			openat(cgroups->root, LEAF "/memory.events", O_RDONLY | O_CLOEXEC);
		cgroups->killed = count_killed(cgroups);
	}
}

/* ---- with the life of a service ---- */

static bool is_limited(const struct supervisor *sup, const struct service *service)
{
	for (unsigned i = 0; i < LIMIT_COUNT; i++)
		if (value_of(service, i) && !(sup->cgroups.missing & 1U << i))
			return true;
	return false;
}

static struct cgroup_events read_events(const struct supervisor *sup, const struct service *service)
{
	char path[NAMES_SIZE], text[512];

	read_at(sup->cgroups.root, path_of(service, "memory.events", path, sizeof(path)), text,
		sizeof(text));
	return (struct cgroup_events){number_after(text, "oom"), number_after(text, "oom_kill")};
}

/* 0 or -errno. */
static int set_limit(const struct supervisor *sup, const struct service *service, unsigned limit)
{
	unsigned long long value = value_of(service, limit);
	char path[NAMES_SIZE], text[48];

	if (!value || sup->cgroups.missing & 1U << limit)
		return 0;
	if (limit == LIMIT_CPU)
		snprintf(text, sizeof(text), "%llu %d", value, CPU_PERIOD);
	else
		snprintf(text, sizeof(text), "%llu", value);
	return write_at(sup->cgroups.root, path_of(service, limits[limit].file, path, sizeof(path)),
			text);
}

int cgroups_enter(struct supervisor *sup, struct service *service)
{
	char path[NAMES_SIZE];
	int rc = 0, fd;

	if (!is_limited(sup, service))
		return -1;
	if (mkdirat(sup->cgroups.root, path_of(service, "", path, sizeof(path)), 0755) < 0 &&
	    errno != EEXIST)
		rc = -errno;
	for (unsigned i = 0; !rc && !service->in_cgroup && i < LIMIT_COUNT; i++) {
		rc = set_limit(sup, service, i);
		if (rc)
			log_warning("%s: cannot set %s: %s", service->config->name, limits[i].key,
				    strerror(-rc));
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
	char path[NAMES_SIZE];

	if (service->in_cgroup) /* Linux 5.14; before that, what can be found is killed */
		write_at(sup->cgroups.root, path_of(service, "cgroup.kill", path, sizeof(path)),
			 "1");
}

void cgroups_leave(struct supervisor *sup, struct service *service)
{
	char path[NAMES_SIZE];

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

void cgroups_tidy(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		unsigned state = machine_state(service->phase);

		if (service->in_cgroup &&
		    (state == STATE_INACTIVE || state == STATE_WAITING || state == STATE_BACKOFF ||
		     state == STATE_COMPLETED || state == STATE_FAILED))
			cgroups_leave(sup, service);
	}
}

/* ---- who was killed ---- */

static bool container_killed(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;
	uint64_t killed = count_killed(cgroups);

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
			 format_size(limit, sizeof(limit), value_of(service, LIMIT_MEMORY)));
		return true;
	}
	snprintf(text, size, "no memory was left in the container");
	return by_container || now.oom_kill > service->cgroup_events.oom_kill;
}

/* ---- the end ---- */

void cgroups_close(struct supervisor *sup)
{
	struct cgroups *cgroups = &sup->cgroups;
	char path[NAMES_SIZE];

	for (uint32_t i = 0; cgroups->ours && i < sup->count; i++)
		if (is_limited(sup, sup->services[i]))
			unlinkat(cgroups->root, path_of(sup->services[i], "", path, sizeof(path)),
				 AT_REMOVEDIR);
	for (unsigned i = 0; cgroups->ours && i < LIMIT_COUNT; i++)
		if (cgroups->asked & ~cgroups->missing & 1U << i)
			switch_to(cgroups->root, i, '-');
	if (cgroups->ours && write_at(cgroups->root, "cgroup.procs", "0") == 0)
		unlinkat(cgroups->root, LEAF, AT_REMOVEDIR);
	if (cgroups->root >= 0)
		close(cgroups->root);
	if (cgroups->events >= 0)
		close(cgroups->events);
}
