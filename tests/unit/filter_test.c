/* SPDX-License-Identifier: MIT */
/*
 * What filters answer to each call, by an interpreter of our own of what the kernel takes; nothing
 * is installed. Calls are named here and numbered by libseccomp, so that the numbers in init's
 * table are held against another source.
 */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "capability.h"
#include "creds.h"
#include "seccomp_profile.h"

#ifdef __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
#define NEWEST 466
#define DENIED (SECCOMP_RET_ERRNO | EPERM)
#define ABSENT (SECCOMP_RET_ERRNO | ENOSYS)
#define PASSED SECCOMP_RET_ALLOW

/* ---- the kernel's part ---- */

static bool jumps(uint16_t code, uint32_t value, uint32_t k)
{
	switch (BPF_OP(code)) {
	case BPF_JEQ:
		return value == k;
	case BPF_JGE:
		return value >= k;
	case BPF_JGT:
		return value > k;
	case BPF_JSET:
		return value & k;
	default:
		fail_msg("jump %x", code);
		return false;
	}
}

static uint32_t run(const struct sock_filter *code, unsigned length,
		    const struct seccomp_data *data)
{
	uint32_t value = 0;

	for (unsigned at = 0; at < length; at++) {
		const struct sock_filter *step = &code[at];

		switch (step->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(step->k % 4 == 0 && step->k < sizeof(*data));
			memcpy(&value, (const char *)data + step->k, sizeof(value));
			break;
		case BPF_RET | BPF_K:
			return step->k;
		case BPF_ALU | BPF_AND | BPF_K:
			value &= step->k;
			break;
		case BPF_JMP | BPF_JA:
			at += step->k;
			break;
		default:
			assert_int_equal(BPF_CLASS(step->code), BPF_JMP);
			at += jumps(step->code, value, step->k) ? step->jt : step->jf;
		}
	}
	fail_msg("runs past its end");
	return 0;
}

struct subject {
	struct sock_filter code[FILTER_MAX];
	unsigned length;
};
static struct subject subject;

static uint32_t answer(uint32_t arch, int number, uint64_t first, uint64_t second)
{
	const struct seccomp_data data = {.nr = number, .arch = arch, .args = {first, second}};

	return run(subject.code, subject.length, &data);
}

static uint32_t answer_to(const char *name, uint64_t first)
{
	int number = seccomp_syscall_resolve_name(name);

	assert_true(number >= 0);
	return answer(ARCH, number, first, 0);
}

/* ---- the default rules ---- */

#define CAP(name) CAPABILITY_BIT(CAP_##name)

/* What is left out, by who gets it back; separated by blanks. */
static const struct {
	uint64_t any;
	const char *names;
} left_out[] = {
	{0, "uselib ustat sysfs pivot_root _sysctl swapon swapoff create_module get_kernel_syms "
	    "query_module nfsservctl getpmsg putpmsg afs_syscall tuxcall security vserver "
	    "kexec_load kexec_file_load add_key request_key keyctl migrate_pages move_pages "
	    "userfaultfd io_uring_setup io_uring_enter io_uring_register"},
	{CAP(SYS_ADMIN),
	 "mount umount2 sethostname setdomainname quotactl lookup_dcookie unshare fanotify_init "
	 "setns open_tree move_mount fsopen fsconfig fsmount fspick clone3 mount_setattr "
	 "quotactl_fd lsm_get_self_attr lsm_set_self_attr lsm_list_modules"},
	{CAP(SYS_ADMIN) | CAP(BPF), "bpf"},
	{CAP(SYS_ADMIN) | CAP(PERFMON), "perf_event_open"},
	{CAP(SYS_ADMIN) | CAP(SYSLOG), "syslog"},
	{CAP(SYS_PACCT), "acct"},
	{CAP(SYS_CHROOT), "chroot"},
	{CAP(SYS_TIME), "settimeofday clock_settime"},
	{CAP(SYS_MODULE), "init_module finit_module delete_module"},
	{CAP(SYS_NICE), "mbind set_mempolicy get_mempolicy set_mempolicy_home_node"},
	{CAP(SYS_RAWIO), "iopl ioperm"},
	{CAP(SYS_PTRACE), "kcmp pidfd_getfd process_madvise"},
	{CAP(DAC_READ_SEARCH), "open_by_handle_at"},
	{CAP(SYS_BOOT), "reboot"},
	{CAP(SYS_TTY_CONFIG), "vhangup"},
};

static const char *const youngest[] = {
	"statmount", "listmount",  "lsm_get_self_attr", "lsm_set_self_attr", "lsm_list_modules",
	"mseal",     "setxattrat", "getxattrat",        "listxattrat",       "removexattrat"};

/* Of a number; what the library does not know yet has the same one everywhere. NULL: no call. */
static char *name_of(int number)
{
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);

	if (!name && number >= 457 && number <= NEWEST)
		name = strdup(youngest[number - 457]);
#ifdef __x86_64__
	if (!name && number == 335)
		name = strdup("uretprobe");
#endif
	return name;
}

static bool is_listed(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += len)
		if ((at == names || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
	return false;
}

static uint32_t expected(const char *name, uint64_t capabilities)
{
	if (!name)
		return DENIED;
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (is_listed(left_out[i].names, name) && !(left_out[i].any & capabilities))
			return strcmp(name, "clone3") == 0 ? ABSENT : DENIED;
	return PASSED;
}

static void check_all_calls(uint64_t capabilities)
{
	subject.length = filter_default(capabilities, false, subject.code);
	for (int number = 0; number <= NEWEST; number++) {
		char *name = name_of(number);
		uint32_t found = answer(ARCH, number, 0, 0);

		if (found != expected(name, capabilities))
			print_error("%d %s: %x\n", number, name ? name : "-", found);
		assert_int_equal(found, expected(name, capabilities));
		free(name);
	}
}

#define CAPABILITIES 41 /* that the rules may ask for, and more */

static void default_rules_follow_from_capabilities(void **state)
{
	(void)state;
	check_all_calls(0);
	check_all_calls(CAPABILITY_ALL);
	for (unsigned i = 0; i < CAPABILITIES; i++)
		check_all_calls(CAPABILITY_BIT(i));
}

static void default_rules_look_at_arguments(void **state)
{
	static const uint64_t namespaces[] = {0x20000,    0x2000000,  0x4000000, 0x8000000,
					      0x10000000, 0x20000000, 0x40000000};
	static const uint64_t personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};

	(void)state;
	subject.length = filter_default(0, false, subject.code);
	for (uint64_t family = 0; family < 64; family++)
		assert_int_equal(answer_to("socket", family),
				 family == 38 || family == 40 ? DENIED : PASSED);
	/* the kernel looks at half of it */
	assert_int_equal(answer_to("socket", UINT64_C(0xdead00000026)), DENIED);
	assert_int_equal(answer_to("socket", UINT64_C(0xdead00000002)), PASSED);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(answer_to("clone", namespaces[i] | 0x1200011), DENIED);
	assert_int_equal(answer_to("clone", 0x3d0f00), PASSED);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(answer_to("personality", personalities[i]), PASSED);
		assert_int_equal(answer_to("personality", personalities[i] | UINT64_C(1) << 32),
				 DENIED);
	}
	assert_int_equal(answer_to("personality", 4), DENIED);
	assert_int_equal(answer_to("personality", 0x40000), DENIED);
	subject.length = filter_default(CAP(SYS_ADMIN), false, subject.code);
	assert_int_equal(answer_to("clone", 0x7e020000), PASSED);
	assert_int_equal(answer_to("socket", 40), DENIED);
}

static void check_doors(uint32_t kill, uint32_t absent)
{
	assert_int_equal(answer(AUDIT_ARCH_I386, 1, 0, 0), kill);
	assert_int_equal(answer(AUDIT_ARCH_ARM, 1, 0, 0), kill);
	assert_int_equal(answer(ARCH, NEWEST + 1, 0, 0), absent);
	assert_int_equal(answer(ARCH, 0x3fffffff, 0, 0), absent);
	assert_int_equal(answer(ARCH, -1, 0, 0), absent);
#ifdef __x86_64__
	assert_int_equal(answer(ARCH, 0x40000000 | SYS_read, 0, 0), kill);
	assert_int_equal(answer(ARCH, 0x7fffffff, 0, 0), kill);
#endif
}

static void other_doors_are_closed(void **state)
{
	(void)state;
	subject.length = filter_default(CAPABILITY_ALL, false, subject.code);
	check_doors(SECCOMP_RET_KILL_PROCESS, ABSENT);
	subject.length = filter_default(0, true, subject.code);
	check_doors(SECCOMP_RET_LOG, SECCOMP_RET_LOG);
	assert_int_equal(answer_to("keyctl", 0), SECCOMP_RET_LOG);
	assert_int_equal(answer_to("clone", 0x10000000), SECCOMP_RET_LOG);
	assert_int_equal(answer_to("read", 0), PASSED);
}

/* The kernel takes time for each step at each start. */
static void the_default_is_small_and_marked(void **state)
{
	(void)state;
	subject.length = filter_default(0, false, subject.code);
	assert_in_range(subject.length, 50, 160);
	assert_memory_equal(subject.code, creds_filter_mark, sizeof(creds_filter_mark));
}

/* ---- profiles ---- */

static unsigned unknown_count;

static void count_unknown(const char *name, void *user)
{
	(void)user;
	assert_string_equal(name, "no_such_call");
	unknown_count++;
}

static void compile(const struct seccomp_profile *profile, uint64_t capabilities, bool audit)
{
	const struct seccomp_host host = {capabilities, SECCOMP_KERNEL(6, 1)};
	char error[256] = "";

	unknown_count = 0;
	subject.length = filter_profile(profile, &host, audit, count_unknown, NULL, subject.code,
					error, sizeof(error));
	assert_string_equal(error, "");
	assert_memory_equal(subject.code, creds_filter_mark, sizeof(creds_filter_mark));
}

#define NAMES(...)                                                                                 \
	.names = (const char *[]){__VA_ARGS__},                                                    \
	.name_count = sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)
#define TESTS(...)                                                                                 \
	.arguments = (struct seccomp_argument[]){__VA_ARGS__},                                     \
	.argument_count =                                                                          \
		sizeof((struct seccomp_argument[]){__VA_ARGS__}) / sizeof(struct seccomp_argument)

static void a_profile_is_what_it_says(void **state)
{
	struct seccomp_rule rules[] = {
		{NAMES("read", "write", "no_such_call", "exit_group"), .action = ACTION_ALLOW},
		{NAMES("close"), .action = ACTION_ERRNO, .errno_ret = EBUSY},
		{NAMES("openat"), .action = ACTION_KILL_PROCESS},
		{NAMES("dup"), .action = ACTION_KILL_THREAD},
		{NAMES("pipe2"), .action = ACTION_TRAP},
		{NAMES("fchdir"), .action = ACTION_TRACE, .errno_ret = 7},
		{NAMES("lseek"), .action = ACTION_LOG},
		{NAMES("ptrace"), .action = ACTION_ALLOW,
		 .includes = {.capabilities = CAP(SYS_PTRACE)}},
		{NAMES("acct"), .action = ACTION_ERRNO, .errno_ret = ENOLCK},
	};
	const struct seccomp_profile profile = {ACTION_ERRNO, ENOLCK, rules, 9};

	(void)state;
	compile(&profile, 0, false);
	assert_int_equal(unknown_count, 1);
	assert_int_equal(answer_to("read", 0), PASSED);
	assert_int_equal(answer_to("close", 0), SECCOMP_RET_ERRNO | EBUSY);
	assert_int_equal(answer_to("openat", 0), SECCOMP_RET_KILL_PROCESS);
	assert_int_equal(answer_to("dup", 0), SECCOMP_RET_KILL_THREAD);
	assert_int_equal(answer_to("pipe2", 0), SECCOMP_RET_TRAP);
	assert_int_equal(answer_to("fchdir", 0), SECCOMP_RET_TRACE | 7);
	assert_int_equal(answer_to("lseek", 0), SECCOMP_RET_LOG);
	assert_int_equal(answer_to("mkdirat", 0), SECCOMP_RET_ERRNO | ENOLCK);
	assert_int_equal(answer_to("ptrace", 0), SECCOMP_RET_ERRNO | ENOLCK);
	assert_int_equal(answer(AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_KILL_PROCESS);
	compile(&profile, CAP(SYS_PTRACE), false);
	assert_int_equal(answer_to("ptrace", 0), PASSED);
	compile(&profile, 0, true);
	assert_int_equal(answer_to("read", 0), PASSED);
	assert_int_equal(answer_to("openat", 0), SECCOMP_RET_LOG);
	assert_int_equal(answer_to("mkdirat", 0), SECCOMP_RET_LOG);
	assert_int_equal(answer(ARCH, 4000, 0, 0), SECCOMP_RET_LOG);
	assert_int_equal(answer(AUDIT_ARCH_I386, 3, 0, 0), SECCOMP_RET_LOG);
}

static void what_came_later_is_absent(void **state)
{
	struct seccomp_rule rules[] = {{NAMES("read", "mseal"), .action = ACTION_ALLOW}};
	struct seccomp_profile profile = {ACTION_ERRNO, EPERM, rules, 1};

	(void)state;
	compile(&profile, 0, false);
	assert_int_equal(answer(ARCH, 462, 0, 0), PASSED); /* even where the library is older */
	assert_int_equal(answer(ARCH, 461, 0, 0), DENIED);
	assert_int_equal(answer(ARCH, 463, 0, 0), ABSENT);
	assert_int_equal(answer(ARCH, -1, 0, 0), ABSENT);
	assert_int_equal(answer(AUDIT_ARCH_I386, 463, 0, 0), SECCOMP_RET_KILL_PROCESS);
#ifdef __x86_64__
	assert_int_equal(answer(ARCH, 0x40000000, 0, 0), SECCOMP_RET_KILL_PROCESS);
#endif
	profile.action = ACTION_KILL_PROCESS;
	compile(&profile, 0, false);
	assert_int_equal(answer(ARCH, 463, 0, 0), ABSENT);
	profile.action = ACTION_ALLOW;
	rules[0].action = ACTION_KILL_PROCESS;
	compile(&profile, 0, false);
	assert_int_equal(answer(ARCH, 463, 0, 0), PASSED);
	assert_int_equal(answer_to("read", 0), SECCOMP_RET_KILL_PROCESS);
}

static void conditions_on_arguments(void **state)
{
	struct seccomp_rule rules[] = {
		/* on different ones: all; on the same: any */
		{NAMES("socket"), .action = ACTION_ALLOW,
		 TESTS({0, OPERATOR_EQ, 1, 0}, {1, OPERATOR_NE, 3, 0})},
		{NAMES("kill"), .action = ACTION_ALLOW,
		 TESTS({1, OPERATOR_EQ, 15, 0}, {1, OPERATOR_EQ, 2, 0}, {0, OPERATOR_EQ, 99, 0})},
		{NAMES("mmap"), .action = ACTION_ALLOW,
		 TESTS({0, OPERATOR_MASKED_EQ, 0xf00000000, 0x300000000})},
		{NAMES("dup3"), .action = ACTION_ALLOW, TESTS({0, OPERATOR_GT, 0xffffffff, 0})},
		{NAMES("dup3"), .action = ACTION_ALLOW, TESTS({0, OPERATOR_LE, 2, 0})},
		{NAMES("fcntl"), .action = ACTION_ALLOW, TESTS({0, OPERATOR_GE, 5, 0})},
		{NAMES("ioctl"), .action = ACTION_ALLOW, TESTS({0, OPERATOR_LT, 5, 0})},
	};
	const struct seccomp_profile profile = {ACTION_ERRNO, EPERM, rules, 7};
	int kill_number = seccomp_syscall_resolve_name("kill");
	int socket_number = seccomp_syscall_resolve_name("socket");

	(void)state;
	compile(&profile, 0, false);
	assert_int_equal(answer(ARCH, socket_number, 1, 2), PASSED);
	assert_int_equal(answer(ARCH, socket_number, 1, 3), DENIED);
	assert_int_equal(answer(ARCH, socket_number, 2, 2), DENIED);
	assert_int_equal(answer(ARCH, kill_number, 1, 15), PASSED);
	assert_int_equal(answer(ARCH, kill_number, 1, 2), PASSED);
	assert_int_equal(answer(ARCH, kill_number, 99, 9), PASSED);
	assert_int_equal(answer(ARCH, kill_number, 1, 9), DENIED);
	assert_int_equal(answer_to("mmap", 0x312345678), PASSED);
	assert_int_equal(answer_to("mmap", 0x212345678), DENIED);
	assert_int_equal(answer_to("dup3", 2), PASSED);
	assert_int_equal(answer_to("dup3", 3), DENIED);
	assert_int_equal(answer_to("dup3", UINT64_C(1) << 32), PASSED);
	assert_int_equal(answer_to("fcntl", 5), PASSED);
	assert_int_equal(answer_to("fcntl", 4), DENIED);
	assert_int_equal(answer_to("ioctl", 4), PASSED);
	assert_int_equal(answer_to("ioctl", 5), DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(default_rules_follow_from_capabilities),
		cmocka_unit_test(default_rules_look_at_arguments),
		cmocka_unit_test(other_doors_are_closed),
		cmocka_unit_test(the_default_is_small_and_marked),
		cmocka_unit_test(a_profile_is_what_it_says),
		cmocka_unit_test(what_came_later_is_absent),
		cmocka_unit_test(conditions_on_arguments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
