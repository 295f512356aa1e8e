/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_BECOMING_H
#define MUSTER_BECOMING_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the parts of becoming what was asked for share: creds.c has the order, privileges.c the
 * steps that take rights away, verify.c looks whether they did. All of it runs in the child that
 * spawn makes, so it makes system calls only. Raw ones where ids change: the wrappers of glibc and
 * musl signal other threads.
 *
 * Every step returns 0, -errno, or MISMATCH: all calls succeeded and yet it is not as it should be.
 */
#define MISMATCH 1

#define GROUPS_MAX 65536 /* the kernel's limit */

struct identity_config;
struct spawn_request;

struct becoming {
	const struct spawn_request *request;
	const struct identity_config *id; /* NULL: nothing of it changes */
	pid_t parent;
	bool directory_late; /* must be entered as the new user */
	bool groups_kept;    /* could not be set, and hold all that is asked for */

	/* by privileges_plan */
	bool sets_capabilities; /* to these: */
	uint64_t capabilities;  /* permitted and effective */
	uint64_t ambient;       /* and inheritable */
	bool trims_bounding;
	uint64_t bounding, excess; /* what is left of it, and what goes */
	bool locks_securebits;
	int securebits; /* then they are these, else those they were */
};

static inline int result_of(long rc)
{
	return rc < 0 ? -errno : 0;
}

/* Decides what capabilities are kept, before anything has changed. */
int privileges_plan(struct becoming *b);

void privileges_join_keyring(const struct becoming *b);
int privileges_trim_bounding_set(const struct becoming *b);
int privileges_keep_capabilities(const struct becoming *b);
int privileges_set_groups(struct becoming *b);
int privileges_set_gid(const struct becoming *b);
int privileges_set_uid(const struct becoming *b);
int privileges_raise_ambient(const struct becoming *b);
int privileges_lock_securebits(const struct becoming *b);
int privileges_set_capabilities(const struct becoming *b);
int privileges_set_no_new(const struct becoming *b);
int privileges_set_landlock(const struct becoming *b);

/* The supplementary groups that it has now, in memory that all share: how many, or -1. */
long privileges_read_groups(gid_t **list);
/* Whether the supplementary groups are, among others, those that were asked for. */
bool privileges_hold_groups(const struct identity_config *id);

int verify_identity(const struct becoming *b);

#endif
