/* SPDX-License-Identifier: MIT */
#include "dns_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "mem.h"

#define ANSWER_MOST 4096 /* over UDP; what is larger comes cut, and is asked for over TCP */
#define STREAM_MOST 65535
#define BATCH       16 /* packets before others have their turn */

static void next_try(struct dns_ask *ask);

static void close_socket(struct dns_ask *ask)
{
	loop_disarm(ask->loop, &ask->timer);
	if (ask->fd >= 0) {
		loop_forget(ask->loop, ask->fd);
		close(ask->fd);
	}
	free(ask->stream);
	ask->stream = NULL;
	ask->fd = -1;
}

void dns_ask_cancel(struct dns_ask *ask)
{
	close_socket(ask);
}

static void finish(struct dns_ask *ask, uint8_t *answer, size_t size)
{
	uint8_t *stream = ask->stream;

	ask->stream = NULL; /* the answer may lie there */
	close_socket(ask);
	ask->call(ask->data, answer, size);
	free(stream);
}

/* Not what another server, too, would say. */
static bool is_of_no_help(const uint8_t *answer)
{
	unsigned code = dns_two(answer + 2) & 15;

	return code == DNS_SERVFAIL || code == DNS_REFUSED || code == DNS_NOTIMP;
}

/* False: it is no answer to our question. */
static bool take_answer(struct dns_ask *ask, uint8_t *answer, size_t size)
{
	if (!dns_adopt(answer, size, ask->query, ask->id))
		return false;
	if (!ask->tcp && size > ANSWER_MOST) /* only the beginning is here */
		size = dns_cut(answer, ask->query);
	if (is_of_no_help(answer) && ask->servers_left)
		next_try(ask);
	else
		finish(ask, answer, size);
	return true;
}

/* ---- UDP ---- */

static void datagram_ready(void *data, int fd, uint32_t events)
{
	struct dns_ask *ask = data;
	uint8_t answer[ANSWER_MOST];
	ssize_t n;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		n = recv(fd, answer, sizeof(answer), MSG_DONTWAIT | MSG_TRUNC);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* nobody is there */
			next_try(ask);
			return;
		}
		if (take_answer(ask, answer, (size_t)n))
			return;
	}
}

static bool send_datagram(struct dns_ask *ask)
{
	uint8_t packet[STREAM_MOST];

	memcpy(packet, ask->query->packet, ask->query->size);
	dns_put_two(packet, ask->id);
	return send(ask->fd, packet, ask->query->size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 &&
	       loop_watch(ask->loop, ask->fd, EPOLLIN, datagram_ready, ask) == 0;
}

/* ---- TCP ---- */

static bool go_on(ssize_t n)
{
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool write_stream(struct dns_ask *ask)
{
	ssize_t n = send(ask->fd, ask->stream + ask->stream_done,
			 ask->stream_size - ask->stream_done, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n > 0)
		ask->stream_done += (size_t)n;
	return go_on(n);
}

static bool read_stream(struct dns_ask *ask)
{
	ssize_t n = recv(ask->fd, ask->stream + ask->stream_done,
			 ask->stream_size - ask->stream_done, MSG_DONTWAIT);

	if (n > 0)
		ask->stream_done += (size_t)n;
	if (ask->stream_size == 2 && ask->stream_done == 2) {
		ask->stream_size += dns_two(ask->stream);
		ask->stream = mem_resize(ask->stream, ask->stream_size, 1);
	}
	return go_on(n);
}

static void expect_answer(struct dns_ask *ask)
{
	ask->sent = true;
	ask->stream_size = 2;
	ask->stream_done = 0;
}

static void stream_ready(void *data, int fd, uint32_t events)
{
	struct dns_ask *ask = data;
	bool good = ask->sent ? read_stream(ask) : write_stream(ask);

	(void)events;
	if (!good) {
		next_try(ask);
		return;
	}
	if (ask->stream_done < ask->stream_size)
		return;
	if (!ask->sent) {
		expect_answer(ask);
		loop_watch(ask->loop, fd, EPOLLIN, stream_ready, ask);
	} else if (!take_answer(ask, ask->stream + 2, ask->stream_size - 2)) {
		next_try(ask);
	}
}

static bool begin_stream(struct dns_ask *ask)
{
	const struct dns_query *query = ask->query;

	ask->sent = false;
	ask->stream_done = 0;
	ask->stream_size = query->size + 2;
	ask->stream = mem_alloc(ask->stream_size);
	dns_put_two(ask->stream, (unsigned)query->size);
	memcpy(ask->stream + 2, query->packet, query->size);
	dns_put_two(ask->stream + 2, ask->id);
	return loop_watch(ask->loop, ask->fd, EPOLLOUT, stream_ready, ask) == 0;
}

/* ---- tries ---- */

/* The kernel gives a port at random to a socket that is connected without having one. */
static bool begin_try(struct dns_ask *ask, const union address *server)
{
	int type = ask->tcp ? SOCK_STREAM : SOCK_DGRAM;

	ask->fd = socket(server->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (ask->fd < 0 || getrandom(&ask->id, sizeof(ask->id), 0) != sizeof(ask->id))
		return false;
	if (connect(ask->fd, &server->any, address_size(server)) < 0 && errno != EINPROGRESS)
		return false;
	return ask->tcp ? begin_stream(ask) : send_datagram(ask);
}

static void too_late(void *data, uint64_t now)
{
	(void)now;
	next_try(data);
}

static void next_try(struct dns_ask *ask)
{
	while (ask->servers.count && ask->tries < ASK_TRIES_MAX &&
	       ask->tries < 2 * ask->servers.count) {
		const union address *server = &ask->servers.list[ask->tries % ask->servers.count];

		close_socket(ask);
		ask->tries++;
		if (ask->servers_left)
			ask->servers_left--;
		if (begin_try(ask, server)) {
			loop_arm(ask->loop, &ask->timer, clock_monotonic() + msec(ASK_TRY_MS));
			return;
		}
	}
	finish(ask, NULL, 0);
}

void dns_ask_begin(struct dns_ask *ask, const struct upstreams *servers)
{
	ask->servers = *servers;
	ask->servers_left = servers->count;
	ask->tries = 0;
	ask->fd = -1;
	ask->timer.call = too_late;
	ask->timer.data = ask;
	next_try(ask);
}
