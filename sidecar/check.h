/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_CHECK_H
#define SIDECAR_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "probe.h"
#include "resolve.h"

/*
 * One check of one probe, from name to verdict: resolve, connect, and for HTTP the exchange. One
 * deadline covers all of it. probe_done is called exactly once, unless the check is cancelled.
 *
 * An HTTP check connects by itself (probe_tcp.c) and gives the connected socket to libcurl while
 * its service is not up: a refused connection, the usual answer of a service that starts, then
 * costs no more than that. Later libcurl connects, because it may have a connection to use again.
 */
struct checker;
struct http;
struct http_exchange;

enum check_phase { CHECK_FREE, CHECK_RESOLVE, CHECK_CONNECT, CHECK_HTTP };

struct check {
	struct checker *checker;
	struct probe *probe;
	uint8_t phase; /* enum check_phase */
	bool direct;   /* CHECK_HTTP: libcurl makes the connection */
	uint64_t begin, deadline;
	struct loop_timer timer; /* the deadline */
	struct lookup lookup;
	struct answer answer;      /* with the target's port in each address */
	uint64_t done[STEP_COUNT]; /* when each step was; 0: not (yet) */
	/* probe_tcp.c */
	unsigned attempt; /* index in `answer` of the address being tried */
	int error;        /* errno of the last attempt that failed */
	int fd;           /* connecting or connected; -1: none */
	struct loop_timer attempt_timer;
	/* probe_http.c */
	struct http_exchange *exchange; /* made at the first use of this slot, then kept */
};

struct checker *checker_create(struct loop *loop, struct resolver *resolver);
void checker_destroy(struct checker *checker);
/* How many checks there are at a time, and to one port of one host; before the first one. */
void checker_limit(struct checker *checker, unsigned all, unsigned per_host);
bool checker_has_room(const struct checker *checker);
bool checker_has_room_to(const struct checker *checker, const struct target *target);

void check_begin(struct checker *checker, struct probe *probe);
void check_cancel(struct check *check);

/* ---- between check.c and its two trades ---- */

struct loop *check_loop(const struct check *check);
struct http *check_http(struct check *check);

/* Ends the check. The reason is formatted into outcome.reason. */
void check_succeed(struct check *check, unsigned status, uint64_t at);
void check_fail(struct check *check, enum fault fault, enum step step, unsigned status,
		const char *format, ...) __attribute__((format(printf, 5, 6)));
/* "timed out after 1s (STEP)" */
void check_time_out(struct check *check, enum step step);
/* Text for an errno of connect, send or recv. */
const char *check_error_text(int error);

/* probe_tcp.c: tries the addresses one after the other; ends in check_connected or check_fail. */
void tcp_begin(struct check *check);
void tcp_cancel(struct check *check);
/* check->fd is connected now. */
void check_connected(struct check *check);

/* probe_http.c: the exchange over check->fd, or with `direct` over a connection of libcurl's. */
void http_begin(struct check *check);
void http_cancel(struct check *check);
/* The deadline came during the exchange: ends the check, by what is known so far. */
void http_expire(struct check *check);
void http_exchange_free(struct http_exchange *exchange);

#endif
