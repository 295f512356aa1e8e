/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_list(char *const *a, char *const *b)
{
	if (!a || !b)
		return a == b;
	for (; *a && *b; a++, b++)
		if (strcmp(*a, *b) != 0)
			return false;
	return *a == *b;
}

/* The target holds the regular expression too, so the compiled one need not be looked at. */
static bool same_probe(const struct probe_config *a, const struct probe_config *b)
{
	return a->kind == b->kind && a->fd == b->fd && a->period == b->period &&
	       a->timeout == b->timeout && a->initial_delay == b->initial_delay &&
	       a->failure_threshold == b->failure_threshold &&
	       a->success_threshold == b->success_threshold && same_text(a->target, b->target) &&
	       same_text(a->path, b->path) && same_list(a->argv, b->argv);
}

static bool same_probes(const struct probe_config *a, const struct probe_config *b)
{
	for (; a && b; a = a->next, b = b->next)
		if (!same_probe(a, b))
			return false;
	return a == b;
}

static bool same_limits(const struct limit_config *a, const struct limit_config *b)
{
	if (!a || !b)
		return a == b;
	for (;; a++, b++) {
		if (a->resource != b->resource)
			return false;
		if (a->resource < 0)
			return true;
		if (a->value.rlim_cur != b->value.rlim_cur ||
		    a->value.rlim_max != b->value.rlim_max)
			return false;
	}
}

static bool same_landlock(const struct landlock_config *a, const struct landlock_config *b)
{
	if (!a || !b)
		return a == b;
	return a->mode == b->mode && same_list(a->read_only, b->read_only) &&
	       same_list(a->writable, b->writable);
}

static bool same_seccomp(const struct seccomp_config *a, const struct seccomp_config *b)
{
	return a->mode == b->mode && a->audit == b->audit && same_text(a->path, b->path);
}

/* ---- what differs, by the keys that say it ---- */

struct difference {
	const char **keys;
	unsigned max, count;
};

static void note(struct difference *d, const char *key, bool same)
{
	if (same)
		return;
	if (d->count < d->max)
		d->keys[d->count] = key;
	d->count++;
}

static bool same_groups(const struct identity_config *a, const struct identity_config *b)
{
	return a->gid == b->gid && a->group_count == b->group_count &&
	       (a->group_count == 0 ||
		memcmp(a->groups, b->groups, a->group_count * sizeof(gid_t)) == 0);
}

static void compare_identity(struct difference *d, const struct identity_config *a,
			     const struct identity_config *b)
{
	note(d, "user",
	     a->change_user == b->change_user && a->uid == b->uid &&
		     same_text(a->user_name, b->user_name));
	note(d, "group", same_groups(a, b));
	note(d, "cap_add", a->change_caps == b->change_caps && a->cap_add == b->cap_add);
	note(d, "cap_drop", a->cap_drop == b->cap_drop);
	note(d, "no_new_privileges", a->no_new_privileges == b->no_new_privileges);
	note(d, "seccomp", same_seccomp(&a->seccomp, &b->seccomp));
	note(d, "landlock", same_landlock(a->landlock, b->landlock));
	note(d, "ulimit_*", same_limits(a->limits, b->limits));
	note(d, "umask", a->has_umask == b->has_umask && a->umask == b->umask);
	note(d, "nice", a->has_nice == b->has_nice && a->nice == b->nice);
	note(d, "oom_score_adj", a->has_oom == b->has_oom && a->oom_score_adj == b->oom_score_adj);
	note(d, "cpuset", !a->cpus || !b->cpus ? a->cpus == b->cpus : CPU_EQUAL(a->cpus, b->cpus));
	note(d, "working_dir", same_text(a->working_dir, b->working_dir));
}

static void compare_cgroup(struct difference *d, const struct cgroup_config *a,
			   const struct cgroup_config *b)
{
	static const struct cgroup_config none;

	a = a ? a : &none;
	b = b ? b : &none;
	note(d, "memory_max", a->memory_max == b->memory_max);
	note(d, "cpu_max", a->cpu_max == b->cpu_max);
	note(d, "pids_max", a->pids_max == b->pids_max);
}

static void compare_policy(struct difference *d, const struct policy_config *a,
			   const struct policy_config *b)
{
	note(d, "ready_timeout", a->ready_timeout == b->ready_timeout);
	note(d, "watchdog", a->watchdog == b->watchdog);
	note(d, "start_retries", a->start_retries == b->start_retries);
	note(d, "restart", a->restart == b->restart);
	note(d, "restart_backoff",
	     a->backoff_min == b->backoff_min && a->backoff_max == b->backoff_max);
	note(d, "restart_limit",
	     a->restart_limit == b->restart_limit && a->restart_window == b->restart_window);
	note(d, "stop_signal", a->stop_signal == b->stop_signal);
	note(d, "stop_grace_period", a->stop_grace == b->stop_grace);
	note(d, "require_gpu", same_list(a->gpu_check, b->gpu_check));
	note(d, "pre_start", same_list(a->pre_start, b->pre_start));
	note(d, "stop_command", same_list(a->stop_command, b->stop_command));
	note(d, "post_stop", same_list(a->post_stop, b->post_stop));
	note(d, "log", a->log == b->log && same_text(a->log_path, b->log_path));
	note(d, "log_max_size", a->log_max_size == b->log_max_size);
	note(d, "log_keep", a->log_keep == b->log_keep);
	compare_cgroup(d, a->cgroup, b->cgroup);
}

/* As it was named: how many replicas there are concerns nobody who waits for all of them. */
static const char *dep_name(const struct config *config, const struct service_config *service,
			    uint32_t i)
{
	const struct service_config *to = &config->services[service->deps[i].service];

	return service->deps[i].whole ? to->replica_of : to->name;
}

static uint32_t next_dep(const struct config *config, const struct service_config *service,
			 uint32_t i)
{
	const char *name = dep_name(config, service, i);

	for (i++; service->deps[i - 1].whole && i < service->dep_count && service->deps[i].whole;
	     i++)
		if (dep_name(config, service, i) != name)
			break;
	return i;
}

static bool same_deps(const struct config *a, const struct service_config *x,
		      const struct config *b, const struct service_config *y)
{
	uint32_t i = 0, j = 0;

	for (; i < x->dep_count && j < y->dep_count; i = next_dep(a, x, i), j = next_dep(b, y, j))
		if (x->deps[i].condition != y->deps[j].condition ||
		    x->deps[i].optional != y->deps[j].optional ||
		    x->deps[i].restart != y->deps[j].restart ||
		    x->deps[i].whole != y->deps[j].whole ||
		    strcmp(dep_name(a, x, i), dep_name(b, y, j)) != 0)
			return false;
	return i == x->dep_count && j == y->dep_count;
}

/* That they are the same sockets, and in the same order. */
static bool same_listens(const struct config *a, const struct service_config *x,
			 const struct config *b, const struct service_config *y)
{
	if (x->listen_count != y->listen_count || !same_text(x->listen_names, y->listen_names))
		return false;
	for (uint32_t i = 0; i < x->listen_count; i++)
		if (strcmp(a->listens[x->listen_first + i].text,
			   b->listens[y->listen_first + i].text) != 0)
			return false;
	return true;
}

unsigned service_config_compare(const struct config *a, const struct service_config *x,
				const struct config *b, const struct service_config *y,
				const char **keys, unsigned max)
{
	static const char *const probes[ROLE_COUNT] = {[ROLE_READINESS] = "readiness_probe",
						       [ROLE_STARTUP] = "startup_probe",
						       [ROLE_LIVENESS] = "liveness_probe"};
	struct difference d = {keys, max, 0};

	note(&d, "command", same_list(x->argv, y->argv));
	note(&d, "type", x->type == y->type && x->internal == y->internal);
	note(&d, "environment", same_list(x->environment, y->environment));
	note(&d, "depends_on", same_deps(a, x, b, y));
	note(&d, "listen", same_listens(a, x, b, y));
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		note(&d, probes[role], same_probes(x->probes[role], y->probes[role]));
	note(&d, "start", x->start == y->start);
	note(&d, "idle_stop", x->idle_stop == y->idle_stop);
	note(&d, "essential", x->essential == y->essential);
	note(&d, "on_address_change", x->on_address_change == y->on_address_change);
	compare_policy(&d, x->policy, y->policy);
	compare_identity(&d, x->policy->identity, y->policy->identity);
	return d.count;
}

bool service_config_equal(const struct config *a, const struct service_config *x,
			  const struct config *b, const struct service_config *y)
{
	return strcmp(x->name, y->name) == 0 && !service_config_compare(a, x, b, y, NULL, 0);
}
