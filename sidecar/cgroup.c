/* SPDX-License-Identifier: MIT */
#include "cgroup.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cgroup_place.h"
#include "clock.h"
#include "mem.h"

#define TEXT_SIZE 16384 /* the longest file: memory.stat, or io.stat with some hundred devices */
#define TICKS     0     /* instead of a factor: in the ticks of sysconf(3) */

struct cgroup {
	const char *proc_root, *cgroup_root;
	bool below_init;
	struct cgroup_places places;
	struct cgroup_facts facts;
	uint64_t read_at; /* 0: never */
	/* the file that was read last: several numbers may come from one */
	const char *file;
	unsigned controller;
	char text[TEXT_SIZE];
	char path[PATH_MAX]; /* for walks */
};

static const char event_names[CGROUP_EVENTS][16] = {
	[CGROUP_EVENT_LOW] = "low",           [CGROUP_EVENT_HIGH] = "high",
	[CGROUP_EVENT_MAX] = "max",           [CGROUP_EVENT_OOM] = "oom",
	[CGROUP_EVENT_OOM_KILL] = "oom_kill", [CGROUP_EVENT_OOM_GROUP_KILL] = "oom_group_kill",
};

const char *cgroup_event_name(unsigned event)
{
	return event < CGROUP_EVENTS ? event_names[event] : "?";
}

/* ---- where each number is ---- */

struct source {
	const char *file, *key; /* key NULL: the number is all there is */
	uint64_t factor;
};

/* Of an event in v1 there is only what the last column says. */
#define FIELD(name) offsetof(struct cgroup_facts, name)
static const struct number {
	size_t offset;
	unsigned controller;
	struct source v1, v2;
} numbers[] = {
	{FIELD(cpu), CGROUP_CPUACCT, {"cpuacct.usage", NULL, 1}, {"cpu.stat", "usage_usec", 1000}},
	{FIELD(cpu_user),
	 CGROUP_CPUACCT,
	 {"cpuacct.stat", "user", TICKS},
	 {"cpu.stat", "user_usec", 1000}},
	{FIELD(cpu_system),
	 CGROUP_CPUACCT,
	 {"cpuacct.stat", "system", TICKS},
	 {"cpu.stat", "system_usec", 1000}},
	{FIELD(periods), CGROUP_CPU, {"cpu.stat", "nr_periods", 1}, {"cpu.stat", "nr_periods", 1}},
	{FIELD(throttled_periods),
	 CGROUP_CPU,
	 {"cpu.stat", "nr_throttled", 1},
	 {"cpu.stat", "nr_throttled", 1}},
	{FIELD(throttled),
	 CGROUP_CPU,
	 {"cpu.stat", "throttled_time", 1},
	 {"cpu.stat", "throttled_usec", 1000}},
	{FIELD(memory),
	 CGROUP_MEMORY,
	 {"memory.usage_in_bytes", NULL, 1},
	 {"memory.current", NULL, 1}},
	{FIELD(memory_peak),
	 CGROUP_MEMORY,
	 {"memory.max_usage_in_bytes", NULL, 1},
	 {"memory.peak", NULL, 1}},
	/* the inactive part; what is left becomes the working set */
	{FIELD(working_set),
	 CGROUP_MEMORY,
	 {"memory.stat", "total_inactive_file", 1},
	 {"memory.stat", "inactive_file", 1}},
	{FIELD(events[CGROUP_EVENT_LOW]), CGROUP_MEMORY, {0}, {"memory.events", "low", 1}},
	{FIELD(events[CGROUP_EVENT_HIGH]), CGROUP_MEMORY, {0}, {"memory.events", "high", 1}},
	{FIELD(events[CGROUP_EVENT_OOM]), CGROUP_MEMORY, {0}, {"memory.events", "oom", 1}},
	{FIELD(events[CGROUP_EVENT_OOM_GROUP_KILL]),
	 CGROUP_MEMORY,
	 {0},
	 {"memory.events", "oom_group_kill", 1}},
	{FIELD(events[CGROUP_EVENT_OOM_KILL]),
	 CGROUP_MEMORY,
	 {"memory.oom_control", "oom_kill", 1},
	 {"memory.events", "oom_kill", 1}},
	{FIELD(events[CGROUP_EVENT_MAX]),
	 CGROUP_MEMORY,
	 {"memory.failcnt", NULL, 1},
	 {"memory.events", "max", 1}},
	{FIELD(pids), CGROUP_PIDS, {"pids.current", NULL, 1}, {"pids.current", NULL, 1}},
};

/* Limits: the one in force is the smallest from our cgroup up. */
static const struct {
	size_t offset;
	unsigned controller;
	const char *v1, *v2;
} limits[] = {
	{FIELD(memory_limit), CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max"},
	{FIELD(pids_limit), CGROUP_PIDS, "pids.max", "pids.max"},
};

static uint64_t *field(struct cgroup_facts *facts, size_t offset)
{
	return (uint64_t *)((char *)facts + offset);
}

/* ---- one number ---- */

static const char *read_file(struct cgroup *cgroup, unsigned controller, const char *file)
{
	const struct cgroup_place *place = &cgroup->places.of[controller];

	if (cgroup->file && cgroup->controller == controller && strcmp(cgroup->file, file) == 0)
		return cgroup->text;
	cgroup->file = file;
	cgroup->controller = controller;
	cgroup->text[0] = '\0';
	if (place->version)
		counters_read(place->dir, file, cgroup->text, sizeof(cgroup->text));
	return cgroup->text;
}

static uint64_t read_number(struct cgroup *cgroup, const struct number *number)
{
	unsigned version = cgroup->places.of[number->controller].version;
	const struct source *source = version == 2 ? &number->v2 : &number->v1;
	uint64_t factor = source->factor;
	const char *text;

	if (!version || !source->file)
		return COUNTER_UNKNOWN;
	text = read_file(cgroup, number->controller, source->file);
	if (factor == TICKS)
		factor = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);
	return counters_scale(
		source->key ? counters_keyed(text, source->key) : counters_number(text), factor);
}

/* ---- limits ---- */

typedef void take_level(struct cgroup *cgroup, const char *dir, void *data);

/* From our cgroup up to where it is mounted. */
static void each_level(struct cgroup *cgroup, unsigned controller, take_level *take, void *data)
{
	const struct cgroup_place *place = &cgroup->places.of[controller];

	if (!place->version)
		return;
	strcpy(cgroup->path, place->dir);
	do
		take(cgroup, cgroup->path, data);
	while (cgroup_place_up(place, cgroup->path));
}

struct level {
	const char *file;
	uint64_t smallest;
};

static void take_limit(struct cgroup *cgroup, const char *dir, void *data)
{
	struct level *level = data;
	char text[64];

	(void)cgroup;
	counters_read(dir, level->file, text, sizeof(text));
	level->smallest = counters_smaller(level->smallest, counters_limit(text));
}

static void read_limits(struct cgroup *cgroup)
{
	struct cgroup_facts *facts = &cgroup->facts;

	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		bool v2 = cgroup->places.of[limits[i].controller].version == 2;
		struct level level = {v2 ? limits[i].v2 : limits[i].v1, COUNTER_UNKNOWN};

		each_level(cgroup, limits[i].controller, take_limit, &level);
		*field(facts, limits[i].offset) = level.smallest;
	}
	/* v1 tells of those, too, that cannot be seen from here */
	if (cgroup->places.of[CGROUP_MEMORY].version == 1) {
		const char *text = read_file(cgroup, CGROUP_MEMORY, "memory.stat");

		facts->memory_limit = counters_smaller(
			facts->memory_limit,
			counters_limit(counters_behind(text, "hierarchical_memory_limit")));
	}
}

/* "200000 100000", "max 100000": processor time a period, both in microseconds */
static double read_cores(const char *quota, const char *period)
{
	uint64_t time = counters_limit(quota), span = counters_number(period);

	if (time == COUNTER_UNLIMITED)
		return (double)INFINITY;
	if (time == COUNTER_UNKNOWN || !counter_is_number(span) || !span)
		return (double)NAN;
	return (double)time / (double)span;
}

static void take_cores(struct cgroup *cgroup, const char *dir, void *data)
{
	bool v2 = cgroup->places.of[CGROUP_CPU].version == 2;
	double *smallest = data, cores;
	char quota[64], period[64];
	const char *second = period;

	counters_read(dir, v2 ? "cpu.max" : "cpu.cfs_quota_us", quota, sizeof(quota));
	if (v2) {
		second = strchr(quota, ' ');
		second = second ? second + 1 : "";
	} else {
		counters_read(dir, "cpu.cfs_period_us", period, sizeof(period));
	}
	cores = read_cores(quota, second);
	if (!isnan(cores) && (isnan(*smallest) || cores < *smallest))
		*smallest = cores;
}

/* ---- what is not one number ---- */

/* "8:0 rbytes=1 wbytes=2 rios=3 ..." for each device */
static uint64_t sum_behind(const char *text, const char *word)
{
	uint64_t sum = 0;

	for (const char *at = strstr(text, word); at; at = strstr(at + 1, word)) {
		uint64_t value = counters_number(at + strlen(word));

		if (!counter_is_number(value) || __builtin_add_overflow(sum, value, &sum))
			return COUNTER_UNKNOWN;
	}
	return sum;
}

static void read_io(struct cgroup *cgroup)
{
	struct cgroup_facts *facts = &cgroup->facts;
	unsigned version = cgroup->places.of[CGROUP_IO].version;
	const char *text = "";

	facts->io_read = facts->io_written = COUNTER_UNKNOWN;
	if (version)
		text = read_file(cgroup, CGROUP_IO,
				 version == 2 ? "io.stat"
					      : "blkio.throttle.io_service_bytes_recursive");
	if (!*text)
		return;
	facts->io_read = sum_behind(text, version == 2 ? " rbytes=" : " Read ");
	facts->io_written = sum_behind(text, version == 2 ? " wbytes=" : " Write ");
}

/* Of v1 there is no pressure; a cgroup v2 beside it need not be that of the container. */
static bool has_pressure(const struct cgroup *cgroup)
{
	return cgroup->facts.version == 2;
}

const char *cgroup_pressure_dir(const struct cgroup *cgroup)
{
	return has_pressure(cgroup) ? cgroup->places.of[CGROUP_CPU].dir : NULL;
}

static bool read_pressure_of(struct cgroup *cgroup, unsigned resource, bool own,
			     struct pressure *pressure)
{
	static const char *const machine[PRESSURE_COUNT] = {"pressure/cpu", "pressure/memory",
							    "pressure/io"};
	static const char *const group[PRESSURE_COUNT] = {"cpu.pressure", "memory.pressure",
							  "io.pressure"};
	char text[512];

	counters_read(own ? cgroup->places.of[CGROUP_CPU].dir : cgroup->proc_root,
		      own ? group[resource] : machine[resource], text, sizeof(text));
	pressure_parse(pressure, text);
	return pressure->some.known;
}

static void read_pressure(struct cgroup *cgroup)
{
	struct cgroup_facts *facts = &cgroup->facts;

	facts->pressure_own =
		has_pressure(cgroup) &&
		read_pressure_of(cgroup, PRESSURE_CPU, true, &facts->pressure[PRESSURE_CPU]);
	for (unsigned i = 0; i < PRESSURE_COUNT; i++)
		read_pressure_of(cgroup, i, facts->pressure_own, &facts->pressure[i]);
}

/* ---- all ---- */

static unsigned version_of(const struct cgroup_places *places)
{
	unsigned version = 0;

	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		if (places->of[i].version && (!version || places->of[i].version < version))
			version = places->of[i].version;
	return version;
}

/* Our cgroup may be another one by now: muster-init moves with its first limit. */
static void find(struct cgroup *cgroup)
{
	cgroup_places_find(&cgroup->places, cgroup->proc_root, cgroup->cgroup_root,
			   cgroup->below_init);
	cgroup->facts.version = version_of(&cgroup->places);
}

static void read_all(struct cgroup *cgroup)
{
	struct cgroup_facts *facts = &cgroup->facts;

	cgroup->file = NULL;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		*field(facts, numbers[i].offset) = read_number(cgroup, &numbers[i]);
	if (facts->memory == COUNTER_UNKNOWN || facts->working_set == COUNTER_UNKNOWN)
		facts->working_set = COUNTER_UNKNOWN;
	else if (facts->memory > facts->working_set)
		facts->working_set = facts->memory - facts->working_set;
	else
		facts->working_set = 0;
	read_limits(cgroup);
	facts->cpu_limit = (double)NAN;
	each_level(cgroup, CGROUP_CPU, take_cores, &facts->cpu_limit);
	read_io(cgroup);
	read_pressure(cgroup);
}

const struct cgroup_facts *cgroup_refresh(struct cgroup *cgroup, uint64_t now)
{
	if (cgroup->read_at && now - cgroup->read_at < NSEC_PER_SEC)
		return &cgroup->facts;
	cgroup->read_at = now;
	find(cgroup);
	read_all(cgroup);
	return &cgroup->facts;
}

void cgroup_read_load(struct cgroup *cgroup, struct cgroup_load *load)
{
	struct pressure pressure;
	const char *text;

	cgroup->file = NULL;
	text = read_file(cgroup, CGROUP_CPU, "cpu.stat");
	load->periods = counters_keyed(text, "nr_periods");
	load->throttled_periods = counters_keyed(text, "nr_throttled");
	if (!(has_pressure(cgroup) && read_pressure_of(cgroup, PRESSURE_CPU, true, &pressure)))
		read_pressure_of(cgroup, PRESSURE_CPU, false, &pressure);
	load->waited = pressure.some.known ? pressure.some.total : COUNTER_UNKNOWN;
}

struct cgroup *cgroup_create(const char *proc_root, const char *cgroup_root, bool below_init)
{
	struct cgroup *cgroup = mem_alloc(sizeof(*cgroup));

	cgroup->proc_root = proc_root;
	cgroup->cgroup_root = cgroup_root;
	cgroup->below_init = below_init;
	find(cgroup);
	return cgroup;
}

void cgroup_destroy(struct cgroup *cgroup)
{
	free(cgroup);
}
