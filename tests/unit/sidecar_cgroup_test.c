/* SPDX-License-Identifier: MIT */
#include "../../sidecar/cgroup.h"

#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroup_place.h"
#include "clock.h"
#include "tree.h"

#define SECOND NSEC_PER_SEC
#define MOUNT  "31 23 0:28 %s %s rw,relatime shared:9 - %s source %s\n"

static char proc_root[PATH_MAX / 2], cgroup_root[PATH_MAX / 2];
static char mounts[8192];

static void put_proc(const char *name, const char *text)
{
	tree_put("proc", name, text);
}

static void put_cgroup(const char *name, const char *text)
{
	tree_put("cgroup", name, text);
}

/* Where of which hierarchy a mount begins, and where it is. */
static void add_mount(const char *from, const char *at, const char *type, const char *options)
{
	size_t len = strlen(mounts);

	snprintf(mounts + len, sizeof(mounts) - len, MOUNT, from, at, type, options);
	put_proc("self/mountinfo", mounts);
}

static void set_own(const char *text)
{
	put_proc("self/cgroup", text);
}

/* A tree with a /proc and a /sys/fs/cgroup of its own. */
static int make_tree(void **state)
{
	int rc = tree_make(state);

	mounts[0] = '\0';
	snprintf(proc_root, sizeof(proc_root), "%s/proc", tree_root);
	snprintf(cgroup_root, sizeof(cgroup_root), "%s/cgroup", tree_root);
	return rc;
}

static struct cgroup_facts read_facts(bool below_init)
{
	struct cgroup *cgroup = cgroup_create(proc_root, cgroup_root, below_init);
	struct cgroup_facts facts = *cgroup_refresh(cgroup, SECOND);

	cgroup_destroy(cgroup);
	return facts;
}

static void assert_near(double value, double wanted)
{
	if (!(fabs(value - wanted) < 1e-9))
		fail_msg("%.12g, not %.12g", value, wanted);
}

/* ---- version 2 ---- */

static void put_v2(const char *dir)
{
	static const char *const files[][2] = {
		{"cpu.stat", "usage_usec 5000000\nuser_usec 3000000\nsystem_usec 2000000\n"
			     "nr_periods 100\nnr_throttled 25\nthrottled_usec 1500000\n"},
		{"cpu.max", "150000 100000\n"},
		{"memory.current", "104857600\n"},
		{"memory.peak", "209715200\n"},
		{"memory.max", "536870912\n"},
		{"memory.stat", "anon 1000\nfile 2000\nactive_file 5\ninactive_file 4857600\n"},
		{"memory.events", "low 0\nhigh 4\nmax 3\noom 2\noom_kill 1\noom_group_kill 0\n"},
		{"pids.current", "42\n"},
		{"pids.max", "max\n"},
		{"io.stat", "8:0 rbytes=1000 wbytes=200 rios=3 wios=4 dbytes=0 dios=0\n"
			    "8:16 rbytes=10 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n"},
		{"cpu.pressure", "some avg10=12.50 avg60=3.00 avg300=0.07 total=7000000\n"
				 "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"},
		{"memory.pressure", "some avg10=100.00 avg60=1.00 avg300=0.00 total=1\n"
				    "full avg10=0.50 avg60=0.00 avg300=0.00 total=2\n"},
		{"io.pressure", "some avg10=0.00 avg60=0.00 avg300=0.00 total=3\n"},
	};
	char name[PATH_MAX / 2];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s%s%s", dir, *dir ? "/" : "", files[i][0]);
		put_cgroup(name, files[i][1]);
	}
}

static void check_v2(const struct cgroup_facts *facts)
{
	assert_int_equal(facts->version, 2);
	assert_int_equal(facts->cpu, 5 * SECOND);
	assert_int_equal(facts->cpu_user, 3 * SECOND);
	assert_int_equal(facts->cpu_system, 2 * SECOND);
	assert_int_equal(facts->periods, 100);
	assert_int_equal(facts->throttled_periods, 25);
	assert_int_equal(facts->throttled, SECOND + SECOND / 2);
	assert_near(facts->cpu_limit, 1.5);
	assert_int_equal(facts->memory, 104857600);
	assert_int_equal(facts->memory_peak, 209715200);
	assert_int_equal(facts->memory_limit, 536870912);
	assert_int_equal(facts->working_set, 100000000);
	assert_int_equal(facts->events[CGROUP_EVENT_HIGH], 4);
	assert_int_equal(facts->events[CGROUP_EVENT_MAX], 3);
	assert_int_equal(facts->events[CGROUP_EVENT_OOM], 2);
	assert_int_equal(facts->events[CGROUP_EVENT_OOM_KILL], 1);
	assert_int_equal(facts->pids, 42);
	assert_true(facts->pids_limit == COUNTER_UNLIMITED);
	assert_int_equal(facts->io_read, 1010);
	assert_int_equal(facts->io_written, 202);
	assert_true(facts->pressure_own);
	assert_near(facts->pressure[PRESSURE_CPU].some.avg10, 0.125);
	assert_near(facts->pressure[PRESSURE_CPU].some.avg300, 0.0007);
	assert_int_equal(facts->pressure[PRESSURE_CPU].some.total, 7 * SECOND);
	assert_near(facts->pressure[PRESSURE_MEMORY].some.avg10, 1);
	assert_int_equal(facts->pressure[PRESSURE_MEMORY].full.total, 2000);
	assert_false(facts->pressure[PRESSURE_IO].full.known);
}

/* With a cgroup namespace the container's own is the root that it sees. */
static void v2_with_namespace(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw,nsdelegate");
	put_v2("");
	facts = read_facts(false);
	check_v2(&facts);
}

/* Without, the names are those of the host; what is mounted begins at the container's. */
static void v2_without_namespace(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/system.slice/docker-12.scope\n");
	add_mount("/system.slice/docker-12.scope", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("");
	facts = read_facts(false);
	check_v2(&facts);
}

static void v2_of_the_host_below_the_root(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/a.slice/b c.scope\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("a.slice/b c.scope");
	facts = read_facts(false);
	check_v2(&facts);
	/* the smallest limit on the way up is the one that holds */
	put_cgroup("a.slice/memory.max", "1048576\n");
	put_cgroup("a.slice/pids.max", "77\n");
	put_cgroup("a.slice/cpu.max", "50000 100000\n");
	put_cgroup("memory.max", "4096\n");
	facts = read_facts(false);
	assert_int_equal(facts.memory_limit, 4096);
	assert_int_equal(facts.pids_limit, 77);
	assert_near(facts.cpu_limit, 0.5);
}

static void leaf_of_init_is_left(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/init\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("");
	put_cgroup("init/memory.current", "1\n");
	facts = read_facts(true);
	check_v2(&facts);
	assert_int_equal(read_facts(false).memory, 1);
}

/* What the host has mounted is of no use with a namespace of our own: our name there is unknown. */
static void what_has_no_name_is_not_guessed(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/\n");
	add_mount("/../..", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("");
	facts = read_facts(false);
	assert_int_equal(facts.version, 0);
	assert_true(facts.memory == COUNTER_UNKNOWN);
	assert_true(isnan(facts.cpu_limit));
	set_own("0::/other\n");
	mounts[0] = '\0';
	add_mount("/mine", "/sys/fs/cgroup", "cgroup2", "rw");
	assert_int_equal(read_facts(false).version, 0);
	set_own("0::/minefield\n"); /* begins like it, but is another */
	assert_int_equal(read_facts(false).version, 0);
	mounts[0] = '\0';
	add_mount("/", "/elsewhere", "cgroup2", "rw");
	assert_int_equal(read_facts(false).version, 0);
}

/* ---- version 1, and both ---- */

static void mount_v1(const char *from)
{
	static const char *const lists[] = {"cpu,cpuacct", "memory", "pids", "blkio"};
	char at[64], options[64];

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		snprintf(at, sizeof(at), "/sys/fs/cgroup/%s", lists[i]);
		snprintf(options, sizeof(options), "rw,%s", lists[i]);
		add_mount(from, at, "cgroup", options);
	}
}

static void put_v1(const char *own)
{
	static const char *const files[][3] = {
		{"cpu,cpuacct", "cpuacct.usage", "5000000000\n"},
		{"cpu,cpuacct", "cpuacct.stat", "user 300\nsystem 200\n"},
		{"cpu,cpuacct", "cpu.stat", "nr_periods 7\nnr_throttled 3\nthrottled_time 9000\n"},
		{"cpu,cpuacct", "cpu.cfs_quota_us", "25000\n"},
		{"cpu,cpuacct", "cpu.cfs_period_us", "100000\n"},
		{"memory", "memory.usage_in_bytes", "1000000\n"},
		{"memory", "memory.max_usage_in_bytes", "2000000\n"},
		{"memory", "memory.limit_in_bytes", "9223372036854771712\n"},
		{"memory", "memory.stat",
		 "inactive_file 5\nhierarchical_memory_limit 9223372036854771712\n"
		 "total_inactive_file 400000\n"},
		{"memory", "memory.failcnt", "6\n"},
		{"memory", "memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"},
		{"pids", "pids.current", "5\n"},
		{"pids", "pids.max", "100\n"},
		{"blkio", "blkio.throttle.io_service_bytes_recursive",
		 "8:0 Read 100\n8:0 Write 20\n8:0 Sync 1\n8:0 Total 120\n8:16 Read 1\nTotal 121\n"},
	};
	char name[PATH_MAX / 2];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(name, sizeof(name), "%s/%s%s%s", files[i][0], own, *own ? "/" : "",
			 files[i][1]);
		put_cgroup(name, files[i][2]);
	}
}

static void check_v1(const struct cgroup_facts *facts)
{
	assert_int_equal(facts->version, 1);
	assert_int_equal(facts->cpu, 5 * SECOND);
	assert_int_equal(facts->cpu_user, 3 * SECOND);
	assert_int_equal(facts->cpu_system, 2 * SECOND);
	assert_int_equal(facts->periods, 7);
	assert_int_equal(facts->throttled, 9000);
	assert_near(facts->cpu_limit, 0.25);
	assert_int_equal(facts->memory, 1000000);
	assert_int_equal(facts->memory_peak, 2000000);
	assert_int_equal(facts->working_set, 600000);
	assert_true(facts->memory_limit == COUNTER_UNLIMITED);
	assert_int_equal(facts->events[CGROUP_EVENT_MAX], 6);
	assert_int_equal(facts->events[CGROUP_EVENT_OOM_KILL], 2);
	assert_true(facts->events[CGROUP_EVENT_OOM] == COUNTER_UNKNOWN);
	assert_int_equal(facts->pids, 5);
	assert_int_equal(facts->pids_limit, 100);
	assert_int_equal(facts->io_read, 101);
	assert_int_equal(facts->io_written, 20);
	assert_false(facts->pressure_own);
	assert_near(facts->pressure[PRESSURE_MEMORY].some.avg60, 0.01);
}

static void put_machine_pressure(void)
{
	put_proc("pressure/memory", "some avg10=0.00 avg60=1.00 avg300=0.00 total=9\n");
}

static void v1_without_namespace(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("4:memory:/docker/1\n3:blkio:/docker/1\n2:cpu,cpuacct:/docker/1\n1:pids:/docker/"
		"1\n");
	mount_v1("/docker/1");
	put_v1("");
	put_machine_pressure();
	facts = read_facts(false);
	check_v1(&facts);
	/* a limit that only the kernel sees from here */
	put_cgroup("memory/memory.stat",
		   "hierarchical_memory_limit 8192\ntotal_inactive_file 2000000\n");
	put_cgroup("cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
	facts = read_facts(false);
	assert_int_equal(facts.memory_limit, 8192);
	assert_int_equal(facts.working_set, 0);
	assert_true(isinf(facts.cpu_limit));
}

/* Controllers of v1 in their cgroups, and a cgroup v2 beside them that knows nothing of them. */
static void hybrid(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("4:memory:/d\n3:blkio:/d\n2:cpu,cpuacct:/d\n1:pids:/d\n9:name=systemd:/d\n0::/d\n");
	add_mount("/", "/sys/fs/cgroup/unified", "cgroup2", "rw");
	mount_v1("/");
	put_v1("d");
	put_v2("unified/d");
	put_machine_pressure();
	facts = read_facts(false);
	check_v1(&facts);
}

/* ---- what is missing, and what is wrong ---- */

static void root_of_all_has_few_files(void **state)
{
	struct cgroup_facts facts;

	(void)state;
	set_own("0::/\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
	put_cgroup("cpu.stat", "usage_usec 1\nuser_usec 1\nsystem_usec 0\n");
	put_cgroup("memory.max/not", "a file\n"); /* reading fails */
	put_proc("pressure/cpu/not", "a file\n");
	facts = read_facts(false);
	assert_int_equal(facts.cpu, 1000);
	assert_true(facts.periods == COUNTER_UNKNOWN);
	assert_true(facts.memory == COUNTER_UNKNOWN);
	assert_true(facts.memory_limit == COUNTER_UNKNOWN);
	assert_true(facts.working_set == COUNTER_UNKNOWN);
	assert_true(isnan(facts.cpu_limit));
	assert_true(facts.io_read == COUNTER_UNKNOWN);
	assert_false(facts.pressure[PRESSURE_CPU].some.known);
}

static void nothing_at_all(void **state)
{
	(void)state;
	assert_int_equal(read_facts(false).version, 0);
	set_own("");
	put_proc("self/mountinfo", "\n- \n - \n1 2 3 4 5 6 - cgroup2\n1 - cgroup2 a b\n");
	assert_int_equal(read_facts(true).version, 0);
}

static void numbers_must_be_whole(void **state)
{
	static const struct {
		const char *text;
		uint64_t number, limit;
	} cases[] = {
		{"7\n", 7, 7},
		{"7 8\n", 7, 7},
		{"7", COUNTER_UNKNOWN, COUNTER_UNKNOWN}, /* cut off */
		{"", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"-7\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"7x\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"max\n", COUNTER_UNKNOWN, COUNTER_UNLIMITED},
		{"maximum\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"-1\n", COUNTER_UNKNOWN, COUNTER_UNLIMITED},
		{"9223372036854775807\n", INT64_MAX, COUNTER_UNLIMITED},
		{"9223372036854775808\n", UINT64_C(1) << 63, COUNTER_UNLIMITED},
		{"18446744073709551615\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"18446744073709551616\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
		{"99999999999999999999999999\n", COUNTER_UNKNOWN, COUNTER_UNKNOWN},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (counters_number(cases[i].text) != cases[i].number)
			fail_msg("number \"%s\"", cases[i].text);
		if (counters_limit(cases[i].text) != cases[i].limit)
			fail_msg("limit \"%s\"", cases[i].text);
	}
	assert_true(counters_scale(UINT64_C(1) << 63, 1000) == COUNTER_UNKNOWN);
	assert_true(counters_keyed("oom_kill_x 5\nx oom_kill 4\noom_kill 3\n", "oom_kill") == 3);
}

/* Files that are cut, or in which bytes are wrong; a sanitizer watches. */
static void garbage_is_survived(void **state)
{
	static const char *const names[] = {"self/cgroup", "self/mountinfo", "cpu.stat",
					    "cpu.max",     "memory.stat",    "memory.current",
					    "io.stat",     "cpu.pressure",   "pids.max"};
	char path[PATH_MAX], text[16384];
	unsigned seed = 1;

	(void)state;
	set_own("0::/\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("");
	for (unsigned round = 0; round < 2000; round++) {
		const char *name = names[(unsigned)rand_r(&seed) % 9];
		const char *base = name[0] == 's' ? proc_root : cgroup_root;
		size_t len;
		FILE *file;

		snprintf(path, sizeof(path), "%s/%s", base, name);
		file = fopen(path, "r+");
		assert_non_null(file);
		len = fread(text, 1, sizeof(text), file);
		rewind(file);
		if (len && round % 3 == 0) {
			assert_int_equal(ftruncate(fileno(file), rand_r(&seed) % (int)len), 0);
		} else if (len) {
			text[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
			assert_int_equal(fwrite(text, 1, len, file), len);
		}
		assert_int_equal(fclose(file), 0);
		read_facts(round & 1);
		if (round % 20 == 19) { /* and from the beginning */
			set_own("0::/\n");
			put_proc("self/mountinfo", mounts);
			put_v2("");
		}
	}
}

static void asked_again_at_once_nothing_is_read(void **state)
{
	struct cgroup *cgroup;

	(void)state;
	set_own("0::/\n");
	add_mount("/", "/sys/fs/cgroup", "cgroup2", "rw");
	put_v2("");
	cgroup = cgroup_create(proc_root, cgroup_root, false);
	assert_int_equal(cgroup_refresh(cgroup, SECOND)->pids, 42);
	put_cgroup("pids.current", "43\n");
	assert_int_equal(cgroup_refresh(cgroup, 2 * SECOND - 1)->pids, 42);
	assert_int_equal(cgroup_refresh(cgroup, 2 * SECOND)->pids, 43);
	cgroup_destroy(cgroup);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_tree, tree_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(v2_with_namespace),
		TEST(v2_without_namespace),
		TEST(v2_of_the_host_below_the_root),
		TEST(leaf_of_init_is_left),
		TEST(what_has_no_name_is_not_guessed),
		TEST(v1_without_namespace),
		TEST(hybrid),
		TEST(root_of_all_has_few_files),
		TEST(nothing_at_all),
		cmocka_unit_test(numbers_must_be_whole),
		TEST(garbage_is_survived),
		TEST(asked_again_at_once_nothing_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
