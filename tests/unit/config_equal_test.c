/* SPDX-License-Identifier: MIT */
/* Two configurations of a service: what differs is named by its key, and what does not is not. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HEAD                                                                                       \
	"[service:b]\ncommand = y\n[service:c]\ncommand = y\n[service:d]\ncommand = y\nreplicas "  \
	"= 2\n[service:e]\ncommand = y\nreplicas = 2\n[service:a]\n"
#define BOTH "read_only = /a\n"

static char path[] = "/tmp/muster-equal-XXXXXX";

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	return unlink(path);
}

static struct config *load(const char *lines)
{
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files};
	struct config_errors errors = {0};
	struct config *config;
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fprintf(file, HEAD "%s\n%s\n",
		strncmp(lines, "type = external", 15) == 0 ? "" : "command = x", lines);
	fclose(file);
	config = config_load(&source, &errors);
	if (!config)
		fail_msg("%s: %s", lines, errors.text[0]);
	config_errors_free(&errors);
	return config;
}

/* The keys that differ, with blanks between. */
static void expect(const char *one, const char *other, const char *expected)
{
	struct config *a = load(one), *b = load(other);
	const struct service_config *x = &a->services[config_find(a, "a")],
				    *y = &b->services[config_find(b, "a")];
	const char *keys[8];
	char text[200] = "";
	unsigned count = service_config_compare(a, x, b, y, keys, 8);

	for (unsigned i = 0; i < count && i < 8; i++) {
		strcat(text, i ? " " : "");
		strcat(text, keys[i]);
	}
	if (strcmp(text, expected) != 0)
		fail_msg("%s beside %s: \"%s\", not \"%s\"", one, other, text, expected);
	assert_int_equal(service_config_equal(a, x, b, y), count == 0);
	/* a list of keys that is too short still says how many there are */
	assert_int_equal(service_config_compare(a, x, b, y, keys, 0), count);
	config_free(a);
	config_free(b);
}

static const struct {
	const char *key, *one, *other;
} differences[] = {
	{"environment", "environment = A=1", "environment = A=2"},
	{"environment", "environment = A=1", "environment =\n  A=1\n  B=1"},
	{"depends_on", "depends_on = b", "depends_on = c"},
	{"depends_on", "depends_on = b", "depends_on = b, c"},
	{"depends_on", "depends_on = b:started", "depends_on = b:completed"},
	{"depends_on", "depends_on = b", "depends_on = ?b"},
	{"depends_on", "depends_on = b", "depends_on = b:restart"},
	{"depends_on", "depends_on = d", "depends_on = d.0"},
	{"depends_on", "", "depends_on = d"},
	{"depends_on", "depends_on = d, e", "depends_on = d"},
	{"depends_on", "depends_on = d, e", "depends_on = d, ?e"},
	{"listen", "listen = tcp:127.0.0.1:8080", "listen = tcp:127.0.0.1:8081"},
	{"listen", "listen = tcp:127.0.0.1:8080", ""},
	{"listen", "listen = x=tcp:127.0.0.1:8080", "listen = y=tcp:127.0.0.1:8080"},
	{"readiness_probe", "readiness_probe = file:/a", "readiness_probe = file:/b"},
	{"readiness_probe", "readiness_probe = file:/a", "readiness_probe = unix:/a"},
	{"readiness_probe", "readiness_probe = fd:3", "readiness_probe = fd:4"},
	{"readiness_probe", "readiness_probe = exec:a b", "readiness_probe = exec:a c"},
	{"readiness_probe", "readiness_probe = http://:80/a", "readiness_probe = http://:80/b"},
	{"readiness_probe", "readiness_probe = file:/a", "readiness_probe =\n  file:/a\n  file:/b"},
	{"readiness_probe", "readiness_probe = file:/a", ""},
	{"startup_probe", "startup_probe = file:/a", "startup_probe = file:/b"},
	{"liveness_probe", "liveness_probe = file:/a", "liveness_probe = file:/b"},
	{"liveness_probe", "liveness_probe = file:/a\nliveness_probe_period = 2s",
	 "liveness_probe = file:/a\nliveness_probe_period = 3s"},
	{"liveness_probe", "liveness_probe = file:/a\nliveness_probe_timeout = 2s",
	 "liveness_probe = file:/a\nliveness_probe_timeout = 3s"},
	{"liveness_probe", "liveness_probe = file:/a\nliveness_probe_initial_delay = 2s",
	 "liveness_probe = file:/a\nliveness_probe_initial_delay = 3s"},
	{"liveness_probe", "liveness_probe = file:/a\nliveness_probe_failure_threshold = 2",
	 "liveness_probe = file:/a\nliveness_probe_failure_threshold = 4"},
	{"readiness_probe", "readiness_probe = file:/a\nreadiness_probe_success_threshold = 2",
	 "readiness_probe = file:/a\nreadiness_probe_success_threshold = 3"},
	{"essential", "", "essential = no"},
	{"start", "", "start = manual"},
	{"on_address_change", "", "on_address_change = restart"},
	{"on_address_change", "on_address_change = signal:HUP", "on_address_change = signal:USR1"},
	{"ready_timeout", "ready_timeout = 1s", "ready_timeout = 2s"},
	{"watchdog", "watchdog = 1s", "watchdog = 2s"},
	{"start_retries", "start_retries = 1", "start_retries = 2"},
	{"restart", "restart = always", "restart = no"},
	{"restart_backoff", "restart_backoff = 1s..2s", "restart_backoff = 1s..3s"},
	{"restart_backoff", "restart_backoff = 1s..3s", "restart_backoff = 2s..3s"},
	{"restart_limit", "restart_limit = 1/1s", "restart_limit = 2/1s"},
	{"restart_limit", "restart_limit = 1/1s", "restart_limit = 1/2s"},
	{"stop_signal", "stop_signal = INT", "stop_signal = QUIT"},
	{"stop_grace_period", "stop_grace_period = 1s", "stop_grace_period = 2s"},
	{"pre_start", "pre_start = a", "pre_start = b"},
	{"pre_start", "pre_start = a", "pre_start = a b"},
	{"stop_command", "stop_command = a", ""},
	{"post_stop", "post_stop = a", "post_stop = b"},
	{"log", "log = none", "log = inherit"},
	{"log", "log = file:/a", "log = file:/b"},
	{"log_max_size", "log = file:/a\nlog_max_size = 1M", "log = file:/a\nlog_max_size = 2M"},
	{"log_keep", "log = file:/a\nlog_keep = 1", "log = file:/a\nlog_keep = 2"},
	{"memory_max", "memory_max = 10M", "memory_max = 20M"},
	{"cpu_max", "cpu_max = 1", ""},
	{"pids_max", "", "pids_max = 10"},
	{"user", "user = 1\ngroup = 1", "user = 2\ngroup = 1"},
	{"group", "user = 1\ngroup = 1", "user = 1\ngroup = 2"},
	{"group", "user = 1", "user = 1\ngroup_add = 7"},
	{"group", "user = 1\ngroup_add = 8", "user = 1\ngroup_add = 7"},
	{"no_new_privileges", "no_new_privileges = yes", "no_new_privileges = no"},
	{"seccomp", "seccomp = audit", "seccomp = unconfined"},
	{"seccomp", "seccomp = /a", "seccomp = /b"},
	{"seccomp", "seccomp = /a", "seccomp = audit:/a"},
	{"landlock", BOTH, ""},
	{"landlock", BOTH, "read_only = /b"},
	{"landlock", BOTH, BOTH "writable = /b"},
	{"landlock", BOTH, BOTH "landlock = require"},
	{"ulimit_*", "ulimit_nofile = 10", "ulimit_nofile = 20"},
	{"ulimit_*", "ulimit_nofile = 10:20", "ulimit_nofile = 10:30"},
	{"ulimit_*", "ulimit_nofile = 10", "ulimit_core = 10"},
	{"ulimit_*", "ulimit_nofile = 10", ""},
	{"umask", "umask = 022", "umask = 027"},
	{"umask", "umask = 022", ""},
	{"nice", "nice = 1", "nice = 2"},
	{"nice", "", "nice = 2"},
	{"oom_score_adj", "oom_score_adj = 1", "oom_score_adj = 2"},
	{"oom_score_adj", "oom_score_adj = 1", ""},
	{"cpuset", "cpuset = 0", "cpuset = 0-1"},
	{"cpuset", "cpuset = 0", ""},
	{"working_dir", "working_dir = /a", "working_dir = /b"},
};

static void each_difference_has_the_name_of_its_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(differences) / sizeof(differences[0]); i++) {
		/* another user than oneself is for root alone */
		if (geteuid() != 0 && strncmp(differences[i].one, "user", 4) == 0)
			continue;
		expect(differences[i].one, differences[i].other, differences[i].key);
		expect(differences[i].other, differences[i].one, differences[i].key);
		expect(differences[i].one, differences[i].one, "");
	}
}

static void what_differs_in_several_ways_has_all_names(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	expect("user = 1\ngroup = 1\ncap_add = CHOWN\nnice = 1",
	       "user = 2\ngroup = 1\nnice = 2\numask = 077", "user cap_add umask nice");
	expect("type = oneshot", "type = external\nreadiness_probe = file:/a",
	       "command type readiness_probe ready_timeout");
}

static void replicas_that_are_waited_for_together_are_one(void **state)
{
	(void)state;
	expect("depends_on = d, b", "depends_on = d, c", "depends_on");
	expect("depends_on = d.0, d.1", "depends_on = d.0, d.1", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_difference_has_the_name_of_its_key),
		cmocka_unit_test(what_differs_in_several_ways_has_all_names),
		cmocka_unit_test(replicas_that_are_waited_for_together_are_one),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
