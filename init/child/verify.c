/* SPDX-License-Identifier: MIT */
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "becoming.h"
#include "capability.h"
#include "config.h"

/* Shell sort: no recursion, no memory, and up to 65536 values are possible. */
static void sort_groups(gid_t *groups, unsigned count)
{
	for (unsigned gap = count / 2; gap > 0; gap /= 2)
		for (unsigned i = gap; i < count; i++) {
			gid_t moving = groups[i];
			unsigned j = i;

			for (; j >= gap && groups[j - gap] > moving; j -= gap)
				groups[j] = groups[j - gap];
			groups[j] = moving;
		}
}

static int verify_groups(const struct becoming *b)
{
	static gid_t asked[GROUPS_MAX];
	const struct identity_config *id = b->id;
	gid_t *now;
	long count;

	if (b->groups_kept)
		return privileges_hold_groups(id) ? 0 : MISMATCH;
	count = privileges_read_groups(&now);
	if (count < 0)
		return -errno;
	if (count != (long)id->group_count)
		return MISMATCH;
	memcpy(asked, id->groups, id->group_count * sizeof(gid_t));
	sort_groups(asked, id->group_count);
	sort_groups(now, id->group_count);
	return memcmp(asked, now, id->group_count * sizeof(gid_t)) ? MISMATCH : 0;
}

static int verify_ids(const struct identity_config *id)
{
	uid_t uid[3];
	gid_t gid[3];

	if (syscall(SYS_getresuid, &uid[0], &uid[1], &uid[2]) < 0 ||
	    syscall(SYS_getresgid, &gid[0], &gid[1], &gid[2]) < 0)
		return -errno;
	for (int i = 0; i < 3; i++)
		if (uid[i] != id->uid || gid[i] != id->gid)
			return MISMATCH;
	return 0;
}

/* Ambient ones are always a part of the inheritable, so only what was to be set needs a look. */
static bool has_ambient(uint64_t asked)
{
	for (; asked; asked &= asked - 1)
		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, capability_first(asked), 0, 0) !=
		    1)
			return false;
	return true;
}

static int verify_capabilities(const struct becoming *b)
{
	struct capability_sets now;
	int rc = capability_read(&now, b->trims_bounding);

	if (rc < 0)
		return rc;
	if (now.permitted != b->capabilities || now.effective != b->capabilities ||
	    now.inheritable != b->ambient || !has_ambient(b->ambient))
		return MISMATCH;
	return b->trims_bounding && now.bounding != b->bounding ? MISMATCH : 0;
}

/* A program that can still become root has not left it. */
static int verify_no_way_back(const struct becoming *b)
{
	bool sets_uid = b->capabilities & CAPABILITY_BIT(CAP_SETUID);
	bool sets_gid = b->capabilities & CAPABILITY_BIT(CAP_SETGID);

	if (b->id->uid != 0 && !sets_uid && syscall(SYS_setresuid, -1, 0, -1) == 0)
		return MISMATCH;
	if (b->id->gid != 0 && !sets_gid && b->sets_capabilities &&
	    syscall(SYS_setresgid, -1, 0, -1) == 0)
		return MISMATCH;
	return 0;
}

static int verify_account(const struct becoming *b)
{
	int rc = verify_ids(b->id);

	if (rc == 0)
		rc = verify_groups(b);
	return rc ? rc : verify_no_way_back(b);
}

int verify_identity(const struct becoming *b)
{
	int rc = b->id->change_user ? verify_account(b) : 0;

	if (rc == 0 && b->sets_capabilities)
		rc = verify_capabilities(b);
	if (rc == 0 && b->locks_securebits && prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != b->securebits)
		rc = MISMATCH;
	if (rc == 0 && b->id->no_new_privileges && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		rc = MISMATCH;
	return rc;
}
