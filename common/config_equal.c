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
	if (!a || !b)
		return a == b;
	return a->kind == b->kind && a->fd == b->fd && a->period == b->period &&
	       a->timeout == b->timeout && a->initial_delay == b->initial_delay &&
	       a->failure_threshold == b->failure_threshold &&
	       a->success_threshold == b->success_threshold && same_text(a->target, b->target) &&
	       same_text(a->path, b->path) && same_list(a->argv, b->argv);
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

static bool same_identity(const struct identity_config *a, const struct identity_config *b)
{
	return a->change_user == b->change_user && a->no_new_privileges == b->no_new_privileges &&
	       a->has_umask == b->has_umask && a->has_nice == b->has_nice &&
	       a->has_oom == b->has_oom && a->uid == b->uid && a->gid == b->gid &&
	       a->umask == b->umask && a->nice == b->nice && a->oom_score_adj == b->oom_score_adj &&
	       a->group_count == b->group_count &&
	       (a->group_count == 0 ||
		memcmp(a->groups, b->groups, a->group_count * sizeof(gid_t)) == 0) &&
	       same_text(a->user_name, b->user_name) && same_text(a->working_dir, b->working_dir) &&
	       same_limits(a->limits, b->limits) && a->change_caps == b->change_caps &&
	       a->cap_add == b->cap_add && a->cap_drop == b->cap_drop &&
	       same_landlock(a->landlock, b->landlock) && same_seccomp(&a->seccomp, &b->seccomp);
}

static bool same_policy(const struct policy_config *a, const struct policy_config *b)
{
	return a->ready_timeout == b->ready_timeout && a->start_retries == b->start_retries &&
	       a->restart == b->restart && a->log == b->log && a->stop_signal == b->stop_signal &&
	       a->log_keep == b->log_keep && a->backoff_min == b->backoff_min &&
	       a->backoff_max == b->backoff_max && a->restart_limit == b->restart_limit &&
	       a->restart_window == b->restart_window && a->stop_grace == b->stop_grace &&
	       a->log_max_size == b->log_max_size && same_text(a->log_path, b->log_path) &&
	       same_list(a->pre_start, b->pre_start) &&
	       same_list(a->stop_command, b->stop_command) &&
	       same_list(a->post_stop, b->post_stop) && same_identity(a->identity, b->identity);
}

static bool same_deps(const struct config *a, const struct service_config *x,
		      const struct config *b, const struct service_config *y)
{
	if (x->dep_count != y->dep_count)
		return false;
	for (uint32_t i = 0; i < x->dep_count; i++)
		if (x->deps[i].condition != y->deps[i].condition ||
		    x->deps[i].optional != y->deps[i].optional ||
		    strcmp(a->services[x->deps[i].service].name,
			   b->services[y->deps[i].service].name) != 0)
			return false;
	return true;
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

bool service_config_equal(const struct config *a, const struct service_config *x,
			  const struct config *b, const struct service_config *y)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (!same_probe(x->probes[role], y->probes[role]))
			return false;
	return strcmp(x->name, y->name) == 0 && same_list(x->argv, y->argv) &&
	       same_list(x->environment, y->environment) && same_deps(a, x, b, y) &&
	       same_listens(a, x, b, y) && same_policy(x->policy, y->policy) &&
	       x->type == y->type && x->start == y->start && x->idle_stop == y->idle_stop &&
	       x->essential == y->essential && x->on_address_change == y->on_address_change &&
	       x->internal == y->internal;
}
