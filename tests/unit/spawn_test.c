/* SPDX-License-Identifier: MIT */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"
#include "creds.h"
#include "fd.h"
#include "signals.h"

static char directory[64];

static int set_up(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/muster-spawn-XXXXXX");
	return mkdtemp(directory) ? 0 : -1;
}

static int tear_down(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

/* A request that changes nothing. */
static struct spawn_request plain(char *const *argv)
{
	extern char **environ;

	return (struct spawn_request){.argv = argv, .envp = environ, .foreground_tty = -1};
}

static int wait_for(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Runs a program with stdout on a pipe; returns its exit code and what it wrote. */
static int run_program(struct spawn_request *request, char *const *argv, char *text, size_t size)
{
	struct spawn_error error;
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	struct spawn_fd out;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	out = (struct spawn_fd){ends[1], 1};
	request->argv = argv;
	if (!request->fds) {
		request->fds = &out;
		request->fd_count = 1;
	}
	pid = spawn(request, &error);
	close(ends[1]);
	while ((n = read(ends[0], text + len, size - 1 - len)) > 0)
		len += (size_t)n;
	text[len] = '\0';
	close(ends[0]);
	status = wait_for(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int run_shell(struct spawn_request *request, const char *script, char *text, size_t size)
{
	char *argv[] = {"/bin/sh", "-c", (char *)(uintptr_t)script, NULL};

	return run_program(request, argv, text, size);
}

static int start_error(struct spawn_request *request, struct spawn_error *error)
{
	assert_int_equal(spawn(request, error), -1);
	/* it was reaped */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
	return spawn_exit_code(error);
}

static void exit_code_arrives(void **state)
{
	struct spawn_request request = plain(NULL);
	char text[64];

	(void)state;
	assert_int_equal(run_shell(&request, "echo out; exit 7", text, sizeof(text)), 7);
	assert_string_equal(text, "out\n");
}

static void missing_program_is_127(void **state)
{
	char *names[] = {"/nonexistent/x", "no-such-program-anywhere", "", "/etc/passwd/x"};
	struct spawn_error error;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *argv[] = {names[i], NULL};
		struct spawn_request request = plain(argv);

		assert_int_equal(start_error(&request, &error), 127);
		assert_int_equal(error.step, STEP_EXEC);
	}
	assert_int_equal(error.error, ENOTDIR);
}

static void make_script(const char *name, const char *text, mode_t mode)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (strrchr(name, '/')) {
		*strrchr(path, '/') = '\0';
		mkdir(path, 0755);
		snprintf(path, sizeof(path), "%s/%s", directory, name);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void unusable_program_is_126(void **state)
{
	static const char *const names[] = {"plain", "noformat", ""};
	struct spawn_error error;
	char path[128];

	(void)state;
	make_script("plain", "#!/bin/sh\n", 0644);
	make_script("noformat", "echo no shell must run this\n", 0755);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *argv[] = {path, NULL};
		struct spawn_request request = plain(argv);

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		assert_int_equal(start_error(&request, &error), 126);
		assert_int_equal(error.error, i == 1 ? ENOEXEC : EACCES);
	}
}

/* PATH is that of the program's environment; what may not be executed is passed over. */
static void path_is_searched(void **state)
{
	char path[256], *envp[] = {path, NULL}, *argv[] = {"tool", NULL}, *none[] = {NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	make_script("a/tool", "#!/bin/sh\nexit 1\n", 0644);
	make_script("b/tool", "#!/bin/sh\nexit 22\n", 0755);
	request.envp = envp;
	snprintf(path, sizeof(path), "PATH=/nonexistent:%s/plain:%s/a:%s/b", directory, directory,
		 directory);
	assert_int_equal(WEXITSTATUS(wait_for(spawn(&request, &error))), 22);
	snprintf(path, sizeof(path), "PATH=%s/a:/nonexistent", directory);
	assert_int_equal(start_error(&request, &error), 126);
	assert_int_equal(error.error, EACCES);
	snprintf(path, sizeof(path), "PATH=/nonexistent:");
	assert_int_equal(start_error(&request, &error), 127);
	argv[0] = "true";
	request.envp = none;
	assert_int_equal(WEXITSTATUS(wait_for(spawn(&request, &error))), 0);
}

static void an_empty_path_entry_is_the_current_directory(void **state)
{
	struct identity_config id = {.working_dir = directory};
	char *envp[] = {"PATH=/nonexistent::/usr/bin", NULL}, *argv[] = {"here", NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	make_script("here", "#!/bin/sh\nexit 31\n", 0755);
	request.envp = envp;
	request.identity = &id;
	assert_int_equal(WEXITSTATUS(wait_for(spawn(&request, &error))), 31);
}

static void overlong_path_entries_are_passed_over(void **state)
{
	static char path[8192];
	char *envp[] = {path, NULL}, *argv[] = {"true", NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path, "PATH=/", 6);
	strcpy(path + sizeof(path) - 32, ":/usr/bin");
	request.envp = envp;
	assert_int_equal(WEXITSTATUS(wait_for(spawn(&request, &error))), 0);
}

static int open_text(const char *text)
{
	int fd = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

/* a goes to b's number, b to a's, and a to a third: nothing is lost. */
static void overlapping_descriptors_are_not_lost(void **state)
{
	int ends[2], a = open_text("A"), b = open_text("B"), third = fcntl(a, F_DUPFD_CLOEXEC, 50);
	struct spawn_fd fds[] = {{a, b}, {b, a}, {-1, 1}, {a, third}};
	struct spawn_request request = plain(NULL);
	struct spawn_error error;
	char script[256], text[64];
	char *argv[] = {"/bin/bash", "-c", script, NULL};
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	fds[2].source = ends[1];
	close(third);
	/* one description for A read twice: rewind by opening it again */
	snprintf(script, sizeof(script),
		 "cat /proc/self/fd/%d /proc/self/fd/%d /proc/self/fd/%d;"
		 "ls /proc/self/fd | awk '$1 > %d' | wc -l",
		 b, a, third, third);
	request.argv = argv;
	request.fds = fds;
	request.fd_count = 4;
	wait_for(spawn(&request, &error));
	n = read(ends[0], text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	/* and the copies made on the way are not passed on */
	assert_string_equal(text, "ABA0\n");
	close(ends[0]);
	close(ends[1]);
	close(a);
	close(b);
}

static void a_descriptor_stays_at_its_number(void **state)
{
	int fd = open_text("same");
	struct spawn_fd fds[] = {{fd, fd}};
	char script[64];
	char *argv[] = {"/bin/bash", "-c", script, NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	snprintf(script, sizeof(script), "[ \"$(cat <&%d)\" = same ]", fd);
	request.fds = fds;
	request.fd_count = 1;
	assert_int_equal(WEXITSTATUS(wait_for(spawn(&request, &error))), 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC); /* ours is as it was */
	close(fd);
}

static void a_closed_source_is_an_error(void **state)
{
	struct spawn_fd fds[] = {{999, 1}};
	char *argv[] = {"/bin/true", NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	request.fds = fds;
	request.fd_count = 1;
	assert_int_equal(start_error(&request, &error), 70);
	assert_int_equal(error.step, STEP_DESCRIPTORS);
	assert_int_equal(error.error, EBADF);
	request.fd_count = SPAWN_FDS_MAX + 1;
	assert_int_equal(start_error(&request, &error), 70);
	assert_int_equal(error.error, E2BIG);
}

static void session_and_group(void **state)
{
	/* pid, process group, session */
	static const char script[] = "set -- $(cat /proc/self/stat); echo $$ $5 $6";
	struct spawn_request request = plain(NULL);
	char text[64];
	int pid, group, session;

	(void)state;
	request.new_session = true;
	run_shell(&request, script, text, sizeof(text));
	assert_int_equal(sscanf(text, "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(pid, session);
	request = plain(NULL);
	request.new_group = true;
	run_shell(&request, script, text, sizeof(text));
	assert_int_equal(sscanf(text, "%d %d %d", &pid, &group, &session), 3);
	assert_int_equal(pid, group);
	assert_int_equal(session, getsid(0));
}

static void signals_are_default_and_unblocked(void **state)
{
	char *argv[] = {"/bin/grep", "-E", "Sig(Blk|Ign)", "/proc/self/status", NULL};
	struct spawn_request request = plain(NULL);
	sigset_t block;
	char text[256];

	(void)state;
	/* SIGPIPE has been ignored since before the first spawn: see main */
	sigemptyset(&block);
	sigaddset(&block, SIGUSR1);
	assert_int_equal(sigprocmask(SIG_BLOCK, &block, NULL), 0);
	run_program(&request, argv, text, sizeof(text));
	assert_string_equal(text, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
	request = plain(NULL);
	request.keep_signals = true;
	request.mask = &block;
	run_program(&request, argv, text, sizeof(text));
	assert_string_equal(text, "SigBlk:\t0000000000000200\nSigIgn:\t0000000000001000\n");
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &block, NULL), 0);
}

/* The mask of init itself is back as it was. */
static void own_mask_is_restored(void **state)
{
	struct spawn_request request = plain(NULL);
	sigset_t now;
	char text[16];

	(void)state;
	run_shell(&request, ":", text, sizeof(text));
	sigprocmask(SIG_SETMASK, NULL, &now);
	for (int signo = 1; signo < 32; signo++)
		assert_int_equal(sigismember(&now, signo), 0);
}

static void limits_umask_nice_directory(void **state)
{
	struct limit_config limits[] = {
		{RLIMIT_NOFILE, {100, 200}}, {RLIMIT_CORE, {0, 0}}, {-1, {0, 0}}};
	struct identity_config id = {.has_umask = true,
				     .umask = 027,
				     .has_nice = true,
				     .nice = 5,
				     .has_oom = true,
				     .oom_score_adj = 321,
				     .no_new_privileges = true,
				     .limits = limits,
				     .working_dir = "/usr"};
	struct spawn_request request = plain(NULL);
	char text[256];

	(void)state;
	request.identity = &id;
	run_shell(&request,
		  "ulimit -n; umask; nice; pwd; cat /proc/self/oom_score_adj;"
		  "grep NoNew /proc/self/status",
		  text, sizeof(text));
	assert_string_equal(text, "100\n0027\n5\n/usr\n321\nNoNewPrivs:\t1\n");
}

static void a_bad_directory_or_limit_is_an_error(void **state)
{
	struct limit_config limits[] = {{RLIMIT_NOFILE, {200, 100}}, {-1, {0, 0}}};
	struct identity_config wrong_dir = {.working_dir = "/nonexistent"};
	struct identity_config wrong_limit = {.limits = limits};
	char *argv[] = {"/bin/true", NULL};
	struct spawn_request request = plain(argv);
	struct spawn_error error;

	(void)state;
	request.identity = &wrong_dir;
	assert_int_equal(start_error(&request, &error), 70);
	assert_int_equal(error.step, STEP_DIRECTORY);
	assert_int_equal(error.error, ENOENT);
	request.identity = &wrong_limit;
	assert_int_equal(start_error(&request, &error), 70);
	assert_int_equal(error.step, STEP_LIMITS);
}

static void another_user_is_taken_whole(void **state)
{
	static const gid_t groups[] = {54321, 20, 7};
	struct identity_config id = {.change_user = true,
				     .uid = 54321,
				     .gid = 54321,
				     .groups = groups,
				     .group_count = 3};
	struct spawn_request request = plain(NULL);
	char text[512];

	(void)state;
	if (geteuid() != 0)
		skip();
	request.identity = &id;
	run_shell(&request, "grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Amb))' /proc/self/status",
		  text, sizeof(text));
	assert_string_equal(text, "Uid:\t54321\t54321\t54321\t54321\n"
				  "Gid:\t54321\t54321\t54321\t54321\n"
				  "Groups:\t7 20 54321 \n"
				  "CapInh:\t0000000000000000\n"
				  "CapPrm:\t0000000000000000\n"
				  "CapEff:\t0000000000000000\n"
				  "CapAmb:\t0000000000000000\n");
}

/* Started by an unprivileged user, another identity is an error and its own is none. */
static void unprivileged_init_keeps_its_own_identity_only(void **state)
{
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		static const gid_t mine[] = {1000}, more[] = {1000, 44}, theirs[] = {1001};
		struct identity_config same = {.change_user = true,
					       .uid = 1000,
					       .gid = 1000,
					       .groups = mine,
					       .group_count = 1};
		struct identity_config other = same, group = same;
		char *argv[] = {"/bin/true", NULL};
		struct spawn_request request = plain(argv);
		struct spawn_error error;
		const gid_t held[] = {2000, 3000};

		if (setgroups(2, held) || setresgid(1000, 1000, 1000) ||
		    setresuid(1000, 1000, 1000))
			_exit(10);
		request.identity = &same;
		if (wait_for(spawn(&request, &error)) != 0)
			_exit(11);
		group.groups = more;
		group.group_count = 2;
		request.identity = &group;
		if (spawn(&request, &error) != -1 || error.step != STEP_GROUPS)
			_exit(12);
		other.uid = 1001;
		request.identity = &other;
		if (spawn(&request, &error) != -1 || error.step != STEP_UID ||
		    spawn_exit_code(&error) != 77)
			_exit(13);
		other = same;
		other.gid = 1001;
		other.groups = theirs;
		request.identity = &other;
		if (spawn(&request, &error) != -1 || error.step != STEP_GID)
			_exit(14);
		_exit(0);
	}
	assert_int_equal(wait_for(pid), 0);
}

/* Lets everything pass but uname. */
#define FILTER_LENGTH (CREDS_FILTER_MARK + 4)
static void make_filter(struct sock_filter *code, int error)
{
	const struct sock_filter rest[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_uname, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	memcpy(code, creds_filter_mark, sizeof(creds_filter_mark));
	memcpy(code + CREDS_FILTER_MARK, rest, sizeof(rest));
}

static void a_filter_holds_and_is_seen(void **state)
{
	struct identity_config id = {.no_new_privileges = true};
	struct spawn_request request = plain(NULL);
	struct sock_filter code[FILTER_LENGTH];
	struct sock_fprog filter = {FILTER_LENGTH, code};
	char *argv[] = {"/bin/true", NULL};
	struct spawn_error error;
	char text[256];

	(void)state;
	make_filter(code, EXFULL);
	request.identity = &id;
	request.filter = &filter;
	run_shell(&request, "uname 2>&1; grep ^Seccomp: /proc/self/status", text, sizeof(text));
	assert_non_null(strstr(text, strerror(EXFULL)));
	assert_non_null(strstr(text, "Seccomp:\t2\n"));
	/* one that is not seen to work is as bad as one that the kernel refuses */
	request = plain(argv);
	request.identity = &id;
	request.filter = &filter;
	filter = (struct sock_fprog){1, code + FILTER_LENGTH - 1};
	assert_int_equal(start_error(&request, &error), 77);
	assert_int_equal(error.step, STEP_SECCOMP);
	assert_int_equal(error.error, 0);
	filter = (struct sock_fprog){FILTER_LENGTH - 1, code};
	assert_int_equal(start_error(&request, &error), 77);
	assert_int_equal(error.error, EINVAL);
}

static void the_child_writes_its_pid(void **state)
{
	char variable[32] = "LISTEN_PID=";
	char *envp[] = {variable, NULL};
	struct spawn_request request = plain(NULL);
	char text[64], expected[64];
	int pid;

	(void)state;
	request.envp = envp;
	request.pid_text[0] = variable + 11;
	run_shell(&request, "echo $$ $LISTEN_PID", text, sizeof(text));
	assert_int_equal(sscanf(text, "%d", &pid), 1);
	snprintf(expected, sizeof(expected), "%d %d\n", pid, pid);
	assert_string_equal(text, expected);
}

static void every_step_has_a_name(void **state)
{
	(void)state;
	for (unsigned step = STEP_NONE; step < STEP_COUNT; step++)
		assert_true(strlen(spawn_step_name(step)) > 2);
	assert_string_equal(spawn_step_name(STEP_COUNT), "?");
}

static void retries_are_for_what_may_pass(void **state)
{
	struct spawn_error error = {STEP_CLONE, EAGAIN};

	(void)state;
	assert_true(spawn_retry_helps(&error, false));
	error = (struct spawn_error){STEP_SIGNALS, EACCES};
	assert_false(spawn_retry_helps(&error, false));
	assert_true(spawn_retry_helps(&error, true));
	error = (struct spawn_error){STEP_EXEC, ENOENT};
	assert_false(spawn_retry_helps(&error, true));
	error = (struct spawn_error){STEP_UID, EPERM};
	assert_false(spawn_retry_helps(&error, true));
	error = (struct spawn_error){STEP_VERIFY, 0};
	assert_false(spawn_retry_helps(&error, true));
	assert_int_equal(spawn_exit_code(&error), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exit_code_arrives),
		cmocka_unit_test(missing_program_is_127),
		cmocka_unit_test(unusable_program_is_126),
		cmocka_unit_test(path_is_searched),
		cmocka_unit_test(an_empty_path_entry_is_the_current_directory),
		cmocka_unit_test(overlong_path_entries_are_passed_over),
		cmocka_unit_test(overlapping_descriptors_are_not_lost),
		cmocka_unit_test(a_descriptor_stays_at_its_number),
		cmocka_unit_test(a_closed_source_is_an_error),
		cmocka_unit_test(session_and_group),
		cmocka_unit_test(signals_are_default_and_unblocked),
		cmocka_unit_test(own_mask_is_restored),
		cmocka_unit_test(limits_umask_nice_directory),
		cmocka_unit_test(a_bad_directory_or_limit_is_an_error),
		cmocka_unit_test(another_user_is_taken_whole),
		cmocka_unit_test(unprivileged_init_keeps_its_own_identity_only),
		cmocka_unit_test(a_filter_holds_and_is_seen),
		cmocka_unit_test(the_child_writes_its_pid),
		cmocka_unit_test(every_step_has_a_name),
		cmocka_unit_test(retries_are_for_what_may_pass),
	};

	/* whoever started this may have left signals ignored, glibc's own number 32 among them */
	for (int signo = 1; signo <= SIGNAL_MAX; signo++)
		signals_set_default(signo);
	signal(SIGPIPE, SIG_IGN);
	fd_cloexec_from(3); /* whatever the runner left open */
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
