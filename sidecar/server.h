/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_SERVER_H
#define SIDECAR_SERVER_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The HTTP server: libmicrohttpd in the sidecar's loop, and around it what that library lacks: a
 * limit in time for each request however slowly it trickles in, for each answer however slowly it
 * is read, and for the silence between; a limit on connections, in all and from one address, with
 * places kept for this host; and, when it is full, room made at the expense of whoever sits idle
 * longest. What is answered to what is in routes.c.
 */
struct conn;
struct server;
struct sidecar;

/* Connections in all; for others than this host (loopback); and from one address that is not. */
#define CONNS_MAX         128
#define CONNS_REMOTE_MAX  112
#define CONNS_ADDRESS_MAX 32

/* Seconds for a request's head, for an answer to be read, and without a request. */
#define HEAD_SECONDS   5
#define ANSWER_SECONDS 10
#define IDLE_SECONDS   75

struct server *server_create(struct sidecar *sidecar); /* NULL: no memory, or libmicrohttpd fails */
/* Binds HOST:PORT; may be called several times. -1: not possible, and the log says why. */
int server_listen(struct server *server, const char *text);
/* Begins to accept. Says in the log where. */
void server_start(struct server *server);
void server_destroy(struct server *server);

/*
 * For an answer that goes on for as long as the client stays. The function that gives its bytes
 * lets the connection rest when it has none for now (and then gives 0): there is no deadline until
 * it is woken, and nobody looks whether the client is there. Else, and anew with server_more_time,
 * the client has ANSWER_SECONDS to take what is sent.
 */
void server_rest(struct MHD_Connection *connection);
void server_wake(struct MHD_Connection *connection);
void server_more_time(struct MHD_Connection *connection);
void server_end(struct MHD_Connection *connection);
bool server_is_ended(struct MHD_Connection *connection);
bool server_is_local(struct MHD_Connection *connection); /* from this host */

struct server_counts {
	uint64_t accepted;
	uint64_t refused; /* no place */
	uint64_t expired; /* closed at a deadline */
	uint64_t evicted; /* closed to make room */
	uint32_t open;
};
const struct server_counts *server_counts(const struct server *server);

/* Calls back for each path and status that was answered. */
typedef void server_requests_seen(void *data, const char *path, unsigned status, uint64_t requests);
void server_requests(const struct server *server, server_requests_seen *call, void *data);

#endif
