/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CAPABILITY_H
#define MUSTER_CAPABILITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Capabilities (capabilities(7)) as sets of bits by number. Raw system calls, as a child on its way
 * to exec may not allocate, which libcap does; and names of our own, since libcap has a
 * constructor, which at the start of every wrapped program would touch a page and make a dozen
 * calls.
 */
#define CAPABILITY_ALL         UINT64_MAX /* "ALL": whatever the kernel has */
#define CAPABILITY_NAME_SIZE   20         /* at most, with a NUL */
#define CAPABILITY_BITS        64         /* the kernel's sets have room for so many */
#define CAPABILITY_BIT(number) (UINT64_C(1) << (number))

/* As Docker writes them: with or without CAP_, any case, or ALL. False: it is none. */
bool capability_parse(const char *name, uint64_t *set);

/* Without CAP_; NULL: no name is known. */
const char *capability_name(unsigned number);

/* The name, or ALL, that is nearest to a text that is none; NULL: nothing is near. */
const char *capability_nearest(const char *text);

/* The lowest in a set that is not empty. */
unsigned capability_first(uint64_t set);

/* What this process has: as capget(2) tells, and its bounding set. System calls only. */
struct capability_sets {
	uint64_t permitted, effective, inheritable, bounding;
};

/* 0 or -errno. Without `with_bounding`, which takes a call for each, that set stays empty. */
int capability_read(struct capability_sets *sets, bool with_bounding);

/*
 * Whether this process can give all of `asked` to a program: they are permitted to it and in its
 * bounding set. False: `why` is a sentence with the first that is missing.
 */
#define CAPABILITY_WHY_SIZE 160
bool capability_check(uint64_t asked, char *why, size_t size);

/*
 * What a program can ever have that is started with this identity by an init that has `own`: what
 * its bounding set leaves to root, and to who may become root by a program with set-user-ID.
 */
struct identity_config;
uint64_t capability_limit(const struct identity_config *identity,
			  const struct capability_sets *own);
/* Whether the kernel takes a filter of system calls from it: with no_new_privileges, or with
 * CAP_SYS_ADMIN, which it has to have by then. */
bool capability_may_filter(const struct identity_config *identity,
			   const struct capability_sets *own);

#endif
