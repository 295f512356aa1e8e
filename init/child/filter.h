/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FILTER_H
#define MUSTER_FILTER_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Filters of system calls as the kernel takes them. Each begins with the mark of creds.h, kills
 * what enters by another architecture's door (i386 and x32 on x86-64), and with `audit` has the
 * kernel log what it would refuse, and lets it pass.
 */
struct seccomp_profile;
struct seccomp_host;

#define FILTER_DEFAULT_MAX 256 /* room that filter_default needs */
#define FILTER_MAX         BPF_MAXINSNS

/*
 * What Docker allows by default to a container with these capabilities (of the bounding set), on
 * Linux 4.8 and later. Returns the length. Allocates nothing.
 */
unsigned filter_default(uint64_t capabilities, bool audit, struct sock_filter *code);

/*
 * A profile as runc has it. Returns the length, or 0 with `error`. `unknown` is told of each name
 * of a call that is passed over, because nobody here knows it. Allocates a lot.
 */
unsigned filter_profile(const struct seccomp_profile *profile, const struct seccomp_host *host,
			bool audit, void (*unknown)(const char *name, void *user), void *user,
			struct sock_filter code[FILTER_MAX], char *error, size_t size);

#endif
