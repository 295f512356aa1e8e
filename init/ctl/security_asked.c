/* SPDX-License-Identifier: MIT */
#include "security.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>

#include "capability.h"
#include "config.h"
#include "passwd.h"

struct comparison {
	const struct facts *facts;
	const struct identity_config *id;
	struct difference *list;
	unsigned count;
};

/* The next entry; the last one is used again when there is no more room. */
static struct difference *differ(struct comparison *c, const char *key)
{
	struct difference *d = &c->list[c->count];

	if (c->count + 1 < DIFFERENCES_MAX)
		c->count++;
	*d = (struct difference){0};
	snprintf(d->key, sizeof(d->key), "%s", key);
	return d;
}

__attribute__((format(printf, 3, 4))) static void put(char *text, size_t size, const char *format,
						      ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

#define ASKED(d, ...) put((d)->asked, sizeof((d)->asked), __VA_ARGS__)
#define FOUND(d, ...) put((d)->found, sizeof((d)->found), __VA_ARGS__)

static void compare_user(struct comparison *c)
{
	struct passwd_user user;
	struct difference *d;

	if (!c->id->user_name || passwd_user(c->id->user_name, &user) < 0 ||
	    (user.uid == c->facts->uid && c->facts->same_ids))
		return;
	d = differ(c, "user");
	ASKED(d, "%s (%u)", c->id->user_name, (unsigned)user.uid);
	FOUND(d, "%u%s", (unsigned)c->facts->uid, c->facts->same_ids ? "" : ", ids differ");
}

static void compare_flags(struct comparison *c)
{
	struct difference *d;

	if (c->id->no_new_privileges && !c->facts->no_new_privileges) {
		d = differ(c, "no_new_privileges");
		ASKED(d, "yes");
		FOUND(d, "no");
	}
	if (c->id->seccomp.mode != SECCOMP_UNCONFINED && c->id->seccomp.asked &&
	    c->facts->seccomp != 2) {
		d = differ(c, "seccomp");
		ASKED(d, "a filter");
		FOUND(d, "none");
	}
}

static void compare_set(struct comparison *c, const char *what, uint64_t excess)
{
	struct difference *d;
	const char *name;

	if (!excess)
		return;
	d = differ(c, "cap_drop");
	name = capability_name(capability_first(excess));
	ASKED(d, "without %s", name ? name : "unknown ones");
	FOUND(d, "%d too many in the %s set", __builtin_popcountll(excess), what);
}

/* An added one may be held by root alone; what is dropped is gone for everybody. */
static void compare_capabilities(struct comparison *c)
{
	bool all = c->id->cap_add == CAPABILITY_ALL;
	uint64_t given = ~c->id->cap_drop | (all ? 0 : c->id->cap_add);
	uint64_t missing = all ? 0 : c->id->cap_add & ~c->facts->permitted;
	struct difference *d;
	const char *name;

	if (!c->id->change_caps)
		return;
	compare_set(c, "permitted", c->facts->permitted & ~given);
	if (!c->id->no_new_privileges)
		compare_set(c, "bounding", c->facts->bounding & ~given);
	if (!missing)
		return;
	d = differ(c, "cap_add");
	name = capability_name(capability_first(missing));
	ASKED(d, "%s", name ? name : "unknown ones");
	FOUND(d, "missing: %d", __builtin_popcountll(missing));
}

static void compare_number(struct comparison *c, const char *key, uint64_t asked, uint64_t found)
{
	struct difference *d;

	if (asked == found)
		return;
	d = differ(c, key);
	ASKED(d, "%" PRIu64, asked);
	FOUND(d, "%" PRIu64, found);
}

static void compare_limits(struct comparison *c)
{
	for (const struct limit_config *limit = c->id->limits; limit && limit->resource >= 0;
	     limit++) {
		uint64_t hard = limit->value.rlim_max; /* RLIM_INFINITY is UINT64_MAX, as here */

		if (limit->resource == RLIMIT_CORE)
			compare_number(c, "ulimit_core", hard, c->facts->max_core);
		else if (limit->resource == RLIMIT_NPROC)
			compare_number(c, "ulimit_nproc", hard, c->facts->max_processes);
		else if (limit->resource == RLIMIT_NOFILE)
			compare_number(c, "ulimit_nofile", hard, c->facts->max_files);
	}
}

static void compare_rest(struct comparison *c)
{
	struct difference *d;

	if (c->id->has_umask && c->id->umask != c->facts->umask) {
		d = differ(c, "umask");
		ASKED(d, "%03o", (unsigned)c->id->umask);
		FOUND(d, "%03o", c->facts->umask);
	}
	if (c->id->has_oom && c->id->oom_score_adj != c->facts->oom_score_adj) {
		d = differ(c, "oom_score_adj");
		ASKED(d, "%d", c->id->oom_score_adj);
		FOUND(d, "%d", c->facts->oom_score_adj);
	}
}

unsigned security_compare(const struct facts *facts, const struct service_config *config,
			  struct difference list[DIFFERENCES_MAX])
{
	struct comparison c = {.facts = facts, .id = config->policy->identity, .list = list};

	compare_user(&c);
	compare_flags(&c);
	compare_capabilities(&c);
	compare_limits(&c);
	compare_rest(&c);
	return c.count;
}
