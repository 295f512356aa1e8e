/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SECCOMP_PROFILE_H
#define MUSTER_SECCOMP_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A profile of system calls as Docker, Podman and the OCI runtime specification write it in JSON,
 * read as Docker reads it: all keys, in any case; those that nobody knows are passed over. Calls
 * keep their names: only a compiler of filters knows their numbers.
 *
 * Two things are not taken over. Calls of other architectures (archMap, architectures: i386 and
 * x32 on x86-64) are read and checked, and never allowed. And SCMP_ACT_NOTIFY is an error: there
 * is nobody to notify.
 */
struct arena;
struct seccomp_config;

/*
 * What the key `seccomp` and the option --seccomp take: default, unconfined, audit, audit:PATH or
 * PATH, which holds a slash. False: it is none of these.
 */
bool seccomp_parse(const char *text, struct seccomp_config *out);
#define FORM_SECCOMP "default, unconfined, audit, audit:/path or the /path of a profile in JSON"

enum seccomp_action {
	ACTION_KILL_THREAD,
	ACTION_KILL_PROCESS,
	ACTION_TRAP,
	ACTION_ERRNO,
	ACTION_TRACE,
	ACTION_LOG,
	ACTION_ALLOW
};

enum seccomp_operator {
	OPERATOR_NE,
	OPERATOR_LT,
	OPERATOR_LE,
	OPERATOR_EQ,
	OPERATOR_GE,
	OPERATOR_GT,
	OPERATOR_MASKED_EQ /* argument & value == value_two */
};

struct seccomp_argument {
	uint8_t index; /* 0 to 5 */
	uint8_t op;    /* enum seccomp_operator */
	uint64_t value, value_two;
};

/* "includes" and "excludes"; each part counts only when it is given. */
struct seccomp_condition {
	bool has_arches, native; /* whether this architecture is among those named */
	bool unknown_capability; /* one that is named does not exist: nobody has it */
	uint64_t capabilities;
	uint16_t kernel; /* at least this one, as SECCOMP_KERNEL makes it; 0: not given */
};
#define SECCOMP_KERNEL(version, revision) ((uint16_t)((version) << 8 | (revision)))

struct seccomp_rule {
	const char **names;
	uint32_t name_count;
	uint8_t action;     /* enum seccomp_action */
	uint16_t errno_ret; /* ACTION_ERRNO, ACTION_TRACE */
	uint32_t argument_count;
	struct seccomp_argument *arguments;
	struct seccomp_condition includes, excludes;
};

struct seccomp_profile {
	uint8_t action; /* for calls that no rule mentions */
	uint16_t errno_ret;
	struct seccomp_rule *rules;
	uint32_t rule_count;
};

/* Whom the conditions are held against. */
struct seccomp_host {
	uint64_t capabilities; /* of the service: its bounding set */
	uint16_t kernel;       /* SECCOMP_KERNEL */
};
bool seccomp_rule_applies(const struct seccomp_rule *rule, const struct seccomp_host *host);

/* Told of every problem, with its place (line 0: the file as a whole), and of what is passed over.
 */
struct seccomp_report {
	void *user;
	void (*problem)(void *user, uint32_t line, uint32_t column, const char *text);
	void (*note)(void *user, uint32_t line, uint32_t column, const char *text); /* or NULL */
};

#define SECCOMP_PROFILE_MAX ((size_t)1 << 20)

/* The profile, in the arena, or NULL after at least one problem. Reads regular files only. */
const struct seccomp_profile *seccomp_profile_read(struct arena *arena, const char *path,
						   const struct seccomp_report *report);

#endif
