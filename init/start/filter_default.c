/* SPDX-License-Identifier: MIT */
#include "filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "creds.h"

/*
 * Docker's default rules allow nearly all calls that there were when they were last changed. So the
 * table has those that are left out, with the capabilities any of which gives the call back, by
 * their numbers on x86-64 and arm64; that is a filter of a quarter of the size, and the kernel
 * takes half of the time to put it in force at each start.
 */
#ifdef __aarch64__
#define ARCH                  AUDIT_ARCH_AARCH64
#define NUMBER(x86_64, arm64) arm64
#define SYS_CLONE             220
#define SYS_PERSONALITY       92
#define SYS_SOCKET            198
#else
#define ARCH                  AUDIT_ARCH_X86_64
#define NUMBER(x86_64, arm64) x86_64
#define SYS_CLONE             56
#define SYS_PERSONALITY       135
#define SYS_SOCKET            41
#define SYS_X32               0x40000000 /* and above: the calls of x32 */
#endif
#define SYS_CLONE3 435
#define SYS_NEWEST 466 /* removexattrat; what came later there may yet be a rule for */

#define CAP(name) (UINT64_C(1) << CAP_##name)
#define NOBODY    0
#define CALL(name, x86_64, arm64, unless)                                                          \
	{                                                                                          \
		NUMBER(x86_64, arm64), unless                                                      \
	}

static const struct left_out {
	int16_t number; /* -1: not on this architecture */
	uint64_t unless;
} left_out[] = {
	/* the kernel itself, and what it keeps for all */
	CALL(acct, 163, 89, CAP(SYS_PACCT)),
	CALL(bpf, 321, 280, CAP(SYS_ADMIN) | CAP(BPF)),
	CALL(delete_module, 176, 106, CAP(SYS_MODULE)),
	CALL(finit_module, 313, 273, CAP(SYS_MODULE)),
	CALL(init_module, 175, 105, CAP(SYS_MODULE)),
	CALL(ioperm, 173, -1, CAP(SYS_RAWIO)),
	CALL(iopl, 172, -1, CAP(SYS_RAWIO)),
	CALL(kexec_file_load, 320, 294, NOBODY),
	CALL(kexec_load, 246, 104, NOBODY),
	CALL(lsm_get_self_attr, 459, 459, CAP(SYS_ADMIN)),
	CALL(lsm_list_modules, 461, 461, CAP(SYS_ADMIN)),
	CALL(lsm_set_self_attr, 460, 460, CAP(SYS_ADMIN)),
	CALL(perf_event_open, 298, 241, CAP(SYS_ADMIN) | CAP(PERFMON)),
	CALL(reboot, 169, 142, CAP(SYS_BOOT)),
	CALL(swapoff, 168, 225, NOBODY),
	CALL(swapon, 167, 224, NOBODY),
	CALL(syslog, 103, 116, CAP(SYS_ADMIN) | CAP(SYSLOG)),
	CALL(vhangup, 153, 58, CAP(SYS_TTY_CONFIG)),
	/* clock and names */
	CALL(clock_settime, 227, 112, CAP(SYS_TIME)),
	CALL(setdomainname, 171, 162, CAP(SYS_ADMIN)),
	CALL(sethostname, 170, 161, CAP(SYS_ADMIN)),
	CALL(settimeofday, 164, 170, CAP(SYS_TIME)),
	/* namespaces and mounts */
	CALL(chroot, 161, 51, CAP(SYS_CHROOT)),
	CALL(fsconfig, 431, 431, CAP(SYS_ADMIN)),
	CALL(fsmount, 432, 432, CAP(SYS_ADMIN)),
	CALL(fsopen, 430, 430, CAP(SYS_ADMIN)),
	CALL(fspick, 433, 433, CAP(SYS_ADMIN)),
	CALL(mount, 165, 40, CAP(SYS_ADMIN)),
	CALL(mount_setattr, 442, 442, CAP(SYS_ADMIN)),
	CALL(move_mount, 429, 429, CAP(SYS_ADMIN)),
	CALL(open_tree, 428, 428, CAP(SYS_ADMIN)),
	CALL(pivot_root, 155, 41, NOBODY),
	CALL(setns, 308, 268, CAP(SYS_ADMIN)),
	CALL(umount2, 166, 39, CAP(SYS_ADMIN)),
	CALL(unshare, 272, 97, CAP(SYS_ADMIN)),
	/* files */
	CALL(fanotify_init, 300, 262, CAP(SYS_ADMIN)),
	CALL(lookup_dcookie, 212, 18, CAP(SYS_ADMIN)),
	CALL(open_by_handle_at, 304, 265, CAP(DAC_READ_SEARCH)),
	CALL(quotactl, 179, 60, CAP(SYS_ADMIN)),
	CALL(quotactl_fd, 443, 443, CAP(SYS_ADMIN)),
	/* other processes, and memory */
	CALL(get_mempolicy, 239, 236, CAP(SYS_NICE)),
	CALL(kcmp, 312, 272, CAP(SYS_PTRACE)),
	CALL(mbind, 237, 235, CAP(SYS_NICE)),
	CALL(migrate_pages, 256, 238, NOBODY),
	CALL(move_pages, 279, 239, NOBODY),
	CALL(pidfd_getfd, 438, 438, CAP(SYS_PTRACE)),
	CALL(process_madvise, 440, 440, CAP(SYS_PTRACE)),
	CALL(set_mempolicy, 238, 237, CAP(SYS_NICE)),
	CALL(set_mempolicy_home_node, 450, 450, CAP(SYS_NICE)),
	CALL(userfaultfd, 323, 282, NOBODY),
	/* keyrings are in no namespace */
	CALL(add_key, 248, 217, NOBODY),
	CALL(keyctl, 250, 219, NOBODY),
	CALL(request_key, 249, 218, NOBODY),
	/* io_uring goes past filters */
	CALL(io_uring_enter, 426, 426, NOBODY),
	CALL(io_uring_register, 427, 427, NOBODY),
	CALL(io_uring_setup, 425, 425, NOBODY),
	/* of old, or never more than a number */
	CALL(_sysctl, 156, -1, NOBODY),
	CALL(afs_syscall, 183, -1, NOBODY),
	CALL(create_module, 174, -1, NOBODY),
	CALL(get_kernel_syms, 177, -1, NOBODY),
	CALL(getpmsg, 181, -1, NOBODY),
	CALL(nfsservctl, 180, 42, NOBODY),
	CALL(putpmsg, 182, -1, NOBODY),
	CALL(query_module, 178, -1, NOBODY),
	CALL(security, 185, -1, NOBODY),
	CALL(sysfs, 139, -1, NOBODY),
	CALL(tuxcall, 184, -1, NOBODY),
	CALL(uselib, 134, -1, NOBODY),
	CALL(ustat, 136, -1, NOBODY),
	CALL(vserver, 236, -1, NOBODY),
};

/* Numbers that no call has, first and last. */
static const int16_t holes[][2] = {
#ifdef __aarch64__
	{244, 259},
	{295, 423},
#else
	{336, 423},
#endif
};

enum outcome { PERMIT, DENY, UNKNOWN, KILL, CLONE, SOCKET, PERSONALITY, OUTCOMES };

/* ---- which call has which outcome ---- */

static void decide(uint64_t capabilities, uint8_t outcome[SYS_NEWEST + 1])
{
	memset(outcome, PERMIT, SYS_NEWEST + 1);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
		for (int number = holes[i][0]; number <= holes[i][1]; number++)
			outcome[number] = DENY;
	for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++)
		if (left_out[i].number >= 0 && !(left_out[i].unless & capabilities))
			outcome[left_out[i].number] = DENY;
	outcome[SYS_SOCKET] = SOCKET;
	outcome[SYS_PERSONALITY] = PERSONALITY;
	if (capabilities & CAP(SYS_ADMIN))
		return;
	outcome[SYS_CLONE] = CLONE;
	/* its flags are in memory, where no filter can see them: with ENOSYS the C library takes
	 * clone */
	outcome[SYS_CLONE3] = UNKNOWN;
}

/* A row of numbers with one outcome, up to where the next begins. */
struct range {
	uint32_t first;
	uint8_t outcome;
};

#define RANGES_MAX (2 * sizeof(left_out) / sizeof(left_out[0]) + 16)

static unsigned find_ranges(uint64_t capabilities, struct range *ranges)
{
	uint8_t outcome[SYS_NEWEST + 1];
	unsigned count = 0;

	decide(capabilities, outcome);
	for (uint32_t number = 0; number <= SYS_NEWEST; number++)
		if (!number || outcome[number] != outcome[number - 1])
			ranges[count++] = (struct range){number, outcome[number]};
	ranges[count++] = (struct range){SYS_NEWEST + 1, UNKNOWN};
#ifdef SYS_X32
	ranges[count++] = (struct range){SYS_X32, KILL};
	ranges[count++] = (struct range){UINT32_MAX, UNKNOWN}; /* -1, of no architecture */
#endif
	return count;
}

/* ---- the program, written from its end to its beginning, since jumps go forwards ---- */

struct program {
	struct sock_filter code[FILTER_DEFAULT_MAX];
	unsigned at; /* of the first instruction so far */
	const struct range *ranges;
	unsigned target[OUTCOMES];
};

static unsigned put(struct program *p, uint16_t code, uint32_t k)
{
	p->code[--p->at] = (struct sock_filter)BPF_STMT(code, k);
	return p->at;
}

static unsigned put_jump(struct program *p, uint16_t test, uint32_t k, unsigned yes, unsigned no)
{
	put(p, BPF_JMP | BPF_K | test, k);
	p->code[p->at].jt = (uint8_t)(yes - p->at - 1);
	p->code[p->at].jf = (uint8_t)(no - p->at - 1);
	return p->at;
}

#define LOAD         (BPF_LD | BPF_W | BPF_ABS)
#define FIELD(field) offsetof(struct seccomp_data, field)
#define ARGUMENT                                                                                   \
	FIELD(args) /* the lower half of the first one: both architectures are little-endian */

static void put_answers(struct program *p, bool audit)
{
	static const uint32_t answers[] = {
		[PERMIT] = SECCOMP_RET_ALLOW,
		[DENY] = SECCOMP_RET_ERRNO | EPERM,
		[UNKNOWN] = SECCOMP_RET_ERRNO | ENOSYS,
		[KILL] = SECCOMP_RET_KILL_PROCESS,
	};

	for (unsigned i = PERMIT; i <= KILL; i++)
		p->target[i] = put(p, BPF_RET | BPF_K,
				   audit && i != PERMIT ? SECCOMP_RET_LOG : answers[i]);
}

/* No new namespaces: NEWCGROUP, NEWIPC, NEWNET, NEWNS, NEWPID, NEWUSER, NEWUTS. */
static void put_clone(struct program *p)
{
	put_jump(p, BPF_JSET, 0x7e020000, p->target[DENY], p->target[PERMIT]);
	p->target[CLONE] = put(p, LOAD, ARGUMENT);
}

/*
 * No AF_ALG (38), AF_VSOCK (40). The kernel takes the lower half for an int, and so do we; Docker
 * compares all 64 bits, which a caller can get past.
 */
static void put_socket(struct program *p)
{
	unsigned next = put_jump(p, BPF_JEQ, 40, p->target[DENY], p->target[PERMIT]);

	put_jump(p, BPF_JEQ, 38, p->target[DENY], next);
	p->target[SOCKET] = put(p, LOAD, ARGUMENT);
}

/* Linux, with or without UNAME26, of 32 bits or not; and the question which it is. */
static void put_personality(struct program *p)
{
	static const uint32_t allowed[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
	unsigned next = p->target[DENY];

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		next = put_jump(p, BPF_JEQ, allowed[i], p->target[PERMIT], next);
	next = put(p, LOAD, ARGUMENT);
	put_jump(p, BPF_JEQ, 0, next, p->target[DENY]);
	p->target[PERSONALITY] = put(p, LOAD, ARGUMENT + 4);
}

/* A search tree over ranges from `low` to `high`; its depth is that of 2 * 71 numbers. */
static unsigned put_tree(struct program *p, unsigned low, unsigned high)
{
	unsigned middle = low + (high - low) / 2 + 1, above, below;

	if (low == high)
		return p->target[p->ranges[low].outcome];
	above = put_tree(p, middle, high);
	below = put_tree(p, low, middle - 1);
	return put_jump(p, BPF_JGE, p->ranges[middle].first, above, below);
}

unsigned filter_default(uint64_t capabilities, bool audit, struct sock_filter *code)
{
	struct range ranges[RANGES_MAX];
	struct program p = {.at = FILTER_DEFAULT_MAX, .ranges = ranges};
	unsigned count = find_ranges(capabilities, ranges), next;

	put_answers(&p, audit);
	put_clone(&p);
	put_socket(&p);
	put_personality(&p);
	put_tree(&p, 0, count - 1);
	next = put(&p, LOAD, FIELD(nr));
	put_jump(&p, BPF_JEQ, ARCH, next, p.target[KILL]);
	put(&p, LOAD, FIELD(arch));
	p.at -= CREDS_FILTER_MARK;
	memcpy(&p.code[p.at], creds_filter_mark, sizeof(creds_filter_mark));
	count = FILTER_DEFAULT_MAX - p.at;
	memcpy(code, &p.code[p.at], count * sizeof(*code));
	return count;
}
