/* SPDX-License-Identifier: MIT */
/*
 * The profiles in tests/seccomp_json: those in good/ are read, and those in bad/ have beside them
 * in NAME.expect what is wrong with them: lines LINE:COLUMN: and the beginning of the message.
 */
#include <dirent.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "arena.h"
#include "capability.h"
#include "config.h"
#include "json.h"
#include "seccomp_profile.h"

#define CORPUS    "tests/seccomp_json/"
#define LINES_MAX 32

struct said {
	char lines[LINES_MAX][400];
	unsigned count, notes;
};

static void take_problem(void *user, uint32_t line, uint32_t column, const char *text)
{
	struct said *said = user;

	assert_true(said->count < LINES_MAX);
	snprintf(said->lines[said->count++], sizeof(said->lines[0]), "%u:%u: %s", line, column,
		 text);
}

static void take_note(void *user, uint32_t line, uint32_t column, const char *text)
{
	struct said *said = user;

	assert_true(line && column && *text);
	said->notes++;
}

static const struct seccomp_profile *read_file(struct arena *arena, const char *path,
					       struct said *said)
{
	const struct seccomp_report report = {said, take_problem, take_note};

	memset(said, 0, sizeof(*said));
	return seccomp_profile_read(arena, path, &report);
}

static const struct seccomp_profile *read_good(struct arena *arena, const char *name,
					       struct said *said)
{
	const struct seccomp_profile *profile;
	char path[300];

	snprintf(path, sizeof(path), CORPUS "good/%s", name);
	profile = read_file(arena, path, said);
	for (unsigned i = 0; i < said->count; i++)
		print_error("%s:%s\n", path, said->lines[i]);
	assert_non_null(profile);
	assert_int_equal(said->count, 0);
	return profile;
}

/* Calls `check` for each profile of a folder; returns how many there are. */
static int for_each(const char *folder, int (*check)(const char *path))
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int count = 0, wrong = 0;

	assert_non_null(directory);
	while ((entry = readdir(directory))) {
		size_t len = strlen(entry->d_name);
		char path[600];

		if (len < 5 || strcmp(entry->d_name + len - 5, ".json") != 0)
			continue;
		snprintf(path, sizeof(path), "%s%s", folder, entry->d_name);
		wrong += check(path);
		count++;
	}
	closedir(directory);
	assert_int_equal(wrong, 0);
	return count;
}

static int check_good(const char *path)
{
	struct arena *arena = arena_create();
	struct said said;

	read_good(arena, strrchr(path, '/') + 1, &said);
	arena_destroy(arena);
	return 0;
}

static void good_profiles_are_read(void **state)
{
	(void)state;
	assert_true(for_each(CORPUS "good/", check_good) >= 5);
}

/* The messages must be those expected, in order. Returns how many are not. */
static int check_bad(const char *path)
{
	struct arena *arena = arena_create();
	char expect[600], line[400];
	struct said said;
	unsigned n = 0;
	int wrong = 0;
	FILE *file;

	snprintf(expect, sizeof(expect), "%.*s.expect", (int)strlen(path) - 5, path);
	file = fopen(expect, "r");
	assert_non_null(file);
	assert_null(read_file(arena, path, &said));
	for (; fgets(line, sizeof(line), file); n++) {
		line[strcspn(line, "\n")] = '\0';
		if (n < said.count && strncmp(said.lines[n], line, strlen(line)) == 0)
			continue;
		print_error("%s: expected %s, said %s\n", path, line,
			    n < said.count ? said.lines[n] : "nothing");
		wrong++;
	}
	fclose(file);
	for (; n < said.count; n++, wrong++)
		print_error("%s: not expected: %s\n", path, said.lines[n]);
	arena_destroy(arena);
	return wrong;
}

static void bad_profiles_are_refused_with_line_and_column(void **state)
{
	(void)state;
	assert_true(for_each(CORPUS "bad/", check_bad) >= 30);
}

static void a_file_that_is_none_is_refused(void **state)
{
	struct arena *arena = arena_create();
	struct said said;

	(void)state;
	assert_null(read_file(arena, "/no/such/file", &said));
	assert_string_equal(said.lines[0], "0:0: cannot open: no such file");
	assert_null(read_file(arena, "/dev/zero", &said));
	assert_null(read_file(arena, "/", &said));
	assert_int_equal(said.count, 1);
	arena_destroy(arena);
}

static void all_that_a_profile_says_is_there(void **state)
{
	struct arena *arena = arena_create();
	struct said said;
	const struct seccomp_profile *profile = read_good(arena, "everything.json", &said);
	const struct seccomp_rule *rule = &profile->rules[7];

	(void)state;
	assert_int_equal(profile->action, ACTION_ERRNO);
	assert_int_equal(profile->errno_ret, 1);
	assert_int_equal(profile->rule_count, 9);
	assert_int_equal(profile->rules[0].action, ACTION_ALLOW);
	assert_int_equal(profile->rules[1].action, ACTION_KILL_THREAD);
	assert_int_equal(profile->rules[3].action, ACTION_KILL_PROCESS);
	assert_int_equal(profile->rules[5].action, ACTION_TRACE);
	assert_int_equal(profile->rules[5].errno_ret, 4095);
	assert_string_equal(rule->names[0], "socket");
	assert_int_equal(rule->argument_count, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_int_equal(rule->arguments[i].index, i);
		assert_int_equal(rule->arguments[i].op, OPERATOR_NE + i);
	}
	assert_true(rule->arguments[5].value == UINT64_MAX);
	rule++;
	assert_int_equal(rule->includes.kernel, SECCOMP_KERNEL(4, 8));
	assert_true(rule->includes.native && rule->includes.has_arches);
	assert_true(rule->includes.capabilities ==
		    (CAPABILITY_BIT(CAP_SYS_PTRACE) | CAPABILITY_BIT(CAP_SYS_ADMIN)));
	assert_true(rule->excludes.unknown_capability && !rule->excludes.native);
	assert_int_equal(said.notes, 0);
	arena_destroy(arena);
}

static void keys_that_nobody_knows_are_passed_over(void **state)
{
	struct arena *arena = arena_create();
	struct said said;
	const struct seccomp_profile *profile = read_good(arena, "other_keys.json", &said);

	(void)state;
	assert_int_equal(profile->action, ACTION_ERRNO);
	assert_int_equal(profile->errno_ret, 38);
	assert_int_equal(profile->rules[0].name_count, 3);
	assert_string_equal(profile->rules[0].names[0], "caf\xc3\xa9");
	assert_string_equal(profile->rules[0].names[1], "\xf0\x9f\x98\x80");
	assert_int_equal(profile->rules[0].errno_ret, 0);
	assert_int_equal(said.notes, 6);
	profile = read_good(arena, "nulls.json", &said);
	assert_int_equal(profile->action, ACTION_KILL_PROCESS);
	assert_int_equal(profile->rules[0].name_count, 2);
	assert_int_equal(profile->rules[1].name_count, 0);
	assert_int_equal(said.notes, 0);
	arena_destroy(arena);
}

/* ---- conditions ---- */

#define ADMIN CAPABILITY_BIT(CAP_SYS_ADMIN)
#define NICE  CAPABILITY_BIT(CAP_SYS_NICE)

static bool applies(struct seccomp_condition includes, struct seccomp_condition excludes,
		    uint64_t capabilities)
{
	const struct seccomp_rule rule = {.includes = includes, .excludes = excludes};
	const struct seccomp_host host = {capabilities, SECCOMP_KERNEL(5, 10)};

	return seccomp_rule_applies(&rule, &host);
}

#define COND(...) ((struct seccomp_condition){__VA_ARGS__})

static void includes_takes_all_and_excludes_any(void **state)
{
	(void)state;
	assert_true(applies(COND(0), COND(0), 0));
	assert_true(applies(COND(.capabilities = ADMIN | NICE), COND(0), ADMIN | NICE));
	assert_false(applies(COND(.capabilities = ADMIN | NICE), COND(0), ADMIN));
	assert_true(applies(COND(0), COND(.capabilities = ADMIN | NICE), 0));
	assert_false(applies(COND(0), COND(.capabilities = ADMIN | NICE), NICE));
	assert_false(applies(COND(.unknown_capability = true), COND(0), UINT64_MAX));
	assert_true(applies(COND(0), COND(.unknown_capability = true), UINT64_MAX));
	assert_true(applies(COND(.has_arches = true, .native = true), COND(0), 0));
	assert_false(applies(COND(.has_arches = true), COND(0), 0));
	assert_false(applies(COND(0), COND(.has_arches = true, .native = true), 0));
	assert_true(applies(COND(0), COND(.has_arches = true), 0));
	assert_true(applies(COND(.kernel = SECCOMP_KERNEL(5, 10)), COND(0), 0));
	assert_true(applies(COND(.kernel = SECCOMP_KERNEL(4, 255)), COND(0), 0));
	assert_false(applies(COND(.kernel = SECCOMP_KERNEL(5, 11)), COND(0), 0));
	assert_false(applies(COND(0), COND(.kernel = SECCOMP_KERNEL(5, 10)), 0));
	assert_true(applies(COND(0), COND(.kernel = SECCOMP_KERNEL(6, 0)), 0));
}

/* ---- words and capabilities of services ---- */

static void the_words_of_the_key(void **state)
{
	struct seccomp_config config;

	(void)state;
	assert_true(seccomp_parse("default", &config));
	assert_true(config.mode == SECCOMP_DEFAULT && !config.audit && config.asked);
	assert_true(seccomp_parse("unconfined", &config));
	assert_int_equal(config.mode, SECCOMP_UNCONFINED);
	assert_true(seccomp_parse("audit", &config));
	assert_true(config.mode == SECCOMP_DEFAULT && config.audit);
	assert_true(seccomp_parse("audit:/a b.json", &config));
	assert_true(config.mode == SECCOMP_PROFILE && config.audit);
	assert_string_equal(config.path, "/a b.json");
	assert_true(seccomp_parse("./a.json", &config));
	assert_string_equal(config.path, "./a.json");
	assert_false(seccomp_parse("", &config));
	assert_false(seccomp_parse("Default", &config));
	assert_false(seccomp_parse("a.json", &config));
	assert_false(seccomp_parse("audit:", &config));
	assert_false(seccomp_parse("audit:unconfined", &config));
	assert_false(seccomp_parse("audits", &config));
}

static void capabilities_follow_from_the_identity(void **state)
{
	const struct capability_sets own = {.permitted = ADMIN | NICE, .bounding = ADMIN | NICE};
	const struct capability_sets none = {.bounding = ADMIN};
	struct identity_config id = {.change_user = true, .no_new_privileges = true};

	(void)state;
	/* root has what the bounding set leaves */
	assert_true(capability_limit(&id, &own) == (ADMIN | NICE));
	id.cap_drop = NICE;
	assert_true(capability_limit(&id, &own) == ADMIN);
	id.cap_drop = CAPABILITY_ALL;
	id.cap_add = NICE;
	assert_true(capability_limit(&id, &own) == NICE);
	id.cap_add = CAPABILITY_ALL;
	id.cap_drop = ADMIN;
	assert_true(capability_limit(&id, &own) == NICE);
	/* others what was added; and where they can become root, what root would have */
	id = (struct identity_config){.change_user = true, .uid = 7, .no_new_privileges = true};
	assert_true(capability_limit(&id, &own) == 0);
	id.cap_add = NICE;
	assert_true(capability_limit(&id, &own) == NICE);
	id.no_new_privileges = false;
	assert_true(capability_limit(&id, &own) == (ADMIN | NICE));
	assert_false(capability_may_filter(&id, &own));
	id.cap_add = ADMIN;
	assert_true(capability_may_filter(&id, &own));
	assert_false(capability_may_filter(&id, &none));
	id = (struct identity_config){.change_user = true, .cap_drop = ADMIN};
	assert_false(capability_may_filter(&id, &own));
	id.cap_drop = 0;
	assert_true(capability_may_filter(&id, &own));
	assert_false(capability_may_filter(&id, &none));
	id.no_new_privileges = true;
	assert_true(capability_may_filter(&id, &none));
}

/* ---- the reader of JSON by itself ---- */

static void json_is_a_tree_in_order(void **state)
{
	static const char text[] =
		" {\"a\" : [1, -0.5e+3, \"x\\u20ac\"],\r\n\t\"b\":{}, \"b\":null}\n";
	struct arena *arena = arena_create();
	struct json_error error;
	const struct json *root = json_parse(arena, text, sizeof(text) - 1, &error);
	const struct json *a, *b;

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->kind, JSON_OBJECT);
	assert_int_equal(root->count, 3);
	assert_int_equal(root->column, 2);
	a = root->first;
	assert_string_equal(a->key, "a");
	assert_int_equal(a->count, 3);
	assert_string_equal(a->first->text, "1");
	assert_string_equal(a->first->next->text, "-0.5e+3");
	assert_string_equal(a->first->next->next->text, "x\xe2\x82\xac");
	assert_null(a->first->next->next->next);
	b = a->next;
	assert_int_equal(b->kind, JSON_OBJECT);
	assert_int_equal(b->line, 2);
	assert_int_equal(b->column, 6);
	assert_int_equal(b->next->kind, JSON_NULL);
	assert_null(b->next->next);
	arena_destroy(arena);
}

/* The deepest that is allowed is read, one more is not, and no depth is too much for the stack. */
static void json_is_bounded(void **state)
{
	static char text[200001];
	struct arena *arena = arena_create();
	struct json_error error;

	(void)state;
	memset(text, '[', JSON_DEPTH);
	memset(text + JSON_DEPTH, ']', JSON_DEPTH);
	assert_non_null(json_parse(arena, text, 2 * JSON_DEPTH, &error));
	memset(text, '[', sizeof(text) - 1);
	assert_null(json_parse(arena, text, sizeof(text) - 1, &error));
	assert_int_equal(error.column, JSON_DEPTH + 1);
	arena_destroy(arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_profiles_are_read),
		cmocka_unit_test(bad_profiles_are_refused_with_line_and_column),
		cmocka_unit_test(a_file_that_is_none_is_refused),
		cmocka_unit_test(all_that_a_profile_says_is_there),
		cmocka_unit_test(keys_that_nobody_knows_are_passed_over),
		cmocka_unit_test(includes_takes_all_and_excludes_any),
		cmocka_unit_test(the_words_of_the_key),
		cmocka_unit_test(capabilities_follow_from_the_identity),
		cmocka_unit_test(json_is_a_tree_in_order),
		cmocka_unit_test(json_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
