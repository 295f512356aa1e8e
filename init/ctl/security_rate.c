/* SPDX-License-Identifier: MIT */
#include "security.h"

#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>

#include "capability.h"
#include "config.h"

#define BIT(number) CAPABILITY_BIT(number)

/* ---- who it is ---- */

static int judge_user(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, "uid %u", (unsigned)s->facts->uid);
	return s->facts->uid == 0 || !s->facts->same_ids ? 100 : 0;
}

static int judge_groups(const struct subject *s, char found[FOUND_SIZE])
{
	bool root = s->facts->gid == 0;

	for (unsigned i = 0; i < s->facts->group_count; i++)
		root |= s->facts->groups[i] == 0;
	snprintf(found, FOUND_SIZE, "gid %u, %u supplementary", (unsigned)s->facts->gid,
		 s->facts->group_count);
	return root ? 100 : 0;
}

static int judge_own_user(const struct subject *s, char found[FOUND_SIZE])
{
	bool same = s->facts->uid == s->init->uid;

	snprintf(found, FOUND_SIZE, same ? "can signal and trace muster-init" : "another one");
	return same ? 100 : 0;
}

static int judge_shared_user(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, s->shares_user ? "shared with another service" : "of its own");
	return s->shares_user ? 100 : 0;
}

/* ---- what it may do ---- */

static int judge_no_new(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, s->facts->no_new_privileges ? "on" : "off");
	return s->facts->no_new_privileges ? 0 : 100;
}

static int judge_seccomp(const struct subject *s, char found[FOUND_SIZE])
{
	if (s->facts->seccomp == 2)
		snprintf(found, FOUND_SIZE, "%u filter%s", s->facts->filters,
			 s->facts->filters == 1 ? "" : "s");
	else
		snprintf(found, FOUND_SIZE, s->facts->seccomp ? "strict" : "no filter");
	return s->facts->seccomp ? 0 : 100;
}

#define ADMIN                                                                                      \
	(BIT(CAP_SYS_ADMIN) | BIT(CAP_SYS_MODULE) | BIT(CAP_SYS_RAWIO) | BIT(CAP_SYS_BOOT) |       \
	 BIT(CAP_SYS_TIME) | BIT(CAP_SYSLOG) | BIT(CAP_MAC_ADMIN) | BIT(CAP_MAC_OVERRIDE) |        \
	 BIT(CAP_AUDIT_CONTROL) | BIT(38) /* PERFMON */ | BIT(39) /* BPF */)
#define PROCESSES                                                                                  \
	(BIT(CAP_SYS_PTRACE) | BIT(CAP_KILL) | BIT(CAP_SYS_NICE) | BIT(CAP_SYS_RESOURCE) |         \
	 BIT(40) /* CHECKPOINT_RESTORE */)
#define IDENTITY (BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP) | BIT(CAP_SETFCAP))
#define FILES                                                                                      \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) | BIT(CAP_FOWNER) |     \
	 BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | BIT(CAP_SYS_CHROOT) |       \
	 BIT(CAP_LEASE))
#define PORTS   BIT(CAP_NET_BIND_SERVICE)
#define NETWORK (PORTS | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) | BIT(CAP_NET_BROADCAST))
#define REST    (~(ADMIN | PROCESSES | IDENTITY | FILES | NETWORK))

/*
 * What it has counts in full. What it only could get by executing a program counts for half, and
 * for a tenth when no_new_privileges stands in the way.
 */
static int judge_capabilities(const struct facts *facts, uint64_t of, char found[FOUND_SIZE])
{
	uint64_t has = (facts->permitted | facts->ambient) & of, may = facts->bounding & of;
	uint64_t shown = has ? has : may;
	unsigned first = shown ? capability_first(shown) : 0;
	const char *name = shown ? capability_name(first) : NULL;
	int more = __builtin_popcountll(shown) - 1;

	if (!shown) {
		snprintf(found, FOUND_SIZE, "none");
		return 0;
	}
	snprintf(found, FOUND_SIZE, "%s%s%s",
		 has ? "" : "in the bounding set: ", name ? name : "unknown",
		 more > 0 ? " and others" : "");
	if (has)
		return 100;
	return facts->no_new_privileges ? 10 : 50;
}

static int judge_admin(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_capabilities(s->facts, ADMIN, found);
}

static int judge_identity(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_capabilities(s->facts, IDENTITY, found);
}

static int judge_files(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_capabilities(s->facts, FILES, found);
}

static int judge_processes(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_capabilities(s->facts, PROCESSES, found);
}

static int judge_network(const struct subject *s, char found[FOUND_SIZE])
{
	int percent = judge_capabilities(s->facts, NETWORK, found);
	bool ports = !((s->facts->permitted | s->facts->bounding) & NETWORK & ~PORTS);

	return ports ? percent / 5 : percent;
}

static int judge_rest(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_capabilities(s->facts, REST, found);
}

static int judge_ambient(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE,
		 s->facts->ambient | s->facts->inheritable ? "what it starts has them, too"
							   : "none");
	return s->facts->ambient | s->facts->inheritable ? 100 : 0;
}

/* ---- what it sees of the rest; Landlock is in force when it was asked for, or init would not have
 * started the service, but the kernel does not show it ---- */

static int judge_landlock(const struct subject *s, bool written, char found[FOUND_SIZE])
{
	const struct landlock_config *landlock =
		s->config ? s->config->policy->identity->landlock : NULL;
	bool limited = landlock && landlock->mode != LANDLOCK_OFF && s->landlock &&
		       (landlock->read_only || (written && landlock->writable));

	snprintf(found, FOUND_SIZE, "%s",
		 !s->config ? "not known without the configuration"
		 : limited  ? "only what is listed (Landlock)"
			    : "whatever its user may");
	return limited ? 0 : 100;
}

static int judge_reading(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_landlock(s, false, found);
}

static int judge_writing(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_landlock(s, true, found);
}

static int judge_sharing(enum sharing sharing, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, "%s",
		 sharing == SHARING_YES  ? "shared with muster-init"
		 : sharing == SHARING_NO ? "of its own"
					 : "cannot be seen");
	return sharing == SHARING_UNKNOWN ? -1 : sharing == SHARING_YES ? 100 : 0;
}

static int judge_net(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_sharing(s->facts->network, found);
}

static int judge_mounts(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_sharing(s->facts->mounts, found);
}

static int judge_pids(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_sharing(s->facts->processes, found);
}

static int judge_terminal(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, s->facts->terminal ? "controls one" : "none");
	return s->facts->terminal ? 100 : 0;
}

static int judge_tracer(const struct subject *s, char found[FOUND_SIZE])
{
	if (s->facts->tracer)
		snprintf(found, FOUND_SIZE, "process %d", (int)s->facts->tracer);
	else
		snprintf(found, FOUND_SIZE, "nobody");
	return s->facts->tracer ? 100 : 0;
}

/* ---- limits ---- */

static int judge_umask(const struct subject *s, char found[FOUND_SIZE])
{
	snprintf(found, FOUND_SIZE, "%03o", s->facts->umask);
	if ((s->facts->umask & 022) != 022)
		return 100;
	return (s->facts->umask & 077) == 077 ? 0 : 30;
}

static int judge_limit(uint64_t limit, bool must_be_zero, char found[FOUND_SIZE])
{
	if (limit == UINT64_MAX)
		snprintf(found, FOUND_SIZE, "unlimited");
	else
		snprintf(found, FOUND_SIZE, "at most %" PRIu64, limit);
	return must_be_zero ? limit != 0 ? 100 : 0 : limit == UINT64_MAX ? 100 : 0;
}

static int judge_core(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_limit(s->facts->max_core, true, found);
}

static int judge_nproc(const struct subject *s, char found[FOUND_SIZE])
{
	return judge_limit(s->facts->max_processes, false, found);
}

/* ---- the table ---- */

/* They add up to 20000, so 2000 are one point of ten. Namespaces cannot be had from muster, which
 * may make none in most containers; without them the scale would flatter. */
const struct check security_checks[] = {
	{"not root", 2000, judge_user},
	{"no root group", 400, judge_groups},
	{"not muster-init's user", 500, judge_own_user},
	{"user not shared", 300, judge_shared_user},
	{"no_new_privileges", 1000, judge_no_new},
	{"system calls filtered", 2000, judge_seccomp},
	{"capabilities: administration", 1500, judge_admin},
	{"capabilities: identity", 1500, judge_identity},
	{"capabilities: files", 1500, judge_files},
	{"capabilities: processes", 1000, judge_processes},
	{"capabilities: network", 1000, judge_network},
	{"capabilities: others", 300, judge_rest},
	{"capabilities: passed on", 300, judge_ambient},
	{"files it can change", 1500, judge_writing},
	{"files it can read", 1000, judge_reading},
	{"network", 1500, judge_net},
	{"mounts", 1000, judge_mounts},
	{"processes it can see", 500, judge_pids},
	{"traced by", 500, judge_tracer},
	{"terminal", 200, judge_terminal},
	{"core dumps", 200, judge_core},
	{"processes it can start", 200, judge_nproc},
	{"umask", 100, judge_umask},
};
const unsigned security_check_count = sizeof(security_checks) / sizeof(security_checks[0]);
_Static_assert(sizeof(security_checks) / sizeof(security_checks[0]) <= CHECKS_MAX, "CHECKS_MAX");

void security_rate(const struct subject *subject, struct rating *rating)
{
	uint64_t sum = 0;

	rating->weight = 0;
	for (unsigned i = 0; i < security_check_count; i++) {
		const struct check *check = &security_checks[i];

		rating->percent[i] = check->judge(subject, rating->found[i]);
		if (rating->percent[i] < 0)
			continue;
		rating->weight += check->weight;
		sum += (uint64_t)check->weight * (unsigned)rating->percent[i];
	}
	rating->exposure =
		rating->weight ? (unsigned)((sum * 10 + rating->weight / 2) / rating->weight) : 0;
}

unsigned security_share(const struct rating *rating, unsigned check)
{
	if (rating->percent[check] <= 0)
		return 0;
	return (security_checks[check].weight * (unsigned)rating->percent[check] * 10 +
		rating->weight / 2) /
	       rating->weight;
}

const char *security_level(unsigned exposure)
{
	return exposure <= 310 ? "low" : exposure <= 600 ? "medium" : "high";
}
