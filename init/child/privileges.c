/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "becoming.h"
#include "capability.h"
#include "config.h"
#include "landlock.h"

/* Root is nothing special then, no right is kept across a change of user, and for good. */
#define SECUREBITS_ON (SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE)
#define SECUREBITS_LOCKED                                                                          \
	(SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |          \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

static bool leaves_root(const struct identity_config *id)
{
	return id->change_user && id->uid != 0;
}

static bool has_no_new_privileges(const struct identity_config *id)
{
	return id->no_new_privileges || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

/* ---- what is kept ---- */

static uint64_t ambient_of(uint64_t inheritable)
{
	uint64_t ambient = 0;

	for (; inheritable; inheritable &= inheritable - 1) {
		unsigned number = capability_first(inheritable);

		if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, number, 0, 0) == 1)
			ambient |= CAPABILITY_BIT(number);
	}
	return ambient;
}

/*
 * With no_new_privileges the bounding set is of no account: exec gives nothing that the process
 * does not have. So where the right to trim it is missing, that will do.
 */
static void plan_locks(struct becoming *b, bool may, int securebits)
{
	bool safe = has_no_new_privileges(b->id);

	b->trims_bounding = may || !safe;
	/* a root that keeps some needs its special rules, a program with set-user-ID too */
	b->locks_securebits = may && securebits >= 0 &&
			      (b->bounding == 0 || (safe && b->capabilities == b->ambient));
	b->securebits = ((securebits | SECUREBITS_ON) & ~SECBIT_KEEP_CAPS) | SECUREBITS_LOCKED;
}

int privileges_plan(struct becoming *b)
{
	const struct identity_config *id = b->id;
	struct capability_sets now;
	uint64_t own, added;
	int rc, securebits;

	b->sets_capabilities = id->change_caps || leaves_root(id);
	if (!id->change_caps)
		return 0;
	securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	rc = capability_read(&now, true);
	if (rc < 0)
		return rc;
	own = now.permitted & now.bounding;
	added = id->cap_add == CAPABILITY_ALL ? own & ~id->cap_drop : id->cap_add;
	if (added & ~own)
		return -EPERM;
	b->bounding = (own & ~id->cap_drop) | added;
	b->excess = now.bounding & ~b->bounding;
	b->ambient = added;
	if (!id->change_user)
		b->ambient |= ambient_of(now.inheritable) & ~id->cap_drop;
	b->capabilities = b->ambient;
	if ((id->change_user ? id->uid : geteuid()) == 0 &&
	    (securebits < 0 || !(securebits & SECBIT_NOROOT))) {
		b->capabilities = b->bounding; /* exec gives root what is in this set */
		b->ambient = 0;
	}
	plan_locks(b, now.effective & CAPABILITY_BIT(CAP_SETPCAP), securebits);
	return 0;
}

/* ---- capabilities ---- */

/* Or all would share the keys of init's session. Many containers forbid it: then they do. */
void privileges_join_keyring(const struct becoming *b)
{
	if (b->id->change_user)
		syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0);
}

int privileges_trim_bounding_set(const struct becoming *b)
{
	int rc = 0;

	for (uint64_t left = b->trims_bounding ? b->excess : 0; left && rc == 0; left &= left - 1)
		rc = result_of(prctl(PR_CAPBSET_DROP, capability_first(left), 0, 0, 0));
	return rc;
}

/* Across the change of user. Where it is locked, the kernel takes nothing anyway. */
int privileges_keep_capabilities(const struct becoming *b)
{
	int securebits;

	if (!leaves_root(b->id) || !(b->ambient || b->locks_securebits))
		return 0;
	securebits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	if (securebits > 0 && (securebits & SECBIT_NO_SETUID_FIXUP))
		return 0;
	return result_of(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
}

static int set_sets(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return result_of(syscall(SYS_capset, &header, data));
}

/* What is to be locked later takes a right that the change of user has made ineffective. */
int privileges_raise_ambient(const struct becoming *b)
{
	uint64_t lock = b->locks_securebits ? CAPABILITY_BIT(CAP_SETPCAP) : 0;
	int rc = 0;

	if (!b->ambient && !lock)
		return 0;
	rc = set_sets(b->capabilities | lock, b->ambient);
	for (uint64_t left = b->ambient; rc == 0 && left; left &= left - 1)
		rc = result_of(
			prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability_first(left), 0, 0));
	return rc;
}

int privileges_lock_securebits(const struct becoming *b)
{
	return b->locks_securebits ? result_of(prctl(PR_SET_SECUREBITS, b->securebits, 0, 0, 0))
				   : 0;
}

/* Ambient capabilities that are not inheritable are gone with it, too. */
int privileges_set_capabilities(const struct becoming *b)
{
	return b->sets_capabilities ? set_sets(b->capabilities, b->ambient) : 0;
}

int privileges_set_no_new(const struct becoming *b)
{
	return b->id->no_new_privileges ? result_of(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) : 0;
}

int privileges_set_landlock(const struct becoming *b)
{
	return b->id->landlock ? landlock_apply(b->id->landlock) : 0;
}

/* ---- user and groups ---- */

static bool has_group(const gid_t *groups, long count, gid_t gid)
{
	for (long i = 0; i < count; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

long privileges_read_groups(gid_t **list)
{
	static gid_t now[GROUPS_MAX];

	*list = now;
	return syscall(SYS_getgroups, GROUPS_MAX, now);
}

bool privileges_hold_groups(const struct identity_config *id)
{
	gid_t *now;
	long count = privileges_read_groups(&now);

	for (unsigned i = 0; i < id->group_count; i++)
		if (id->groups[i] != id->gid && !has_group(now, count, id->groups[i]))
			return false;
	return true;
}

/* In a user namespace that its owner set up without help nobody may. */
static bool is_denied_to_all(void)
{
	int fd = open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char word[4] = "";
	ssize_t n = fd < 0 ? 0 : read(fd, word, sizeof(word));

	if (fd >= 0)
		close(fd);
	return n == sizeof(word) && memcmp(word, "deny", sizeof(word)) == 0;
}

static bool may_set_groups(void)
{
	struct capability_sets now;

	if (capability_read(&now, false) < 0)
		return true;
	return (now.effective & CAPABILITY_BIT(CAP_SETGID)) && !is_denied_to_all();
}

int privileges_set_groups(struct becoming *b)
{
	const struct identity_config *id = b->id;

	if (!id->change_user || syscall(SYS_setgroups, id->group_count, id->groups) == 0)
		return 0;
	b->groups_kept = errno == EPERM && !may_set_groups() && privileges_hold_groups(id);
	return b->groups_kept ? 0 : -EPERM;
}

int privileges_set_gid(const struct becoming *b)
{
	gid_t gid = b->id->gid;

	return b->id->change_user ? result_of(syscall(SYS_setresgid, gid, gid, gid)) : 0;
}

int privileges_set_uid(const struct becoming *b)
{
	uid_t uid = b->id->uid;

	return b->id->change_user ? result_of(syscall(SYS_setresuid, uid, uid, uid)) : 0;
}
