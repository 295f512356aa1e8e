/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_RUNDIR_H
#define MUSTER_RUNDIR_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * The runtime directory and the control socket in it. Who can write to the directory could put
 * another socket or page in the place of init's, so it must belong to init's user or root, and
 * nobody else may write to it; an empty one of init's own is made so. Everything is done through
 * the descriptor that was checked, whatever becomes of the path meanwhile.
 */

/* Makes the directory where there is none, and opens it. -1, said once: it cannot be used. */
int rundir_open(const char *path);
/* Says that it cannot be used after all, because of this errno. */
void rundir_say_unusable(const char *path, int error);

/* A listening control socket in the directory, and its inode. The descriptor or -errno; -ENOTSOCK:
 * something that is no socket has its name, -EBUSY: another init answers there. */
int rundir_listen(int dirfd, ino_t *inode);
/* Whether that socket still is where clients look for it. */
bool rundir_holds(int dirfd, ino_t inode);
/* Whether a client of this user is that user: in a user namespace that has not all users, one may
 * be anybody from outside. */
bool rundir_knows(uid_t uid);

#endif
