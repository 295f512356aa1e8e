/* SPDX-License-Identifier: MIT */
#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs `body` in a child so that what it does to descriptors and filters stays there. */
static int in_child(int (*body)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(body());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* Makes one system call fail with EPERM from here on, as container runtimes do. */
static int refuse_call(unsigned number)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static int mark_and_check(void)
{
	int fds[4] = {3, 10, 63, 900};

	for (int i = 0; i < 4; i++)
		if (dup2(1, fds[i]) < 0 || fcntl(fds[i], F_SETFD, 0) < 0)
			return 1;
	fd_cloexec_from(10);
	for (int i = 0; i < 4; i++)
		if (!!(fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != (fds[i] >= 10))
			return 2 + i;
	return fcntl(2, F_GETFD) & FD_CLOEXEC ? 9 : 0;
}

static int mark_without_close_range(void)
{
	return refuse_call(436) ? 1 : mark_and_check();
}

/* Nor /proc: here the directory cannot be opened. */
static int mark_by_number(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 436, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return 1;
	return mark_and_check();
}

static void cloexec_marks_from_the_first(void **state)
{
	(void)state;
	assert_int_equal(in_child(mark_and_check), 0);
}

static void cloexec_works_where_close_range_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(mark_without_close_range), 0);
}

static void cloexec_works_without_proc(void **state)
{
	(void)state;
	assert_int_equal(in_child(mark_by_number), 0);
}

static int open_standard_of(unsigned closed)
{
	struct stat st;

	for (int fd = 0; fd < 3; fd++)
		if (closed & (1U << fd))
			close(fd);
	fd_open_standard();
	for (int fd = 0; fd < 3; fd++)
		if (fstat(fd, &st) < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC))
			return 1 + fd;
	return 0;
}

static unsigned closed_ones;

static int open_standard(void)
{
	return open_standard_of(closed_ones);
}

static int open_standard_without_dev(void)
{
	char byte;

	if (refuse_call(SYS_openat) || open_standard_of(closed_ones))
		return 5;
	/* reads as empty, takes nothing */
	return closed_ones & 1 && (read(0, &byte, 1) != 0 || write(0, "x", 1) != -1) ? 6 : 0;
}

static void closed_standard_descriptors_are_opened(void **state)
{
	(void)state;
	for (closed_ones = 0; closed_ones < 8; closed_ones++) {
		assert_int_equal(in_child(open_standard), 0);
		assert_int_equal(in_child(open_standard_without_dev), 0);
	}
}

static void write_all_goes_on_after_short_writes(void **state)
{
	static char data[300000], back[sizeof(data)];
	int ends[2];
	size_t len = 0;
	pid_t pid;

	(void)state;
	memset(data, 'x', sizeof(data));
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		_exit(fd_write_all(ends[1], data, sizeof(data)) != 0);
	close(ends[1]);
	for (ssize_t n = 1; n > 0 && len < sizeof(back); len += (size_t)n)
		n = read(ends[0], back + len, sizeof(back) - len);
	close(ends[0]);
	assert_int_equal(len, sizeof(data));
	assert_memory_equal(data, back, sizeof(data));
	waitpid(pid, NULL, 0);
	assert_int_equal(fd_write_all(999, "x", 1), -EBADF);
}

static void read_file_is_whole_or_an_error(void **state)
{
	char path[] = "/tmp/muster-fd-XXXXXX", fifo[64], text[8];
	int fd = mkstemp(path);

	(void)state;
	assert_int_equal(write(fd, "1234567", 7), 7);
	assert_int_equal(fd_read_file(path, text, sizeof(text)), 7);
	assert_string_equal(text, "1234567");
	assert_int_equal(write(fd, "8", 1), 1);
	assert_int_equal(fd_read_file(path, text, sizeof(text)), -EFBIG);
	assert_int_equal(fd_read_file("/nonexistent", text, sizeof(text)), -ENOENT);
	assert_int_equal(fd_read_file("/tmp", text, sizeof(text)), -EISDIR);
	snprintf(fifo, sizeof(fifo), "%s.fifo", path);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(fd_read_file(fifo, text, sizeof(text)), -ENXIO);
	unlink(fifo);
	unlink(path);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cloexec_marks_from_the_first),
		cmocka_unit_test(cloexec_works_where_close_range_is_refused),
		cmocka_unit_test(cloexec_works_without_proc),
		cmocka_unit_test(closed_standard_descriptors_are_opened),
		cmocka_unit_test(write_all_goes_on_after_short_writes),
		cmocka_unit_test(read_file_is_whole_or_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
