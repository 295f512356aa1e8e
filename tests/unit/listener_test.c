/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "config.h"

static const struct identity_config nobody_else;

/* Of a configuration, :PORT: both families, any address. */
static struct listen_config everywhere(enum listen_kind kind, uint16_t port)
{
	struct listen_config where = {
		.kind = kind, .both = true, .size = sizeof(where.address.in6)};

	where.address.in6 =
		(struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	return where;
}

/* From here on this process is on a machine without IPv6, or, with `all`, without any network. */
static void lose_ipv6(bool all)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, all ? AF_UNIX : AF_INET6, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = {sizeof(code) / sizeof(code[0]), code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		_exit(77);
}

/* Opens in a process of its own; its exit code: the family of the socket, or 100 and -errno. */
static int opened_without_ipv6(const struct listen_config *where, bool all)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		union {
			struct sockaddr any;
			struct sockaddr_in in;
			struct sockaddr_in6 in6;
		} got = {0};
		socklen_t size = sizeof(got);
		struct listener listener;
		int rc;

		lose_ipv6(all);
		rc = listener_open(&listener, where, &nobody_else);
		if (rc < 0)
			_exit(listener.fd == -1 ? 100 - rc : 99);
		getsockname(listener.fd, &got.any, &size);
		_exit(got.any.sa_family == AF_INET && got.in.sin_addr.s_addr != INADDR_ANY
			      ? 98
			      : got.any.sa_family);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	return WEXITSTATUS(status);
}

static void without_ipv6_ipv4_serves(void **state)
{
	struct listen_config tcp = everywhere(LISTEN_TCP, 0), udp = everywhere(LISTEN_UDP, 0);

	(void)state;
	assert_int_equal(opened_without_ipv6(&tcp, false), AF_INET);
	assert_int_equal(opened_without_ipv6(&udp, false), AF_INET);
	assert_int_equal(opened_without_ipv6(&tcp, true), 100 + EAFNOSUPPORT);
	/* who asks for IPv6 alone does not get something else */
	tcp.both = false;
	assert_int_equal(opened_without_ipv6(&tcp, false), 100 + EAFNOSUPPORT);
}

static void a_port_that_is_taken_is_an_error(void **state)
{
	struct listen_config where = everywhere(LISTEN_TCP, 0);
	struct sockaddr_in6 at;
	socklen_t size = sizeof(at);
	struct listener first, second, copy;

	(void)state;
	if (listener_open(&first, &where, &nobody_else) == -EAFNOSUPPORT)
		skip();
	assert_true(first.fd >= 0);
	assert_int_equal(getsockname(first.fd, (struct sockaddr *)&at, &size), 0);
	where.address.in6.sin6_port = at.sin6_port;
	assert_int_equal(listener_open(&second, &where, &nobody_else), -EADDRINUSE);
	assert_int_equal(second.fd, -1);
	listener_close(&second, &where, true); /* of one that is not open: nothing */
	assert_int_equal(listener_share(&copy, &first), 0);
	assert_true(copy.fd > 2 && copy.fd != first.fd);
	listener_close(&copy, &where, false);
	listener_close(&first, &where, false);
	assert_int_equal(first.fd, -1);
	assert_int_equal(listener_open(&first, &where, &nobody_else), 0);
	listener_close(&first, &where, false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_ipv6_ipv4_serves),
		cmocka_unit_test(a_port_that_is_taken_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
