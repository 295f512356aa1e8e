/* SPDX-License-Identifier: MIT */
/* A service with replicas is as many services; what is said about it concerns all of them. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/muster-replicas-XXXXXX";
static char *environment[4];
static struct config *config, *other;
static struct config_errors errors;

static int set_up(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	return fd < 0 ? -1 : close(fd);
}

static int tear_down(void **state)
{
	(void)state;
	config_free(config);
	config_free(other);
	config_errors_free(&errors);
	return unlink(path);
}

static void load(struct config **out, const char *text)
{
	const char *files[] = {path, NULL};
	struct config_source source = {.files = files, .environment = environment};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	config_free(*out);
	config_errors_free(&errors);
	*out = config_load(&source, &errors);
	if (!*out)
		fail_msg("%s", errors.text[0]);
}

static const struct service_config *service(const struct config *of, const char *name)
{
	int index = config_find(of, name);

	if (index < 0)
		fail_msg("there is no %s", name);
	return &of->services[index];
}

static bool has_variable(const struct service_config *of, const char *variable)
{
	for (char *const *list = of->environment; *list; list++)
		if (strcmp(*list, variable) == 0)
			return true;
	return false;
}

static bool is_same(const char *name)
{
	return service_config_equal(config, service(config, name), other, service(other, name));
}

static void there_is_one_service_for_each(void **state)
{
	(void)state;
	load(&config, "[service:w]\ncommand = p ${MUSTER_REPLICA} x${MUSTER_REPLICA:-none}\n"
		      "replicas = 3\nenvironment =\n  P=80${MUSTER_REPLICA}\n"
		      "[service:s]\ncommand = q\n");
	assert_int_equal(config->count, 4);
	assert_string_equal(config->services[0].name, "w.0");
	assert_string_equal(config->services[2].name, "w.2");
	assert_string_equal(config->services[2].argv[1], "2");
	assert_string_equal(config->services[2].argv[2], "x2");
	assert_true(has_variable(&config->services[1], "P=801"));
	assert_true(has_variable(&config->services[1], "MUSTER_REPLICA=1"));
	assert_true(has_variable(&config->services[1], "MUSTER_SERVICE=w.1"));
	assert_string_equal(config->services[1].replica_of, "w");
	assert_null(config->services[3].replica_of);
	assert_int_equal(config_find(config, "w"), -1);
	assert_ptr_equal(config->services[0].policy, config->services[2].policy);
}

static void one_that_was_asked_for_has_a_number(void **state)
{
	(void)state;
	load(&config, "[service:w]\ncommand = p\nreplicas = 1\n");
	assert_int_equal(config->count, 1);
	assert_string_equal(config->services[0].name, "w.0");
}

static void a_dependency_means_all_of_them(void **state)
{
	const struct service_config *on;

	(void)state;
	load(&config,
	     "[service:w]\ncommand = p\nreplicas = 3\n"
	     "[service:all]\ncommand = q\ndepends_on = ?w:completed\n"
	     "[service:one]\ncommand = q\ndepends_on = w.1\n"
	     "[service:each]\ncommand = q\nreplicas = 2\ndepends_on = w.${MUSTER_REPLICA}\n");
	on = service(config, "all");
	assert_int_equal(on->dep_count, 3);
	for (uint16_t i = 0; i < 3; i++) {
		assert_int_equal(on->deps[i].service, i);
		assert_int_equal(on->deps[i].condition, COND_COMPLETED);
		assert_true(on->deps[i].optional);
	}
	assert_int_equal(service(config, "one")->dep_count, 1);
	assert_int_equal(service(config, "one")->deps[0].service, 1);
	assert_int_equal(service(config, "each.0")->deps[0].service, 0);
	assert_int_equal(service(config, "each.1")->deps[0].service, 1);
}

static void overrides_apply_to_all_of_them(void **state)
{
	(void)state;
	environment[0] = (char *)(uintptr_t) "MUSTER_SERVICE_W_NICE=${MUSTER_REPLICA}";
	environment[1] = (char *)(uintptr_t) "MUSTER_SERVICE_W_REPLICAS=2";
	load(&config, "[service:w]\ncommand = p\n");
	environment[0] = environment[1] = NULL;
	assert_int_equal(config->count, 2);
	assert_int_equal(service(config, "w.0")->policy->identity->nice, 0);
	assert_int_equal(service(config, "w.1")->policy->identity->nice, 1);
}

static void those_left_out_have_none(void **state)
{
	(void)state;
	load(&config, "[service:w]\ncommand = p\nreplicas = 2\nprofiles = a\n"
		      "[service:s]\ncommand = q\ndepends_on = ?w\n");
	assert_int_equal(config->count, 1);
	assert_int_equal(config->services[0].dep_count, 0);
}

static void their_number_changes_nothing_else(void **state)
{
	static const char rest[] = "[service:all]\ncommand = q\ndepends_on = w, s\n"
				   "[service:s]\ncommand = q\n"
				   "[service:last]\ncommand = q\ndepends_on = w.0\n";
	char text[512];

	(void)state;
	snprintf(text, sizeof(text), "[service:w]\ncommand = p\nreplicas = 2\n%s", rest);
	load(&config, text);
	snprintf(text, sizeof(text), "[service:w]\ncommand = p\nreplicas = 5\n%s", rest);
	load(&other, text);
	assert_true(is_same("w.0"));
	assert_true(is_same("w.1"));
	assert_true(is_same("all"));
	assert_true(is_same("last"));
	/* but whether it waits for all of them does, and so does the condition */
	load(&other, "[service:w]\ncommand = p\nreplicas = 2\n[service:s]\ncommand = q\n"
		     "[service:all]\ncommand = q\ndepends_on = w.0, w.1, s\n");
	assert_false(is_same("all"));
	load(&other, "[service:w]\ncommand = p\nreplicas = 2\n[service:s]\ncommand = q\n"
		     "[service:all]\ncommand = q\ndepends_on = w:completed, s\n");
	assert_false(is_same("all"));
	load(&other, "[service:w]\ncommand = p\nreplicas = 2\n[service:s]\ncommand = q\n"
		     "[service:all]\ncommand = q\ndepends_on = w\n");
	assert_false(is_same("all"));
}

static void sockets_are_shared_where_they_are_the_same(void **state)
{
	(void)state;
	load(&config, "[service:w]\ncommand = p\nreplicas = 2\n"
		      "listen = tcp:127.0.0.1:80, tcp:127.0.0.1:90${MUSTER_REPLICA}\n");
	assert_int_equal(config->listen_count, 4);
	assert_true(config->listens[0].shared);
	assert_true(config->listens[2].shared);
	assert_false(config->listens[1].shared);
	assert_false(config->listens[3].shared);
	assert_string_equal(config->listens[3].text, "tcp:127.0.0.1:901");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_is_one_service_for_each),
		cmocka_unit_test(one_that_was_asked_for_has_a_number),
		cmocka_unit_test(a_dependency_means_all_of_them),
		cmocka_unit_test(overrides_apply_to_all_of_them),
		cmocka_unit_test(those_left_out_have_none),
		cmocka_unit_test(their_number_changes_nothing_else),
		cmocka_unit_test(sockets_are_shared_where_they_are_the_same),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
