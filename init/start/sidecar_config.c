/* SPDX-License-Identifier: MIT */
#include "sidecar_config.h"

#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "address.h"
#include "arena.h"
#include "config.h"
#include "endpoint.h"
#include "fd.h"
#include "keys.h"
#include "log.h"
#include "passwd.h"

/* ---- where it is ---- */

static bool try_path(char *path, size_t size, const char *directory, size_t len)
{
	int n = snprintf(path, size, "%.*s/%s", (int)len, directory, SIDECAR_NAME);

	return n > 0 && (size_t)n < size && access(path, X_OK) == 0;
}

const char *sidecar_find_program(const struct config *config)
{
	static char path[PATH_MAX];
	char self[PATH_MAX];
	const char *at = NULL;
	ssize_t n;

	if (config->sidecar.program)
		return access(config->sidecar.program, X_OK) == 0 ? config->sidecar.program : NULL;
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (n > 0) {
		self[n] = '\0';
		at = strrchr(self, '/');
	}
	if (at && try_path(path, sizeof(path), self, (size_t)(at - self)))
		return path;
	for (at = "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin"; at;) {
		size_t len = strcspn(at, ":");

		if (try_path(path, sizeof(path), at, len))
			return path;
		at = at[len] ? at + len + 1 : NULL;
	}
	return NULL;
}

/* ---- who it is ---- */

/* Whether this user exists in our user namespace (user_namespaces(7): lines "inside outside
 * count"): with a map of one user, as a rootless container made by hand has it, no other can be
 * set, and "root" there is nobody outside. */
static bool is_mapped(const char *map, unsigned long id)
{
	char text[4096];
	char *at = text;

	if (fd_read_file(map, text, sizeof(text)) <= 0)
		return true;
	for (;;) {
		char *begin = at;
		unsigned long inside = strtoul(at, &at, 10), count;

		strtoul(at, &at, 10);
		count = strtoul(at, &at, 10);
		if (at == begin || count == 0)
			return false;
		if (id >= inside && id - inside < count)
			return true;
	}
}

static bool exists_here(const struct passwd_user *user)
{
	return is_mapped("/proc/self/uid_map", user->uid) &&
	       is_mapped("/proc/self/gid_map", user->gid);
}

const char *sidecar_user_problem(const struct config *config)
{
	static char text[200];
	const char *wanted = config->sidecar.user;
	struct passwd_user user;
	int rc;

	if (!wanted || geteuid() != 0)
		return NULL;
	rc = passwd_user(wanted, &user);
	if (!rc && exists_here(&user))
		return NULL;
	snprintf(text, sizeof(text), "[sidecar] user: \"%.100s\"%s%s", wanted, rc ? ": " : "",
		 rc ? strerror(-rc) : " does not exist in this user namespace");
	return text;
}

static void fill_identity(struct identity_config *identity, const struct config *config,
			  gid_t *groups)
{
	const char *wanted = config->sidecar.user;
	struct passwd_user user = {.uid = SIDECAR_UID, .gid = SIDECAR_UID};

	identity->no_new_privileges = true;
	identity->has_umask = true;
	identity->umask = 077;
	identity->change_caps = true;
	identity->cap_drop = UINT64_MAX;
	if (geteuid() != 0)
		return; /* it runs as what init is */
	passwd_user(wanted ? wanted : SIDECAR_USER, &user);
	if (!wanted && !exists_here(&user)) {
		log_info("user %u does not exist in this user namespace: the sidecar runs as the "
			 "user of muster-init",
			 (unsigned)user.uid);
		return;
	}
	groups[0] = user.gid;
	identity->change_user = true;
	identity->uid = user.uid;
	identity->gid = user.gid;
	identity->groups = groups;
	identity->group_count = 1;
}

/* ---- the service ---- */

/* What is told to it, or, with `list` NULL, only counted. */
struct words {
	const char **list;
	size_t count;
};

static void add(struct words *words, const char *option, const char *value)
{
	if (words->list) {
		words->list[words->count] = option;
		words->list[words->count + 1] = value;
	}
	words->count += 2;
}

static void add_list(struct words *words, const char *option, char *const *values)
{
	for (; values && *values; values++)
		add(words, option, *values);
}

static void add_forwards(struct words *words, struct arena *arena, const struct address_book *book)
{
	char text[CONFIG_NAME_MAX + ENDPOINT_SIZE + 2];

	for (uint32_t i = 0; i < book->count; i++)
		for (char *const *at = book->entries[i].forward; *at; at++) {
			snprintf(text, sizeof(text), "%s=%s", book->entries[i].name, *at);
			add(words, "--forward", words->list ? arena_strdup(arena, text) : NULL);
		}
}

static void add_peers(struct words *words, struct arena *arena, const struct config *config)
{
	char text[PEER_OPTION_SIZE];

	for (uint32_t i = 0; i < config->peer_count; i++) {
		const struct peer_config *peer = &config->peers[i];

		snprintf(text, sizeof(text), PEER_OPTION, peer->name, peer->period, peer->url);
		add(words, "--peer", words->list ? arena_strdup(arena, text) : NULL);
	}
}

static void add_number(struct words *words, struct arena *arena, const char *option,
		       unsigned number, unsigned usual)
{
	char text[12];

	snprintf(text, sizeof(text), "%u", number);
	if (number != usual)
		add(words, option, words->list ? arena_strdup(arena, text) : NULL);
}

static void add_all(struct words *words, struct arena *arena, const struct config *config,
		    const char *run_dir)
{
	const struct sidecar_config *sidecar = &config->sidecar;

	add(words, "--host", config->name);
	if (run_dir)
		add(words, "--run-dir", run_dir);
	add_list(words, "--listen", sidecar->listen);
	add_list(words, "--dns", sidecar->dns);
	if (sidecar->dns) {
		add(words, "--dns-zone", sidecar->dns_zone);
		add_list(words, "--dns-upstream", sidecar->dns_upstream);
		if (sidecar->dns_upstream && !*sidecar->dns_upstream)
			add(words, "--dns-upstream", "no");
	}
	add_forwards(words, arena, config->addresses);
	if (sidecar->gpu != GPU_AUTO)
		add(words, "--gpu", key_gpus[sidecar->gpu]);
	add_number(words, arena, "--connections", sidecar->connections, CONNECTIONS_DEFAULT);
	add_number(words, arena, "--connections-per-host", sidecar->connections_per_host,
		   CONNECTIONS_HOST_DEFAULT);
	add_peers(words, arena, config);
}

static char *const *make_argv(const struct config *config, struct arena *arena, const char *program,
			      const char *run_dir)
{
	struct words words = {0};
	const char **argv;

	add_all(&words, arena, config, run_dir);
	argv = arena_array(arena, words.count + 2, sizeof(*argv));
	if (!argv)
		return NULL;
	words = (struct words){.list = argv + 1};
	add_all(&words, arena, config, run_dir);
	argv[0] = arena_strdup(arena, program);
	for (size_t i = 0; i <= words.count; i++)
		if (!argv[i])
			return NULL;
	return (char *const *)(uintptr_t)argv;
}

static bool same_words(char *const *a, char *const *b)
{
	while (a && b && *a && *b && strcmp(*a, *b) == 0) {
		a++;
		b++;
	}
	return a && b && !*a && !*b;
}

bool sidecar_same(const struct config *a, const struct config *b)
{
	const char *user_a = a->sidecar.user ? a->sidecar.user : "";
	const char *user_b = b->sidecar.user ? b->sidecar.user : "";
	struct arena *arena = arena_create();
	bool same = arena && a->log == b->log && strcmp(user_a, user_b) == 0 &&
		    same_words(make_argv(a, arena, "", NULL), make_argv(b, arena, "", NULL));

	if (arena)
		arena_destroy(arena);
	return same;
}

static void fill_policy(struct policy_config *policy, const struct config *config)
{
	policy->ready_timeout = 60000;
	policy->start_retries = UINT32_MAX;
	policy->restart = RESTART_ALWAYS;
	policy->log = config->log == LOG_FILE ? LOG_PREFIX : config->log;
	policy->stop_signal = SIGTERM;
	policy->backoff_min = 100;
	policy->backoff_max = 5000;
	policy->restart_window = 60000;
	policy->stop_grace = 2000;
}

const struct service_config *sidecar_service(const struct config *config, struct arena *arena,
					     const char *program, const char *run_dir)
{
	static const char *const environment[] = {"MUSTER_SERVICE=" SIDECAR_NAME, NULL};
	struct service_config *service = arena_alloc(arena, sizeof(*service));
	struct policy_config *policy = arena_alloc(arena, sizeof(*policy));
	struct identity_config *identity = arena_alloc(arena, sizeof(*identity));
	gid_t *groups = arena_array(arena, 1, sizeof(*groups));

	if (!service || !policy || !identity || !groups || !program)
		return NULL;
	fill_identity(identity, config, groups);
	fill_policy(policy, config);
	policy->identity = identity;
	service->name = SIDECAR_NAME;
	service->argv = make_argv(config, arena, program, run_dir);
	service->environment = (char *const *)(uintptr_t)environment;
	service->policy = policy;
	service->type = TYPE_SERVICE;
	service->start = START_AUTO;
	service->internal = true;
	return service->argv ? service : NULL;
}
