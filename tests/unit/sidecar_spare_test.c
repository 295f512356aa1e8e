/* SPDX-License-Identifier: MIT */
/* Without a descriptor left whoever waits is turned away, and the listening socket is not ready for
 * ever. */
#include "accept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct rlimit before;
static struct sockaddr_in at;
static int listener;

static int set_up(void **state)
{
	socklen_t size = sizeof(at);

	(void)state;
	at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	return listener < 0 || getrlimit(RLIMIT_NOFILE, &before) < 0 ||
	       bind(listener, (struct sockaddr *)&at, size) < 0 || listen(listener, 4) < 0 ||
	       getsockname(listener, (struct sockaddr *)&at, &size) < 0;
}

static int tear_down(void **state)
{
	(void)state;
	setrlimit(RLIMIT_NOFILE, &before);
	return close(listener);
}

static int connected(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	return fd;
}

/* From here on nothing more can be opened. */
static void fill_up(void)
{
	int next = dup(0);
	struct rlimit limit = {(rlim_t)next, before.rlim_max};

	assert_true(next >= 0);
	close(next);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_int_equal(dup(0), -1);
}

static void one_who_waits_is_taken(void **state)
{
	struct spare spare;
	union address peer;
	int fd = connected(), taken;

	(void)state;
	spare_open(&spare);
	assert_true(spare.fd >= 0);
	taken = accept_next(&spare, listener, &peer);
	assert_true(taken >= 0);
	assert_true(fcntl(taken, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(taken, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(peer.v4.sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(accept_next(&spare, listener, &peer), -1);
	close(taken);
	close(fd);
	spare_close(&spare);
	assert_int_equal(spare.fd, -1);
	spare_close(&spare);
}

static void without_descriptors_one_is_turned_away(void **state)
{
	struct spare spare;
	union address peer;
	char byte;
	int fd = connected();

	(void)state;
	spare_open(&spare);
	fill_up();
	assert_int_equal(accept_next(&spare, listener, &peer), ACCEPT_TURNED_AWAY);
	/* he learns that at once, and the reserve is there for the next */
	assert_int_equal(read(fd, &byte, 1), -1);
	assert_int_equal(errno, ECONNRESET);
	assert_true(spare.fd >= 0);
	assert_int_equal(poll(&(struct pollfd){.fd = listener, .events = POLLIN}, 1, 0), 0);
	assert_int_equal(accept_next(&spare, listener, &peer), -1);
	setrlimit(RLIMIT_NOFILE, &before);
	close(fd);

	/* without a reserve he waits */
	spare_close(&spare);
	fd = connected();
	fill_up();
	assert_int_equal(accept_next(&spare, listener, &peer), -1);
	assert_int_equal(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &before);
	close(accept_next(&spare, listener, &peer));
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_who_waits_is_taken),
		cmocka_unit_test(without_descriptors_one_is_turned_away),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
