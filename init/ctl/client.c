/* SPDX-License-Identifier: MIT */
#include "client.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "log.h"

/* Milliseconds for poll(2) until the deadline, rounded up. */
static int poll_time(uint64_t deadline)
{
	uint64_t now = clock_monotonic(), left;

	if (deadline == NEVER)
		return -1;
	if (deadline <= now)
		return 0;
	left = (deadline - now + NSEC_PER_MSEC - 1) / NSEC_PER_MSEC;
	return left > 1000000000 ? 1000000000 : (int)left;
}

int client_poll(int fd, short what, uint64_t deadline)
{
	struct pollfd poller = {.fd = fd, .events = what};
	int n;

	for (;;) {
		n = poll(&poller, 1, poll_time(deadline));
		if (n > 0)
			return 0;
		if (n == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* The socket's address; a directory with a long path is named by a descriptor. */
static int address_fill(struct sockaddr_un *address, const char *run_dir, int *dirfd)
{
	size_t size = sizeof(address->sun_path);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	*dirfd = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (*dirfd < 0)
		return -errno;
	if ((size_t)snprintf(address->sun_path, size, "%s/" WIRE_SOCKET, run_dir) >= size)
		snprintf(address->sun_path, size, "/proc/self/fd/%d/" WIRE_SOCKET, *dirfd);
	return 0;
}

/* While init's queue of new connections is full, connect(2) waits as long as SO_SNDTIMEO says. */
static void limit_connect(int fd, uint64_t deadline)
{
	int ms = poll_time(deadline);
	struct timeval limit;

	if (ms < 0)
		return;
	limit = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 + 1};
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int client_connect(struct client *client, const char *run_dir, uint64_t deadline)
{
	struct sockaddr_un address;
	int dirfd, error;

	client->fd = -1;
	error = address_fill(&address, run_dir, &dirfd);
	if (error)
		return error;
	client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (client->fd < 0) {
		error = -errno;
	} else {
		limit_connect(client->fd, deadline);
		if (connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
			error = errno == EAGAIN ? -ETIMEDOUT : -errno;
	}
	close(dirfd);
	if (error)
		client_close(client);
	return error;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
}

int client_send(struct client *client, enum wire_type type, const void *body, size_t size,
		const void *tail, size_t tail_size, uint64_t deadline)
{
	char packet[sizeof(struct wire_header) + WIRE_BODY_MAX];
	size_t len = wire_encode(packet, type, body, size, tail, tail_size);
	int error;

	for (;;) {
		error = client_poll(client->fd, POLLOUT, deadline);
		if (error)
			return error;
		if (send(client->fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return 0;
		if (errno == EPIPE)
			return -ECONNRESET;
		if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
}

int client_receive(struct client *client, struct message *message, uint64_t deadline)
{
	size_t room = sizeof(message->packet) - 1;
	const void *body;
	ssize_t len;
	int error;

	do {
		error = client_poll(client->fd, POLLIN, deadline);
		if (error)
			return error;
		len = recv(client->fd, message->packet, room, MSG_DONTWAIT | MSG_TRUNC);
	} while (len < 0 && (errno == EAGAIN || errno == EINTR));
	if (len < 0)
		return -errno;
	if (len == 0)
		return -ECONNRESET;
	if ((size_t)len > room)
		return -EPROTO;
	message->type = wire_decode(message->packet, (size_t)len, &body, &message->size);
	if (message->type < 0)
		return -EPROTO;
	message->body = body;
	message->packet[len] = '\0';
	return 0;
}

int client_complain(const struct ctl *ctl, int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		log_error("no muster-init here: there is no %s/" WIRE_SOCKET
			  " (--run-dir or MUSTER_RUN_DIR names another directory)",
			  ctl->run_dir);
		return CTL_UNREACHABLE;
	case -ECONNREFUSED:
		log_error("muster-init is gone: nobody listens on %s/" WIRE_SOCKET, ctl->run_dir);
		return CTL_UNREACHABLE;
	case -EACCES:
	case -EPERM:
		log_error("%s/" WIRE_SOCKET ": permission denied", ctl->run_dir);
		return CTL_REFUSED;
	case -ETIMEDOUT:
		log_error("muster-init does not answer");
		return CTL_TIMED_OUT;
	case -EPROTO:
		log_error("what came from %s/" WIRE_SOCKET " is no message of this version",
			  ctl->run_dir);
		return CTL_UNREACHABLE;
	case -ECONNRESET:
		log_error("muster-init closed the connection before it had answered");
		return CTL_UNREACHABLE;
	default:
		log_error("%s/" WIRE_SOCKET ": %s", ctl->run_dir, strerror(-error));
		return CTL_UNREACHABLE;
	}
}

static int said(const struct message *message, const char *otherwise, int exit_code)
{
	/* possibly several lines, longer than what log_error takes */
	fprintf(stderr, "musterctl: error: %s\n", message->size ? message->body : otherwise);
	return exit_code;
}

int client_verdict(const struct message *message)
{
	switch (message->type) {
	case WIRE_DONE:
	case WIRE_PART:
		return CTL_DONE;
	case WIRE_REFUSED:
		return said(message, "not permitted", CTL_REFUSED);
	case WIRE_NOT_FOUND:
		return said(message, "no such service", CTL_NOT_FOUND);
	case WIRE_FAILED:
		return said(message, "it did not work", CTL_FALSE);
	case WIRE_UNKNOWN:
		log_error("this muster-init does not know that request");
		return CTL_FALSE;
	default:
		log_error("unexpected answer %d from muster-init", message->type);
		return CTL_UNREACHABLE;
	}
}

int client_request(const struct ctl *ctl, enum wire_type type, const void *body, size_t size,
		   uint64_t deadline, struct message *message)
{
	struct client client;
	int error = client_connect(&client, ctl->run_dir, deadline);

	if (!error) {
		error = client_send(&client, type, body, size, NULL, 0, deadline);
		/* what init said before it hung up is worth more than that it did */
		if (!error || error == -ECONNRESET)
			error = client_receive(&client, message, deadline);
		client_close(&client);
	}
	return error ? client_complain(ctl, error) : client_verdict(message);
}
