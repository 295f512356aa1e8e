/* SPDX-License-Identifier: MIT */
/*
 * launch [-n] RECORD PROGRAM [ARG...]: starts an init and writes into RECORD when, as which
 * process, and when and how it ended (record.h). With -n it is PID 1 of a PID namespace of its own,
 * with its own /proc. It dies with launch, and launch with whoever started it.
 */
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "bench.h"
#include "record.h"

/* Supervisors need two descriptors or more per service; the soft limit is often 1024. */
static void raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("getrlimit");
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("setrlimit");
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* Makes the new user namespace's only user root. */
static void map_user(uid_t uid, gid_t gid)
{
	char line[64];

	write_file("/proc/self/setgroups", "deny");
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)uid);
	write_file("/proc/self/uid_map", line);
	snprintf(line, sizeof(line), "0 %u 1", (unsigned)gid);
	write_file("/proc/self/gid_map", line);
}

static void mount_proc(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("mount / as private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		die("mount /proc");
}

static pid_t start(int namespace, struct launch_record *record, char **argv)
{
	uid_t uid = getuid();
	gid_t gid = getgid();
	long flags = SIGCHLD;
	pid_t pid;

	if (namespace)
		flags |= CLONE_NEWPID | CLONE_NEWNS | (uid ? CLONE_NEWUSER : 0);
	pid = (pid_t)syscall(SYS_clone, flags, NULL, NULL, NULL, 0);
	if (pid < 0)
		die("clone");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (namespace && uid)
		map_user(uid, gid);
	if (namespace)
		mount_proc();
	record->start = now_ns();
	execv(argv[0], argv);
	die(argv[0]);
}

int main(int argc, char **argv)
{
	int namespace = argc > 1 && strcmp(argv[1], "-n") == 0;
	struct launch_record *record;
	int status;
	pid_t pid;

	argv += 1 + namespace;
	if (argc < 3 + namespace) {
		fprintf(stderr, "usage: launch [-n] RECORD PROGRAM [ARG...]\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	raise_file_limit();
	record = map_file(argv[0], sizeof(*record));
	pid = start(namespace, record, argv + 1);
	record->pid = pid;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	record->status = status;
	record->end = now_ns();
	return 0;
}
