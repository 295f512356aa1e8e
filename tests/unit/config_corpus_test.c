/* SPDX-License-Identifier: MIT */
/*
 * The configurations in tests/config: each file says in its own comments what is to come of it.
 *
 *   # expect: LINE: TEXT   an error on that line of the file that contains TEXT
 *   # expect: TEXT         an error of another place (environment, command line)
 *   # warn: LINE: TEXT     a warning
 *   # fact: WHAT = VALUE   something that holds once it is loaded (see `facts`)
 *   # env: NAME=VALUE      set in the environment of the load
 *   # program: WORD ...    a program on the command line
 *
 * Files that cannot carry comments (other encodings) have them in NAME.expect. Whatever is found
 * besides is a failure. tests/config/check.py holds muster-init --check to the same files.
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config.h"

#define LIST_MAX 64

struct strings {
	char *list[LIST_MAX + 1];
	size_t count;
};

struct corpus_case {
	char path[512];
	struct strings expects, warnings, facts, environment, program;
};

/* ---- directives ---- */

static void add(struct strings *strings, const char *text)
{
	assert_true(strings->count < LIST_MAX);
	strings->list[strings->count] = strdup(text);
	assert_non_null(strings->list[strings->count++]);
}

static void drop(struct strings *strings)
{
	while (strings->count > 0)
		free(strings->list[--strings->count]);
}

static void take_directive(struct corpus_case *c, char *line)
{
	const struct {
		const char *word;
		struct strings *list;
	} kinds[] = {
		{"# expect: ", &c->expects},
		{"# warn: ", &c->warnings},
		{"# fact: ", &c->facts},
		{"# env: ", &c->environment},
	};

	line[strcspn(line, "\r\n")] = '\0';
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strncmp(line, kinds[i].word, strlen(kinds[i].word)) == 0)
			add(kinds[i].list, line + strlen(kinds[i].word));
	if (strncmp(line, "# program: ", 11) == 0)
		for (char *word = strtok(line + 11, " "); word; word = strtok(NULL, " "))
			add(&c->program, word);
}

static void read_directives(struct corpus_case *c)
{
	char path[600], line[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%.*s.expect", (int)(strlen(c->path) - 4), c->path);
	file = fopen(path, "r");
	if (!file)
		file = fopen(c->path, "r");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		take_directive(c, line);
	fclose(file);
	/* a case that promises nothing would pass whatever happens */
	assert_true(c->expects.count + c->warnings.count + c->facts.count > 0);
}

/* ---- errors and warnings ---- */

static bool matches(const struct corpus_case *c, const char *expected, const char *message)
{
	char head[600];
	char *rest;
	unsigned long line = strtoul(expected, &rest, 10);

	if (rest == expected || strncmp(rest, ": ", 2) != 0)
		return strncmp(message, expected, strlen(expected)) == 0;
	snprintf(head, sizeof(head), "%s:%lu: ", c->path, line);
	return strncmp(message, head, strlen(head)) == 0 &&
	       strstr(message + strlen(head), rest + 2);
}

/* Each message is to be expected once, and each expectation met. Returns how many were not. */
static int compare(const struct corpus_case *c, const struct strings *expected,
		   char *const *messages, unsigned count, const char *what)
{
	bool used[LIST_MAX] = {false};
	int wrong = 0;

	for (unsigned i = 0; i < count; i++) {
		size_t j = 0;

		while (j < expected->count &&
		       (used[j] || !matches(c, expected->list[j], messages[i])))
			j++;
		if (j < expected->count) {
			used[j] = true;
			continue;
		}
		if (strstr(messages[i], " on this machine"))
			continue; /* what is not there may be elsewhere */
		print_error("unexpected %s: %s\n", what, messages[i]);
		wrong++;
	}
	for (size_t j = 0; j < expected->count; j++) {
		if (used[j])
			continue;
		print_error("missing %s: %s: %s\n", what, c->path, expected->list[j]);
		wrong++;
	}
	return wrong;
}

/* ---- facts ---- */

struct text {
	char bytes[4096];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->bytes + text->len, sizeof(text->bytes) - text->len, format, args);
	va_end(args);
	assert_true(n >= 0 && (size_t)n < sizeof(text->bytes) - text->len);
	text->len += (size_t)n;
}

/* a|b|c, a line break as \n */
static void put_list(struct text *text, char *const *list)
{
	for (size_t i = 0; list && list[i]; i++) {
		if (i)
			put(text, "|");
		for (const char *p = list[i]; *p; p++)
			if (*p == '\n')
				put(text, "\\n");
			else
				put(text, "%c", *p);
	}
}

static void put_deps(struct text *text, const struct config *config,
		     const struct service_config *service)
{
	for (unsigned i = 0; i < service->dep_count; i++) {
		const struct dep_config *dep = &service->deps[i];

		put(text, "%s%s%s:%s%s", i ? " " : "", dep->optional ? "?" : "",
		    config->services[dep->service].name, condition_name(dep->condition),
		    dep->restart ? ":restart" : "");
	}
}

static void put_probe(struct text *text, const struct probe_config *probe)
{
	for (const struct probe_config *more = probe ? probe->next : NULL; more; more = more->next)
		put(text, "%s %s + ", probe_kind_name(more->kind), more->target);
	if (!probe)
		return;
	put(text, "%s %s period %u timeout %u failure %u success %u delay %u",
	    probe_kind_name(probe->kind), probe->target, probe->period, probe->timeout,
	    probe->failure_threshold, probe->success_threshold, probe->initial_delay);
	if (probe->kind == PROBE_FD)
		put(text, " fd %d", probe->fd);
	if (probe->path)
		put(text, " path %s", probe->path);
	if (probe->argv)
		put(text, " argv ");
	put_list(text, probe->argv);
}

static void put_policy(struct text *text, const struct policy_config *policy)
{
	put(text,
	    "ready %u retries %u restart %u backoff %u..%u limit %u/%u signal %u grace %u log %u",
	    policy->ready_timeout, policy->start_retries, policy->restart, policy->backoff_min,
	    policy->backoff_max, policy->restart_limit, policy->restart_window, policy->stop_signal,
	    policy->stop_grace, policy->log);
	if (policy->watchdog)
		put(text, " watchdog %u", policy->watchdog);
	if (policy->log_path)
		put(text, " %s %llu %u", policy->log_path, (unsigned long long)policy->log_max_size,
		    policy->log_keep);
}

static void put_landlock(struct text *text, const struct landlock_config *landlock)
{
	put(text, " landlock %d", landlock->mode);
	for (char *const *path = landlock->read_only; path && *path; path++)
		put(text, " r:%s", *path);
	for (char *const *path = landlock->writable; path && *path; path++)
		put(text, " w:%s", *path);
}

static void put_identity(struct text *text, const struct identity_config *identity)
{
	put(text, "nnp %d", identity->no_new_privileges);
	if (identity->has_umask)
		put(text, " umask %03o", identity->umask);
	if (identity->has_nice)
		put(text, " nice %d", identity->nice);
	if (identity->has_oom)
		put(text, " oom %d", identity->oom_score_adj);
	if (identity->change_caps)
		put(text, " caps -%llx +%llx", (unsigned long long)identity->cap_drop,
		    (unsigned long long)identity->cap_add);
	if (identity->seccomp.asked)
		put(text, " seccomp %d%s %s", identity->seccomp.mode,
		    identity->seccomp.audit ? " audit" : "",
		    identity->seccomp.path ? identity->seccomp.path : "-");
	if (identity->working_dir)
		put(text, " dir %s", identity->working_dir);
	if (identity->landlock)
		put_landlock(text, identity->landlock);
	for (const struct limit_config *limit = identity->limits; limit && limit->resource >= 0;
	     limit++)
		put(text, " limit %d=%llu:%llu", limit->resource,
		    (unsigned long long)limit->value.rlim_cur,
		    (unsigned long long)limit->value.rlim_max);
}

static void put_listens(struct text *text, const struct config *config,
			const struct service_config *service)
{
	for (uint32_t i = 0; i < service->listen_count; i++) {
		const struct listen_config *listen = &config->listens[service->listen_first + i];
		char host[INET6_ADDRSTRLEN] = "";

		put(text, "%s=", listen->text);
		if (listen->kind == LISTEN_UNIX)
			put(text, "%s ", listen->address.un.sun_path);
		else if (listen->address.any.sa_family == AF_INET)
			inet_ntop(AF_INET, &listen->address.in.sin_addr, host, sizeof(host));
		else
			inet_ntop(AF_INET6, &listen->address.in6.sin6_addr, host, sizeof(host));
		if (listen->kind != LISTEN_UNIX)
			put(text, "%s%s port %u ", listen->both ? "both " : "", host,
			    ntohs(listen->address.in.sin_port));
	}
	put(text, "%s %s", service->listen_number, service->listen_names);
}

static void put_flags(struct text *text, const struct service_config *service)
{
	static const char *const starts[] = {"auto", "manual", "on-demand"};

	put(text, "%s", starts[service->start]);
	if (service->idle_stop)
		put(text, " %u", service->idle_stop);
	put(text, "%s", service->essential ? " essential" : "");
}

static bool put_service_fact(struct text *text, const struct config *config,
			     const struct service_config *service, const char *what)
{
	if (strcmp(what, "argv") == 0)
		put_list(text, service->argv);
	else if (strcmp(what, "environment") == 0)
		put_list(text, service->environment);
	else if (strcmp(what, "depends_on") == 0)
		put_deps(text, config, service);
	else if (strcmp(what, "type") == 0)
		put(text, "%s", type_name(service->type));
	else if (strcmp(what, "readiness") == 0)
		put_probe(text, service->probes[ROLE_READINESS]);
	else if (strcmp(what, "liveness") == 0)
		put_probe(text, service->probes[ROLE_LIVENESS]);
	else if (strcmp(what, "startup") == 0)
		put_probe(text, service->probes[ROLE_STARTUP]);
	else if (strcmp(what, "policy") == 0)
		put_policy(text, service->policy);
	else if (strcmp(what, "identity") == 0)
		put_identity(text, service->policy->identity);
	else if (strcmp(what, "hooks") == 0) {
		put_list(text, service->policy->pre_start);
		put(text, " / ");
		put_list(text, service->policy->stop_command);
		put(text, " / ");
		put_list(text, service->policy->post_stop);
	} else if (strcmp(what, "gpu_check") == 0)
		put_list(text, service->policy->gpu_check + 1); /* where it lies differs */
	else if (strcmp(what, "listen") == 0)
		put_listens(text, config, service);
	else if (strcmp(what, "flags") == 0)
		put_flags(text, service);
	else
		return false;
	return true;
}

static bool put_fact(struct text *text, const struct config *config, const char *what)
{
	const struct sidecar_config *sidecar = &config->sidecar;

	if (strcmp(what, "services") == 0) {
		for (uint32_t i = 0; i < config->count; i++)
			put(text, "%s%s", i ? " " : "", config->services[i].name);
	} else if (strcmp(what, "name") == 0) {
		put(text, "%s", config->name);
	} else if (strcmp(what, "mode") == 0) {
		put(text, "%s", mode_name(config->mode));
	} else if (strcmp(what, "times") == 0) {
		put(text, "parallel %u start %llu stop %llu drain %llu log %u",
		    config->start_parallel, (unsigned long long)config->start_timeout,
		    (unsigned long long)config->stop_timeout, (unsigned long long)config->drain,
		    config->log);
	} else if (strcmp(what, "exit_code_from") == 0) {
		put(text, "%s",
		    config->exit_code_from < 0 ? "-"
					       : config->services[config->exit_code_from].name);
	} else if (strcmp(what, "environment") == 0) {
		put_list(text, config->common_environment);
	} else if (strcmp(what, "sidecar") == 0) {
		put(text, "%s%s %s %s ", sidecar->present ? "present" : "absent",
		    sidecar->external ? " external" : "", sidecar->program ? sidecar->program : "-",
		    sidecar->user ? sidecar->user : "-");
		put_list(text, sidecar->listen);
	} else {
		return false;
	}
	return true;
}

/* WHAT = VALUE, or SERVICE WHAT = VALUE. */
static int check_fact(const struct config *config, char *fact)
{
	char *value = strstr(fact, " = "), *word;
	static struct text text;
	bool known;
	int index;

	assert_non_null(value);
	*value = '\0';
	value += 3;
	text = (struct text){0};
	word = strchr(fact, ' ');
	if (word) {
		*word++ = '\0';
		index = config_find(config, fact);
		known = index >= 0 &&
			put_service_fact(&text, config, &config->services[index], word);
	} else {
		known = put_fact(&text, config, fact);
	}
	if (known && strcmp(text.bytes, value) == 0)
		return 0;
	print_error("fact %s %s: \"%s\" instead of \"%s\"\n", fact, word ? word : "",
		    known ? text.bytes : "(unknown)", value);
	return 1;
}

/* ---- one file ---- */

static void run_case(void **state)
{
	struct corpus_case *c = *state;
	const char *files[] = {c->path, NULL};
	struct config_source source = {.files = files, .find_dead = true};
	static struct config_errors errors;
	struct config *config;
	int wrong;

	add(&c->environment, "HOME=/home/tester");
	read_directives(c);
	source.environment = c->environment.list;
	if (c->program.count)
		source.program = c->program.list;
	config = config_load(&source, &errors);
	wrong = compare(c, &c->expects, errors.text, errors.kept, "error");
	wrong += compare(c, &c->warnings, errors.warning, errors.warnings, "warning");
	wrong += (config != NULL) != (c->expects.count == 0);
	wrong += errors.kept != errors.total;
	for (size_t i = 0; config && i < c->facts.count; i++)
		wrong += check_fact(config, c->facts.list[i]);
	config_free(config);
	config_errors_free(&errors);
	drop(&c->expects);
	drop(&c->warnings);
	drop(&c->facts);
	drop(&c->environment);
	drop(&c->program);
	assert_int_equal(wrong, 0);
}

/* ---- all files ---- */

static int is_case(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && strcmp(dot, ".ini") == 0;
}

/* The tests of one folder; the names are those of the files. */
static size_t collect(const char *dir, struct CMUnitTest **tests)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_case, alphasort);

	if (count <= 0) {
		fprintf(stderr, "no cases in %s: run this from the top of the sources\n", dir);
		return 0;
	}
	*tests = calloc((size_t)count, sizeof(**tests));
	for (int i = 0; i < count; i++) {
		struct corpus_case *c = calloc(1, sizeof(*c));
		char *name = strdup(entries[i]->d_name);

		if (!*tests || !c || !name)
			abort();
		snprintf(c->path, sizeof(c->path), "%s/%s", dir, name);
		name[strlen(name) - 4] = '\0';
		(*tests)[i] = (struct CMUnitTest){name, run_case, NULL, NULL, c};
		free(entries[i]);
	}
	free(entries);
	return (size_t)count;
}

static int run_folder(const char *dir)
{
	struct CMUnitTest *tests = NULL;
	size_t count = collect(dir, &tests);
	int failed = count ? _cmocka_run_group_tests(dir, tests, count, NULL, NULL) : 1;

	for (size_t i = 0; i < count; i++) {
		free((char *)(uintptr_t)tests[i].name);
		free(tests[i].initial_state);
	}
	free(tests);
	return failed;
}

int main(void)
{
	int failed = run_folder("tests/config/bad");

	return failed + run_folder("tests/config/good") ? 1 : 0;
}
