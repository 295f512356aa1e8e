/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PASSWD_H
#define MUSTER_PASSWD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Users and groups from /etc/passwd and /etc/group, read by ourselves: NSS can block, load code
 * and is absent in static programs. Numbers are strictly decimal and need no line in the file
 * ("0x0", "-1", "+0", "0day" are no users; 4294967295 means "no change" to the kernel and is none).
 *
 * Return 0; -ENOENT: no such user or group; -EINVAL: not a name or number; another -errno when the
 * file cannot be read.
 */
struct passwd_user {
	uid_t uid;
	gid_t gid;     /* primary; equal to uid when the number has no line in the file */
	char name[64]; /* empty when it has no line */
	char home[256];
};
int passwd_user(const char *user, struct passwd_user *out);
int passwd_group(const char *group, gid_t *gid);
/*
 * Supplementary groups of `name` by /etc/group, with `primary` first. Returns how many there are
 * (may exceed `max`; at most `max` are stored) or -errno.
 */
int passwd_groups(const char *name, gid_t primary, gid_t *groups, size_t max);

/* Reads these files instead, for tests; NULL: the default. The strings are kept, not copied. */
void passwd_set_files(const char *passwd_path, const char *group_path);

#endif
