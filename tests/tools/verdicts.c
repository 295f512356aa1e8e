/* SPDX-License-Identifier: MIT */
/*
 * Prints what the filter of system calls that this process runs under says to each call, one a
 * line, without making any of them:
 *
 *   verdicts NUMBER[-NUMBER][:FIRST[:SECOND]]...    "41:38 errno 1", "0 allowed"
 *   verdicts i386 | x32                             how an entry by another door ends
 *
 * A filter of its own, which is asked besides, sends every call that carries a mark in its sixth
 * argument to a thread that answers with an error nobody else gives. What another filter answers
 * with an error does not come so far: of two answers the stricter one counts.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MARK       0x76657264
#define MARK_ERRNO 1998
#define SKIP       77

/* ---- calls that carry the mark ---- */

static int listener = -1;

static void *answer(void *unused)
{
	struct seccomp_notif call;

	(void)unused;
	for (;;) {
		struct seccomp_notif_resp response = {.error = -MARK_ERRNO};

		memset(&call, 0, sizeof(call));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) < 0)
			continue;
		response.id = call.id;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
	}
	return NULL;
}

static int wait_for_listener[2];

static void *wait_and_answer(void *unused)
{
	char byte;

	return read(wait_for_listener[0], &byte, 1) == 1 ? answer(unused) : NULL;
}

static int catch_marked_calls(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[5])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MARK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};
	pthread_t thread;

	/* the thread is not under this filter, or nobody could answer for it */
	if (pipe(wait_for_listener) < 0 ||
	    pthread_create(&thread, NULL, wait_and_answer, NULL) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return listener < 0 || write(wait_for_listener[1], "", 1) != 1 ? -1 : 0;
}

static void print_verdict(long number, const char *arguments)
{
	unsigned long first = 0, second = 0;
	char *end = NULL;
	long rc;

	if (*arguments == ':')
		first = strtoul(arguments + 1, &end, 0);
	if (end && *end == ':')
		second = strtoul(end + 1, NULL, 0);
	rc = syscall(number, first, second, 0L, 0L, 0L, (long)MARK);
	if (rc == -1 && errno == MARK_ERRNO)
		printf("%ld%s allowed\n", number, arguments);
	else if (rc == -1)
		printf("%ld%s errno %d\n", number, arguments, errno);
	else
		printf("%ld%s returned %ld\n", number, arguments, rc);
}

static void print_verdicts(const char *word)
{
	char *end;
	long number = strtol(word, &end, 10), last = number;

	if (*end == '-')
		last = strtol(end + 1, &end, 10);
	for (; number <= last; number++)
		print_verdict(number, end);
}

/* ---- other doors ---- */

static long getpid_by(const char *door)
{
#ifdef __x86_64__
	long result;

	if (strcmp(door, "x32") == 0)
		return syscall(0x40000000 | SYS_getpid);
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(20L)
			 : "memory", "r8", "r9", "r10", "r11");
	return result;
#else
	(void)door;
	return 0;
#endif
}

static int print_end(const char *door)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(getpid_by(door) == getpid() ? 0 : 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status))
		printf("%s %s\n", door, strsignal(WTERMSIG(status)));
	else
		printf("%s %s\n", door, WEXITSTATUS(status) ? "answered" : "worked");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && (strcmp(argv[1], "i386") == 0 || strcmp(argv[1], "x32") == 0))
		return print_end(argv[1]);
	if (catch_marked_calls() < 0) {
		fprintf(stderr, "verdicts: cannot listen: %s\n", strerror(errno));
		return SKIP;
	}
	for (int i = 1; i < argc; i++)
		print_verdicts(argv[i]);
	return fflush(stdout) == 0 ? 0 : 1;
}
