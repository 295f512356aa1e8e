/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CLIENT_H
#define MUSTER_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "wire.h"

/*
 * A connection to the control socket. Deadlines are instants of CLOCK_MONOTONIC in ns (NEVER:
 * none). Errors are -errno: -ENOENT and -ECONNREFUSED (no init there), -EACCES, -ETIMEDOUT, -EPROTO
 * (what came is no message), -ECONNRESET (init closed before it answered).
 */
struct ctl;

struct client {
	int fd; /* -1: not connected */
};

struct message {
	int type; /* enum wire_type */
	const char *body;
	size_t size;
	char packet[sizeof(struct wire_header) + WIRE_BODY_MAX + 1]; /* a NUL behind the body */
};

/* How long init may take to answer what it can answer at once. */
#define CLIENT_PATIENCE_MS 5000

/* Waits until the descriptor can be read (POLLIN) or written (POLLOUT). 0 or -errno. */
int client_poll(int fd, short what, uint64_t deadline);
int client_connect(struct client *client, const char *run_dir, uint64_t deadline);
void client_close(struct client *client);
/* Both 0 or -errno. `tail` may be NULL. */
int client_send(struct client *client, enum wire_type type, const void *body, size_t size,
		const void *tail, size_t tail_size, uint64_t deadline);
int client_receive(struct client *client, struct message *message, uint64_t deadline);

/*
 * Connects, asks, gets the first answer, closes; says what went wrong. Returns an enum ctl_exit;
 * with CTL_DONE, message holds the answer.
 */
int client_request(const struct ctl *ctl, enum wire_type type, const void *body, size_t size,
		   uint64_t deadline, struct message *message);
/* Says why there is no connection; returns the exit code for it. */
int client_complain(const struct ctl *ctl, int error);
/* The exit code for an answer; what is no success is said. */
int client_verdict(const struct message *message);

#endif
