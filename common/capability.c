/* SPDX-License-Identifier: MIT */
#include "capability.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "config.h"
#include "keys.h"
#include "str.h"

#define PREFIX "cap_" /* of all names in libcap */

bool capability_parse(const char *name, uint64_t *set)
{
	char full[sizeof(PREFIX) + CAPABILITY_NAME_SIZE];
	cap_value_t number;

	if (strcasecmp(name, "ALL") == 0) {
		*set = CAPABILITY_ALL;
		return true;
	}
	if (strncasecmp(name, PREFIX, strlen(PREFIX)) == 0)
		name += strlen(PREFIX);
	if (!isalpha((unsigned char)*name) || strlen(name) >= CAPABILITY_NAME_SIZE)
		return false; /* libcap takes numbers, too */
	snprintf(full, sizeof(full), PREFIX "%s", name);
	if (cap_from_name(full, &number) < 0)
		return false;
	*set = CAPABILITY_BIT(number);
	return true;
}

bool capability_name(unsigned number, char name[CAPABILITY_NAME_SIZE])
{
	char *full = cap_to_name((cap_value_t)number);
	bool known = full && strncmp(full, PREFIX, strlen(PREFIX)) == 0;
	size_t len = 0;

	for (const char *at = known ? full + strlen(PREFIX) : ""; *at; at++)
		if (len + 1 < CAPABILITY_NAME_SIZE)
			name[len++] = (char)toupper((unsigned char)*at);
	name[len] = '\0';
	cap_free(full);
	return known;
}

bool capability_nearest(const char *text, char nearest[CAPABILITY_NAME_SIZE])
{
	char upper[2 * CAPABILITY_NAME_SIZE], name[CAPABILITY_NAME_SIZE] = "ALL";
	const char *wanted = upper;
	unsigned best = 4, number = 0;

	key_variable(text, upper, sizeof(upper));
	if (strncmp(upper, "CAP_", 4) == 0)
		wanted += 4;
	do {
		unsigned distance = str_distance(wanted, name, best);

		if (distance < best) {
			best = distance;
			memcpy(nearest, name, CAPABILITY_NAME_SIZE);
		}
	} while (capability_name(number++, name));
	return best < 4;
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
	char name[CAPABILITY_NAME_SIZE];
	uint64_t missing;
	int rc = capability_read(&own, true);

	if (rc < 0) {
		snprintf(why, size, "cannot read own capabilities: %s", strerror(-rc));
		return false;
	}
	missing = asked == CAPABILITY_ALL ? 0 : asked & ~(own.permitted & own.bounding);
	if (!missing)
		return true;
	capability_name(capability_first(missing), name);
	snprintf(why, size,
		 "init itself does not have CAP_%s: the container was started without it, or no "
		 "service needed it then",
		 name);
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
