/* SPDX-License-Identifier: MIT */
#include "peer_json.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "states.h"

#define SEEDS "tests/fuzz/seeds/sidecar_peer"

static struct peer_report *read_text(const char *text, const char **error)
{
	return peer_report_read(text, strlen(text), error);
}

static void what_is_said_is_taken(void **state)
{
	static const char text[] =
		"{\"services\":[{\"name\":\"web\",\"state\":\"waiting\",\"type\":\"service\","
		"\"ready\":false,\"pid\":null,\"depends_on\":[{\"name\":\"db\"},"
		"{\"name\":\"pc2/redis:started\",\"condition\":\"healthy\"}]},"
		"{\"name\":\"pc2/redis:started\",\"type\":\"external\"},"
		"{\"name\":\"db\",\"state\":\"starting\",\"type\":\"oneshot\",\"pid\":12},"
		"{\"name\":\"odd\",\"state\":\"flying\"}],"
		"\"schema\":1,\"host\":\"pc1\",\"mode\":\"production\",\"phase\":\"starting\","
		"\"ready\":false,\"score\":50,\"more\":[{\"a\":null}]}";
	const char *error = NULL;
	struct peer_report *report = read_text(text, &error);
	const struct peer_service *service;

	(void)state;
	assert_null(error);
	assert_non_null(report);
	assert_string_equal(report->host, "pc1");
	assert_string_equal(report->mode, "production");
	assert_int_equal(report->phase, PHASE_STARTING);
	assert_false(report->ready);
	assert_int_equal(report->score, 50);
	/* without what stands there for another host */
	assert_int_equal(report->service_count, 3);
	assert_int_equal(peer_report_find(report, "pc2/redis:started"), -1);
	assert_int_equal(peer_report_find(report, "we"), -1);

	service = &report->services[peer_report_find(report, "web")];
	assert_int_equal(service->state, STATE_WAITING);
	assert_int_equal(service->type, TYPE_SERVICE);
	assert_false(service->running);
	assert_int_equal(service->dep_count, 2);
	assert_string_equal(report->text + report->deps[service->first_dep], "db");
	assert_string_equal(report->text + report->deps[service->first_dep + 1],
			    "pc2/redis:started");
	service = &report->services[peer_report_find(report, "db")];
	assert_int_equal(service->state, STATE_STARTING);
	assert_int_equal(service->type, TYPE_ONESHOT);
	assert_true(service->running);
	assert_int_equal(service->dep_count, 0);
	service = &report->services[peer_report_find(report, "odd")];
	assert_int_equal(service->state, STATE_COUNT);
	assert_int_equal(service->type, TYPE_COUNT);
	peer_report_free(report);
}

static void the_least_is_enough(void **state)
{
	const char *error = NULL;
	struct peer_report *report =
		read_text("{\"schema\":1,\"host\":\"h\",\"services\":[]}", &error);

	(void)state;
	assert_non_null(report);
	assert_int_equal(report->score, -1);
	assert_int_equal(report->phase, PHASE_COUNT);
	assert_int_equal(report->service_count, 0);
	assert_int_equal(peer_report_find(report, "x"), -1);
	peer_report_free(report);
}

/* What another host says is believed only where it is what its place asks for. */
static void what_is_wrong_is_said(void **state)
{
#define SERVICE_WITH(deps)                                                                         \
	"{\"schema\":1,\"host\":\"h\",\"services\":[{\"name\":\"a\",\"depends_on\":" deps "}]}"
	static const struct {
		const char *text, *error;
	} cases[] = {
		{SERVICE_WITH("[7]"), "a dependency is not an object"},
		{SERVICE_WITH("[{\"name\":7}]"), "a value is not of its kind"},
		{SERVICE_WITH("[{}]"), "a dependency has no name that could be one"},
		{SERVICE_WITH("[{\"name\":\"a b\"}]"),
		 "a dependency has no name that could be one"},
		{SERVICE_WITH("{}"), "a value is not of its kind"},
		{SERVICE_WITH("[],\"depends_on\":[]"), "a key stands twice in it"},
		{"{\"host\":\"h\",\"services\":[]}",
		 "it has no number of its schema: not a status of muster"},
		{"{\"schema\":1.5,\"host\":\"h\",\"services\":[]}",
		 "it has no number of its schema: not a status of muster"},
		{"{\"schema\":2,\"host\":\"h\",\"services\":[]}",
		 "its schema is of another version of muster"},
		{"{\"schema\":1,\"services\":[]}", "it does not say whose status it is"},
		{"{\"schema\":1,\"score\":101,\"host\":\"h\",\"services\":[]}",
		 "its score is not a number from 0 to 100"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *error = NULL;

		assert_null(read_text(cases[i].text, &error));
		assert_non_null(error);
		assert_string_equal(error, cases[i].error);
	}
}

static void bounds_are_kept(void **state)
{
	static const struct {
		unsigned services;
		bool good;
	} cases[] = {{1, true}, {PEER_SERVICES_ALL, true}, {PEER_SERVICES_ALL + 1, false}};
	char *text = malloc(PEER_BODY_MAX);

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *error = NULL;
		struct peer_report *report;
		int used = sprintf(text, "{\"schema\":1,\"host\":\"h\",\"services\":[");

		for (unsigned n = 0; n < cases[i].services; n++)
			used += sprintf(text + used, "%s{\"name\":\"s%u\"}", n ? "," : "", n);
		sprintf(text + used, "]}");
		report = read_text(text, &error);
		assert_int_equal(report != NULL, cases[i].good);
		if (report)
			assert_int_equal(report->service_count, cases[i].services);
		else
			assert_string_equal(error, "more than 1024 services");
		peer_report_free(report);
	}
	free(text);
}

static void differences_are_seen(void **state)
{
#define WITH(rest) "{\"schema\":1,\"host\":\"h\",\"services\":[{\"name\":\"a\"" rest "}]}"
	static const char *const texts[] = {WITH(""), WITH(",\"state\":\"ready\""),
					    WITH(",\"ready\":true"), WITH("},{\"name\":\"b\""),
					    "{\"schema\":1,\"host\":\"i\",\"services\":[]}"};
	struct peer_report *reports[5];
	const char *error = NULL;

	(void)state;
	for (int i = 0; i < 5; i++) {
		reports[i] = read_text(texts[i], &error);
		assert_non_null(reports[i]);
	}
	for (int i = 0; i < 5; i++)
		for (int n = 0; n < 5; n++)
			assert_int_equal(peer_report_same(reports[i], reports[n]), i == n);
	for (int i = 0; i < 5; i++)
		peer_report_free(reports[i]);
}

/* Of what the fuzzer begins with: good-*.json are taken, bad-*.json are not. */
static void seeds_are_told_apart(void **state)
{
	DIR *directory = opendir(SEEDS);
	const struct dirent *entry;
	unsigned seen = 0;

	(void)state;
	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		char path[512], text[65536];
		const char *error = NULL;
		struct peer_report *report;
		FILE *file;
		size_t len;

		if (strncmp(entry->d_name, "good", 4) != 0 && strncmp(entry->d_name, "bad", 3) != 0)
			continue;
		snprintf(path, sizeof(path), SEEDS "/%s", entry->d_name);
		file = fopen(path, "r");
		assert_non_null(file);
		len = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
		text[len] = '\0';
		report = peer_report_read(text, len, &error);
		if ((report != NULL) != (strncmp(entry->d_name, "good", 4) == 0))
			fail_msg("%s: %s", entry->d_name, error ? error : "taken");
		peer_report_free(report);
		seen++;
	}
	closedir(directory);
	assert_true(seen >= 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_said_is_taken), cmocka_unit_test(the_least_is_enough),
		cmocka_unit_test(bounds_are_kept),       cmocka_unit_test(differences_are_seen),
		cmocka_unit_test(seeds_are_told_apart),  cmocka_unit_test(what_is_wrong_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
