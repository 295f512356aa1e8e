/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

static void drop_socket(struct check *check)
{
	loop_forget(check_loop(check), check->fd);
	loop_disarm(check_loop(check), &check->attempt_timer);
	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
}

/*
 * Connecting to a port of this host where nobody listens can, by chance, take that very port as
 * the local one, and TCP then connects the socket with itself.
 */
static bool is_own_echo(int fd)
{
	union address here, there;
	socklen_t here_size = sizeof(here), there_size = sizeof(there);

	memset(&here, 0, sizeof(here));
	memset(&there, 0, sizeof(there));
	return getsockname(fd, &here.any, &here_size) == 0 &&
	       getpeername(fd, &there.any, &there_size) == 0 && here_size == there_size &&
	       memcmp(&here, &there, here_size) == 0;
}

/* 0: connected; EINPROGRESS: under way; else why not. */
static int start_attempt(struct check *check)
{
	const union address *address = &check->answer.list[check->attempt];

	check->fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (check->fd < 0)
		return errno;
	if (connect(check->fd, &address->any, address_size(address)) < 0)
		return errno;
	return is_own_echo(check->fd) ? ECONNREFUSED : 0;
}

static void attempt_ready(void *data, int fd, uint32_t events);
static void attempt_expired(void *data, uint64_t now);

/* Each address gets its share of the time that is left; the last one has all of it. */
static void await_attempt(struct check *check)
{
	unsigned left = check->answer.count - check->attempt;
	uint64_t now = clock_monotonic();

	loop_watch(check_loop(check), check->fd, EPOLLOUT, attempt_ready, check);
	if (left < 2 || now >= check->deadline)
		return;
	check->attempt_timer.call = attempt_expired;
	check->attempt_timer.data = check;
	loop_arm(check_loop(check), &check->attempt_timer, now + (check->deadline - now) / left);
}

/* Goes through the addresses from check->attempt on. */
static void try_addresses(struct check *check)
{
	for (; check->attempt < check->answer.count; check->attempt++) {
		int error = start_attempt(check);

		if (error == 0) {
			check_connected(check);
			return;
		}
		if (error == EINPROGRESS) {
			await_attempt(check);
			return;
		}
		check->error = error;
		drop_socket(check);
	}
	check_fail(check, FAULT_CONNECT, STEP_CONNECT, 0, "%s", check_error_text(check->error));
}

static void next_attempt(struct check *check, int error)
{
	check->error = error;
	drop_socket(check);
	check->attempt++;
	try_addresses(check);
}

static void attempt_ready(void *data, int fd, uint32_t events)
{
	struct check *check = data;
	socklen_t size = sizeof(int);
	int error = 0;

	(void)events;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
		error = errno;
	if (!error && is_own_echo(fd))
		error = ECONNREFUSED;
	if (error) {
		next_attempt(check, error);
		return;
	}
	loop_forget(check_loop(check), fd);
	loop_disarm(check_loop(check), &check->attempt_timer);
	check_connected(check);
}

static void attempt_expired(void *data, uint64_t now)
{
	(void)now;
	next_attempt(data, ETIMEDOUT);
}

void tcp_begin(struct check *check)
{
	check->attempt = 0;
	check->error = ECONNREFUSED;
	try_addresses(check);
}

void tcp_cancel(struct check *check)
{
	drop_socket(check);
}
