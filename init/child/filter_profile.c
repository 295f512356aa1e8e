/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "creds.h"
#include "seccomp_profile.h"

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
#define X32 0x40000000

struct compiler {
	const struct seccomp_profile *profile;
	const struct seccomp_host *host;
	bool audit;
	void (*unknown)(const char *name, void *user);
	void *user;
	scmp_filter_ctx context;
	uint32_t usual;  /* the answer to calls that no rule mentions */
	uint32_t newest; /* number of a call that a rule mentions */
	char *error;
	size_t error_size;
};

static bool fail(const struct compiler *c, const char *what, int rc)
{
	snprintf(c->error, c->error_size, "%.60s: %s", what, strerror(-rc));
	return false;
}

/* ---- names ---- */

/* Calls that the library may be too young for; but for the first, all architectures number them
 * alike. */
static const struct {
	char name[20];
	int16_t number;
} young[] = {
#ifndef __aarch64__
	{"uretprobe", 335},
#endif
	{"cachestat", 451},         {"fchmodat2", 452},        {"map_shadow_stack", 453},
	{"futex_wake", 454},        {"futex_wait", 455},       {"futex_requeue", 456},
	{"statmount", 457},         {"listmount", 458},        {"lsm_get_self_attr", 459},
	{"lsm_set_self_attr", 460}, {"lsm_list_modules", 461}, {"mseal", 462},
	{"setxattrat", 463},        {"getxattrat", 464},       {"listxattrat", 465},
	{"removexattrat", 466},     {"open_tree_attr", 467},   {"file_getattr", 468},
	{"file_setattr", 469},
};

/* Its number, or a negative one: it is not on this architecture, or nobody here knows it. */
static int number_of(const struct compiler *c, const char *name)
{
	int number = seccomp_syscall_resolve_name(name);

	for (size_t i = 0; number == __NR_SCMP_ERROR && i < sizeof(young) / sizeof(young[0]); i++)
		if (strcmp(name, young[i].name) == 0)
			number = young[i].number;
	if (number == __NR_SCMP_ERROR && c->unknown)
		c->unknown(name, c->user);
	return number;
}

/* ---- answers ---- */

static uint32_t answer_of(const struct compiler *c, uint8_t action, uint16_t errno_ret)
{
	static const uint32_t answers[] = {
		[ACTION_KILL_THREAD] = SCMP_ACT_KILL_THREAD,
		[ACTION_KILL_PROCESS] = SCMP_ACT_KILL_PROCESS,
		[ACTION_TRAP] = SCMP_ACT_TRAP,
		[ACTION_LOG] = SCMP_ACT_LOG,
		[ACTION_ALLOW] = SCMP_ACT_ALLOW,
	};

	if (action == ACTION_ALLOW)
		return SCMP_ACT_ALLOW;
	if (c->audit)
		return SCMP_ACT_LOG;
	if (action == ACTION_ERRNO)
		return SCMP_ACT_ERRNO(errno_ret);
	return action == ACTION_TRACE ? SCMP_ACT_TRACE(errno_ret) : answers[action];
}

/* ---- rules ---- */

static struct scmp_arg_cmp comparison(const struct seccomp_argument *argument)
{
	static const enum scmp_compare operators[] = {
		[OPERATOR_NE] = SCMP_CMP_NE,
		[OPERATOR_LT] = SCMP_CMP_LT,
		[OPERATOR_LE] = SCMP_CMP_LE,
		[OPERATOR_EQ] = SCMP_CMP_EQ,
		[OPERATOR_GE] = SCMP_CMP_GE,
		[OPERATOR_GT] = SCMP_CMP_GT,
		[OPERATOR_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
	};

	return (struct scmp_arg_cmp){argument->index, operators[argument->op], argument->value,
				     argument->value_two};
}

/* A rule that is there already is no error. */
static int add_rule(const struct compiler *c, uint32_t answer, int number, unsigned count,
		    const struct scmp_arg_cmp *list)
{
	int rc = seccomp_rule_add_array(c->context, answer, number, count, list);

	return rc == -EEXIST ? 0 : rc;
}

/* Conditions on different arguments must all hold; as soon as two are on the same one, any. */
static int add_conditions(const struct compiler *c, const struct seccomp_rule *rule,
			  uint32_t answer, int number)
{
	struct scmp_arg_cmp all[6];
	unsigned seen = 0;
	bool any = false;
	int rc = 0;

	for (uint32_t i = 0; i < rule->argument_count; i++) {
		any |= seen & 1U << rule->arguments[i].index;
		seen |= 1U << rule->arguments[i].index;
	}
	for (uint32_t i = 0; i < rule->argument_count && rc == 0; i++) {
		all[any ? 0 : i] = comparison(&rule->arguments[i]);
		if (any)
			rc = add_rule(c, answer, number, 1, all);
	}
	return any || rc ? rc : add_rule(c, answer, number, rule->argument_count, all);
}

static bool add_names(struct compiler *c, const struct seccomp_rule *rule)
{
	uint32_t answer = answer_of(c, rule->action, rule->errno_ret);

	for (uint32_t i = 0; i < rule->name_count; i++) {
		int number = number_of(c, rule->names[i]), rc;

		if (number >= 0 && (uint32_t)number > c->newest)
			c->newest = (uint32_t)number;
		if (number < 0 || answer == c->usual)
			continue;
		rc = add_conditions(c, rule, answer, number);
		if (rc < 0)
			return fail(c, rule->names[i], rc);
	}
	return true;
}

static bool add_rules(struct compiler *c)
{
	for (uint32_t i = 0; i < c->profile->rule_count; i++)
		if (seccomp_rule_applies(&c->profile->rules[i], c->host) &&
		    !add_names(c, &c->profile->rules[i]))
			return false;
	return true;
}

/* ---- the program ---- */

/*
 * What a profile does not mention because it is younger than all that it does gets ENOSYS: with
 * EPERM a program would give up where it could do without. As with runc, unless such calls pass.
 */
static unsigned put_newer(const struct compiler *c, struct sock_filter *code)
{
	const struct sock_filter newer[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 0, 5),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, UINT32_MAX, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, c->newest, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, c->audit ? SECCOMP_RET_LOG : SECCOMP_RET_ERRNO | ENOSYS),
	};

	switch (c->profile->action) {
	case ACTION_ALLOW:
	case ACTION_LOG:
	case ACTION_TRACE:
		return 0;
	default:
		memcpy(code, newer, sizeof(newer));
		return sizeof(newer) / sizeof(newer[0]);
	}
}

/* Reads the program back from the file that the library has written. */
static unsigned take_program(const struct compiler *c, int fd, struct sock_filter *code)
{
	unsigned count = CREDS_FILTER_MARK;
	ssize_t size;

	memcpy(code, creds_filter_mark, sizeof(creds_filter_mark));
	count += put_newer(c, code + count);
	size = pread(fd, code + count, (FILTER_MAX - count) * sizeof(*code), 0);
	if (size <= 0 || lseek(fd, 0, SEEK_END) != size) {
		snprintf(c->error, c->error_size,
			 size < 0 ? "cannot be read back"
				  : "is longer than the kernel takes (%u steps)",
			 FILTER_MAX);
		return 0;
	}
	return count + (unsigned)((size_t)size / sizeof(*code));
}

static bool open_context(struct compiler *c)
{
	int rc;

	c->usual = answer_of(c, c->profile->action, c->profile->errno_ret);
	c->context = seccomp_init(c->usual);
	if (!c->context)
		return fail(c, "seccomp_init", -ENOMEM);
	rc = seccomp_attr_set(c->context, SCMP_FLTATR_ACT_BADARCH,
			      c->audit ? SCMP_ACT_LOG : SCMP_ACT_KILL_PROCESS);
	if (rc == 0)
		rc = seccomp_attr_set(c->context, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return rc == 0 || fail(c, "seccomp_attr_set", rc);
}

static unsigned export(const struct compiler *c, struct sock_filter *code)
{
	int fd = memfd_create("filter", MFD_CLOEXEC);
	unsigned count = 0;
	int rc;

	if (fd < 0) {
		fail(c, "memfd_create", -errno);
		return 0;
	}
	errno = 0;
	rc = seccomp_export_bpf(c->context, fd);
	if (rc == 0 && errno == ENOMEM) /* libseccomp 2.5 leaves out what it had no memory for */
		rc = -ENOMEM;
	if (rc < 0)
		fail(c, "seccomp_export_bpf", rc);
	else
		count = take_program(c, fd, code);
	close(fd);
	return count;
}

unsigned filter_profile(const struct seccomp_profile *profile, const struct seccomp_host *host,
			bool audit, void (*unknown)(const char *name, void *user), void *user,
			struct sock_filter code[FILTER_MAX], char *error, size_t size)
{
	struct compiler c = {.profile = profile,
			     .host = host,
			     .audit = audit,
			     .unknown = unknown,
			     .user = user,
			     .error = error,
			     .error_size = size};
	unsigned count = 0;

	if (open_context(&c) && add_rules(&c))
		count = export(&c, code);
	if (c.context)
		seccomp_release(c.context);
	return count;
}
