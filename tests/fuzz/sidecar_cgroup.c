/* SPDX-License-Identifier: MIT */
/*
 * Texts that end in NUL: /proc/self/cgroup, /proc/self/mountinfo, and what stands in the files of
 * each cgroup. Whatever they say, nothing is read outside of where cgroups are mounted, a number is
 * one or is known to be none, and a limit is never less than each level allows.
 */
#include "cgroup.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cgroup_place.h"
#include "folder.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FILES 3 /* texts for the files of a cgroup */

static char root[FOLDER_SIZE];
static const char *const dirs[] = {"",           "/self",   "/cg",       "/cg/a",
				   "/cg/a/init", "/cg/cpu", "/cg/cpu/a", "/cg/memory"};
/* all that is read of a cgroup of either version; a number: which of the texts it holds */
static const struct {
	const char *name;
	unsigned text;
} files[] = {{"cpu.stat", 0},
	     {"memory.stat", 0},
	     {"memory.events", 0},
	     {"memory.oom_control", 0},
	     {"cpuacct.stat", 0},
	     {"io.stat", 0},
	     {"blkio.throttle.io_service_bytes_recursive", 0},
	     {"cpu.max", 1},
	     {"cpu.cfs_quota_us", 1},
	     {"cpu.cfs_period_us", 2},
	     {"cpuacct.usage", 2},
	     {"memory.max", 1},
	     {"memory.limit_in_bytes", 1},
	     {"memory.current", 2},
	     {"memory.usage_in_bytes", 2},
	     {"memory.peak", 2},
	     {"memory.failcnt", 2},
	     {"pids.max", 1},
	     {"pids.current", 2},
	     {"cpu.pressure", 0},
	     {"memory.pressure", 0},
	     {"io.pressure", 0}};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int own = -1, mounts = -1, texts[FILES];

static void remove_tree(void)
{
	char path[PATH_MAX];

	for (size_t i = COUNT(dirs); i-- > 0;) {
		for (size_t n = 0; i >= 2 && n < COUNT(files); n++) {
			snprintf(path, sizeof(path), "%s%s/%s", root, dirs[i], files[n].name);
			unlink(path);
		}
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		rmdir(path);
	}
}

/* A file in memory, found at this path. */
static int make_file(const char *path)
{
	char target[32];
	int fd = memfd_create("file", MFD_CLOEXEC);

	snprintf(target, sizeof(target), "/proc/self/fd/%d", fd);
	if (fd < 0 || (path && symlink(target, path) < 0))
		abort();
	return fd;
}

static void make_cgroup(const char *dir)
{
	char path[PATH_MAX], target[32];

	for (size_t n = 0; n < COUNT(files); n++) {
		snprintf(path, sizeof(path), "%s%s/%s", root, dir, files[n].name);
		snprintf(target, sizeof(target), "/proc/self/fd/%d", texts[files[n].text]);
		if (symlink(target, path) < 0)
			abort();
	}
}

static void make_tree(void)
{
	static char own_path[sizeof(root) + 16], mounts_path[sizeof(root) + 16];
	char path[PATH_MAX];

	folder_make(root);
	for (size_t i = 1; i < COUNT(dirs); i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		if (mkdir(path, 0700) < 0)
			abort();
	}
	snprintf(own_path, sizeof(own_path), "%s/self/cgroup", root);
	snprintf(mounts_path, sizeof(mounts_path), "%s/self/mountinfo", root);
	own = make_file(own_path);
	mounts = make_file(mounts_path);
	for (unsigned i = 0; i < FILES; i++)
		texts[i] = make_file(NULL);
	for (size_t i = 2; i < COUNT(dirs); i++)
		make_cgroup(dirs[i]);
}

static void remove_all(void)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/self/cgroup", root);
	unlink(path);
	snprintf(path, sizeof(path), "%s/self/mountinfo", root);
	unlink(path);
	remove_tree();
}

static void put_text(int fd, struct take *take)
{
	char *text = take_text(take);
	size_t len = strlen(text);

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) != (ssize_t)len)
		abort();
	free(text);
}

/* ---- what must hold ---- */

static void check_place(const struct cgroup_place *place, const char *cgroup_root)
{
	size_t len = strnlen(place->dir, sizeof(place->dir)), levels = 0;
	char dir[PATH_MAX];

	if (place->version > 2)
		abort();
	if (!place->version)
		return;
	if (len == sizeof(place->dir) || place->top > len || place->top < strlen(cgroup_root) ||
	    strncmp(place->dir, cgroup_root, strlen(cgroup_root)) != 0 ||
	    strstr(place->dir + place->top, "/.."))
		abort();
	strcpy(dir, place->dir);
	while (cgroup_place_up(place, dir))
		if (strlen(dir) < place->top || ++levels > len)
			abort();
}

static void check_cores(double cores)
{
	if (!isnan(cores) && !(cores >= 0))
		abort();
}

static void check_number(uint64_t value)
{
	if (!counter_is_number(value) && value != COUNTER_UNKNOWN)
		abort();
}

static void check_facts(const struct cgroup_facts *facts)
{
	check_number(facts->cpu);
	check_number(facts->cpu_user);
	check_number(facts->cpu_system);
	check_number(facts->throttled);
	check_number(facts->memory);
	check_number(facts->memory_peak);
	check_number(facts->working_set);
	check_number(facts->pids);
	check_number(facts->io_read);
	check_number(facts->io_written);
	check_cores(facts->cpu_limit);
	if (counter_is_number(facts->working_set) && facts->working_set > facts->memory)
		abort();
	for (unsigned i = 0; i < CGROUP_EVENTS; i++)
		check_number(facts->events[i]);
	for (unsigned i = 0; i < PRESSURE_COUNT; i++)
		if (facts->pressure[i].some.known && !(facts->pressure[i].some.avg10 >= 0))
			abort();
	if (!facts->version && (counter_is_number(facts->memory) || facts->pressure_own))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	static char cgroup_root[sizeof(root) + 4];
	struct cgroup_load load;
	struct cgroup_places places;
	struct cgroup *cgroup;
	bool below_init;

	if (own < 0) {
		make_tree();
		atexit(remove_all);
		snprintf(cgroup_root, sizeof(cgroup_root), "%s/cg", root);
	}
	below_init = take_byte(&take) & 1;
	put_text(own, &take);
	put_text(mounts, &take);
	for (unsigned i = 0; i < FILES; i++)
		put_text(texts[i], &take);
	cgroup_places_find(&places, root, cgroup_root, below_init);
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		check_place(&places.of[i], cgroup_root);
	cgroup = cgroup_create(root, cgroup_root, below_init);
	check_facts(cgroup_refresh(cgroup, 1));
	cgroup_read_load(cgroup, &load);
	check_number(load.periods);
	check_number(load.throttled_periods);
	check_number(load.waited);
	cgroup_destroy(cgroup);
	return 0;
}
