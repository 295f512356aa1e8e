/* SPDX-License-Identifier: MIT */
#include "capability.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "keys.h"
#include "str.h"

#define NAMES 41 /* 0 .. 40, all that Linux 6.18 knows */

static const char names[NAMES][CAPABILITY_NAME_SIZE] = {
	"CHOWN",
	"DAC_OVERRIDE",
	"DAC_READ_SEARCH",
	"FOWNER",
	"FSETID",
	"KILL",
	"SETGID",
	"SETUID",
	"SETPCAP",
	"LINUX_IMMUTABLE",
	"NET_BIND_SERVICE",
	"NET_BROADCAST",
	"NET_ADMIN",
	"NET_RAW",
	"IPC_LOCK",
	"IPC_OWNER",
	"SYS_MODULE",
	"SYS_RAWIO",
	"SYS_CHROOT",
	"SYS_PTRACE",
	"SYS_PACCT",
	"SYS_ADMIN",
	"SYS_BOOT",
	"SYS_NICE",
	"SYS_RESOURCE",
	"SYS_TIME",
	"SYS_TTY_CONFIG",
	"MKNOD",
	"LEASE",
	"AUDIT_WRITE",
	"AUDIT_CONTROL",
	"SETFCAP",
	"MAC_OVERRIDE",
	"MAC_ADMIN",
	"SYSLOG",
	"WAKE_ALARM",
	"BLOCK_SUSPEND",
	"AUDIT_READ",
	"PERFMON",
	"BPF",
	"CHECKPOINT_RESTORE",
};

bool capability_parse(const char *name, uint64_t *set)
{
	if (strcasecmp(name, "ALL") == 0) {
		*set = CAPABILITY_ALL;
		return true;
	}
	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (unsigned i = 0; i < NAMES; i++)
		if (strcasecmp(name, names[i]) == 0) {
			*set = CAPABILITY_BIT(i);
			return true;
		}
	return false;
}

const char *capability_name(unsigned number)
{
	return number < NAMES ? names[number] : NULL;
}

const char *capability_nearest(const char *text)
{
	char upper[2 * CAPABILITY_NAME_SIZE];
	const char *wanted = upper, *nearest = NULL;
	unsigned best = 4;

	key_variable(text, upper, sizeof(upper));
	if (strncmp(upper, "CAP_", 4) == 0)
		wanted += 4;
	for (unsigned i = 0; i <= NAMES; i++) {
		const char *name = i < NAMES ? names[i] : "ALL";
		unsigned distance = str_distance(wanted, name, best);

		if (distance < best) {
			best = distance;
			nearest = name;
		}
	}
	return nearest;
}

unsigned capability_first(uint64_t set)
{
	return (unsigned)__builtin_ctzll(set);
}

/* The kernel says itself where its capabilities end; one that never does is not to be believed. */
static int read_bounding(uint64_t *set)
{
	*set = 0;
	for (unsigned number = 0; number < CAPABILITY_BITS; number++) {
		int rc = prctl(PR_CAPBSET_READ, number, 0, 0, 0);

		if (rc < 0)
			return errno == EINVAL && number > 0 ? 0 : -errno;
		if (rc > 0)
			*set |= CAPABILITY_BIT(number);
	}
	return -ERANGE;
}

static uint64_t join(uint32_t low, uint32_t high)
{
	return (uint64_t)high << 32 | low;
}

int capability_read(struct capability_sets *sets, bool with_bounding)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return -errno;
	sets->permitted = join(data[0].permitted, data[1].permitted);
	sets->effective = join(data[0].effective, data[1].effective);
	sets->inheritable = join(data[0].inheritable, data[1].inheritable);
	sets->bounding = 0;
	return with_bounding ? read_bounding(&sets->bounding) : 0;
}

bool capability_check(uint64_t asked, char *why, size_t size)
{
	struct capability_sets own;
	uint64_t missing;
	int rc = capability_read(&own, true);

	if (rc < 0) {
		snprintf(why, size, "cannot read own capabilities: %s", strerror(-rc));
		return false;
	}
	missing = asked == CAPABILITY_ALL ? 0 : asked & ~(own.permitted & own.bounding);
	if (!missing)
		return true;
	snprintf(why, size,
		 "init itself does not have CAP_%s: the container was started without it, or no "
		 "service needed it then",
		 capability_name(capability_first(missing)));
	return false;
}

/* ---- of a program that is to be started ---- */

static bool is_root(const struct identity_config *id)
{
	return (id->change_user ? id->uid : geteuid()) == 0;
}

/* Root's, or where it is not root those that it keeps. */
static uint64_t kept(const struct identity_config *id, const struct capability_sets *own, bool root)
{
	uint64_t had = root ? own->bounding : own->permitted & own->bounding;
	uint64_t added = id->cap_add == CAPABILITY_ALL ? had & ~id->cap_drop : id->cap_add & had;

	if (!root && id->change_user)
		return added;
	return (had & ~id->cap_drop) | added;
}

uint64_t capability_limit(const struct identity_config *id, const struct capability_sets *own)
{
	return kept(id, own, is_root(id) || !id->no_new_privileges);
}

bool capability_may_filter(const struct identity_config *id, const struct capability_sets *own)
{
	return id->no_new_privileges || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
	       (kept(id, own, is_root(id)) & own->permitted & CAPABILITY_BIT(CAP_SYS_ADMIN));
}
