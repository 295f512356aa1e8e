/* SPDX-License-Identifier: MIT */
#include "identity.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "capability.h"
#include "keys.h"
#include "passwd.h"
#include "str.h"

/* The kernel takes 65536; more than this in one container is a mistake. */
#define GROUPS_MAX 1024
#define NAME_SIZE  72

static gid_t groups[GROUPS_MAX];

/* ---- limits ---- */

static bool parse_limit(const char *text, bool in_bytes, rlim_t *out)
{
	uint64_t value;

	if (strcmp(text, "unlimited") == 0) {
		*out = RLIM_INFINITY;
		return true;
	}
	if (in_bytes ? !parse_size(text, &value) : !parse_uint(text, UINT64_MAX - 1, &value))
		return false;
	*out = (rlim_t)value;
	return true;
}

/* SOFT or SOFT:HARD; one alone is both. */
static bool parse_limits(const char *text, bool in_bytes, struct rlimit *out)
{
	char soft[32];
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);

	if (len >= sizeof(soft))
		return false;
	memcpy(soft, text, len);
	soft[len] = '\0';
	return parse_limit(soft, in_bytes, &out->rlim_cur) &&
	       parse_limit(colon ? colon + 1 : soft, in_bytes, &out->rlim_max) &&
	       out->rlim_cur <= out->rlim_max;
}

/* The key ulimit_NAME of a service knows the resource and whether it is counted in bytes. */
static const struct key *limit_key(const char *text, size_t len)
{
	char name[32] = "ulimit_";
	const struct key *key;

	if (len >= sizeof(name) - strlen(name))
		return NULL;
	memcpy(name + strlen(name), text, len);
	key = key_find(SECTION_SERVICE, name);
	return key && key->form == KEY_LIMIT ? key : NULL;
}

static struct limit_config *limit_slot(struct identity_options *options, int resource)
{
	for (unsigned i = 0; i < options->limit_count; i++)
		if (options->limits[i].resource == resource)
			return &options->limits[i];
	if (options->limit_count == IDENTITY_LIMITS_MAX)
		return NULL;
	return &options->limits[options->limit_count++];
}

bool identity_add_limit(struct identity_options *options, const char *text, char *error,
			size_t size)
{
	const char *equal = strchr(text, '=');
	const struct key *key = limit_key(text, equal ? (size_t)(equal - text) : strlen(text));
	struct limit_config *slot;
	struct rlimit value;

	if (!key || !equal) {
		snprintf(error, size,
			 "is not a limit; write NAME=SOFT[:HARD], NAME one of as, core, cpu, data, "
			 "fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, "
			 "rttime, sigpending, stack");
		return false;
	}
	if (!parse_limits(equal + 1, key->max != 0, &value)) {
		snprintf(error, size,
			 "needs SOFT[:HARD], each %s or `unlimited`, SOFT at most HARD",
			 key->max ? FORM_SIZE : "a number");
		return false;
	}
	slot = limit_slot(options, (int)key->min);
	if (!slot) {
		snprintf(error, size, "is one limit too many");
		return false;
	}
	*slot = (struct limit_config){(int)key->min, value};
	options->limits[options->limit_count].resource = -1;
	options->config.limits = options->limits;
	return true;
}

/* ---- capabilities ---- */

static bool explain_capability(const char *name, char *error, size_t size)
{
	const char *near = capability_nearest(name);

	snprintf(error, size, "\"%s\" is no capability such as NET_BIND_SERVICE, nor ALL%s%s%s",
		 name, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	return false;
}

bool identity_add_capabilities(struct identity_options *options, const char *text, uint64_t *set,
			       char *error, size_t size)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		char name[NAME_SIZE];
		uint64_t one;

		snprintf(name, sizeof(name), "%.*s", (int)len, text);
		if (!capability_parse(name, &one))
			return explain_capability(name, error, size);
		*set |= one;
		options->config.change_caps = true;
		if (text[len] == '\0')
			return true;
		text += len + 1;
	}
}

/* ---- user and groups ---- */

static bool explain(int rc, const char *what, const char *name, char *error, size_t size)
{
	if (rc == -ENOENT)
		snprintf(error, size, "%s \"%s\" does not exist here", what, name);
	else if (rc == -EINVAL)
		snprintf(error, size, "%s \"%s\" is neither a name nor a number", what, name);
	else
		snprintf(error, size, "%s \"%s\" cannot be looked up: %s", what, name,
			 strerror(-rc));
	return false;
}

static bool add_group(struct identity_config *config, gid_t gid)
{
	for (uint32_t i = 0; i < config->group_count; i++)
		if (groups[i] == gid)
			return true;
	if (config->group_count == GROUPS_MAX)
		return false;
	groups[config->group_count++] = gid;
	return true;
}

/* Copies `len` characters; false when it does not fit. */
static bool copy_part(char part[NAME_SIZE], const char *text, size_t len)
{
	if (len >= NAME_SIZE)
		return false;
	memcpy(part, text, len);
	part[len] = '\0';
	return true;
}

/* The primary group first, then all that the user is a member of, as with the keys of a service. */
static bool resolve_user(struct identity_options *options, char *error, size_t size)
{
	struct identity_config *config = &options->config;
	const char *colon = strchr(options->user, ':');
	size_t len = colon ? (size_t)(colon - options->user) : strlen(options->user);
	struct passwd_user user;
	char name[NAME_SIZE];
	int rc;

	rc = copy_part(name, options->user, len) ? passwd_user(name, &user) : -EINVAL;
	if (rc < 0)
		return explain(rc, "user", options->user, error, size);
	config->uid = user.uid;
	config->gid = user.gid;
	rc = colon ? passwd_group(colon + 1, &config->gid) : 0;
	if (rc < 0)
		return explain(rc, "group", colon + 1, error, size);
	rc = passwd_groups(user.name, config->gid, groups, GROUPS_MAX);
	if (rc < 0 || rc > GROUPS_MAX)
		return explain(rc < 0 ? rc : -E2BIG, "groups of user", name, error, size);
	config->group_count = (uint32_t)rc;
	return true;
}

/* Without --user, --groups adds to what init has. */
static bool take_own_identity(struct identity_config *config, char *error, size_t size)
{
	int count = getgroups(GROUPS_MAX, groups);

	if (count < 0) {
		snprintf(error, size, "cannot read own groups: %s", strerror(errno));
		return false;
	}
	config->uid = geteuid();
	config->gid = getegid();
	config->group_count = (uint32_t)count;
	return add_group(config, config->gid);
}

static bool resolve_groups(struct identity_options *options, char *error, size_t size)
{
	const char *at = options->groups;

	for (;;) {
		size_t len = strcspn(at, ",");
		char name[NAME_SIZE] = "";
		gid_t gid;
		int rc = copy_part(name, at, len) ? passwd_group(name, &gid) : -EINVAL;

		if (rc < 0)
			return explain(rc, "group", name, error, size);
		if (!add_group(&options->config, gid))
			return explain(-E2BIG, "group", name, error, size);
		if (at[len] == '\0')
			return true;
		at += len + 1;
	}
}

bool identity_resolve(struct identity_options *options, char *error, size_t size)
{
	struct identity_config *config = &options->config;

	if (!options->user && !options->groups)
		return true;
	config->change_user = true;
	config->groups = groups;
	config->user_name = options->user;
	if (options->user ? !resolve_user(options, error, size)
			  : !take_own_identity(config, error, size))
		return false;
	return !options->groups || resolve_groups(options, error, size);
}
