/* SPDX-License-Identifier: MIT */
#ifndef BENCH_SYS_H
#define BENCH_SYS_H

/*
 * System calls without a C library, for the programs that are to cost next to nothing: the floor
 * of wrap mode, the smallest program to wrap, and the service that is started a thousand times.
 * A program defines `run`; it gets what main would get, and its result is the exit code.
 * x86-64 and arm64. Calls return -errno.
 */
#include <asm/unistd.h>

typedef long long sys_ns; /* nanoseconds of CLOCK_MONOTONIC */
typedef unsigned long sys_set;

struct sys_time {
	long seconds, nanoseconds;
};

/* The kernel's siginfo is 128 bytes; only the signal's number is of interest here. */
struct sys_siginfo {
	int number;
	int rest[31];
};

enum {
	SYS_SIGKILL = 9,
	SYS_SIGUSR1 = 10,
	SYS_SIGTERM = 15,
	SYS_SIGCHLD = 17,
	SYS_BLOCK = 0,
	SYS_SETMASK = 2,
	SYS_WNOHANG = 1,
	SYS_WRITE_ONLY = 1,
	SYS_CLOEXEC = 02000000,
	SYS_AT_FDCWD = -100,
	SYS_MONOTONIC = 1,
	SYS_SUBREAPER = 36,
};
#define SYS_VFORK 0x4100L /* CLONE_VM | CLONE_VFORK */

#define SYS_BIT(signal) (1UL << ((signal)-1))

int run(int argc, char **argv, char **envp);

#if defined(__x86_64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	xor %ebp, %ebp\n"
	"	mov %rsp, %rdi\n"
	"	and $-16, %rsp\n"
	"	call sys_begin\n"
	"	hlt\n");

static inline __attribute__((always_inline)) long sys4(long number, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long result;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return result;
}
#elif defined(__aarch64__)
__asm__(".globl _start\n"
	"_start:\n"
	"	mov x29, #0\n"
	"	mov x0, sp\n"
	"	bl sys_begin\n"
	"	brk #0\n");

static inline __attribute__((always_inline)) long sys4(long number, long a, long b, long c, long d)
{
	register long x8 __asm__("x8") = number;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = 0;
	__asm__ volatile("svc #0"
			 : "+r"(x0)
			 : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
			 : "memory");
	return x0;
}
#else
#error "the benchmark's floor programs know x86-64 and arm64"
#endif

static inline __attribute__((noreturn)) void sys_exit(int code)
{
	for (;;)
		sys4(__NR_exit_group, code, 0, 0, 0);
}

__attribute__((noreturn, used)) void sys_begin(long *stack);
void sys_begin(long *stack)
{
	int argc = (int)stack[0];
	char **argv = (char **)(stack + 1);
	sys_exit(run(argc, argv, argv + argc + 1));
}

static inline sys_ns sys_now(void)
{
	struct sys_time now;
	sys4(__NR_clock_gettime, SYS_MONOTONIC, (long)&now, 0, 0);
	return (sys_ns)now.seconds * 1000000000 + now.nanoseconds;
}

static inline void sys_mask(int how, sys_set set)
{
	sys4(__NR_rt_sigprocmask, how, (long)&set, 0, sizeof(set));
}

/* The signal, or -EAGAIN when `timeout` has passed. */
static inline long sys_wait_signal(sys_set set, const struct sys_time *timeout)
{
	struct sys_siginfo info;
	return sys4(__NR_rt_sigtimedwait, (long)&set, (long)&info, (long)timeout, sizeof(set));
}

/* Inlined on purpose: a child of vfork must not return from the function that called it. */
static inline __attribute__((always_inline)) long sys_vfork(void)
{
	return sys4(__NR_clone, SYS_VFORK | SYS_SIGCHLD, 0, 0, 0);
}

#endif
