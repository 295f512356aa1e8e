/* SPDX-License-Identifier: MIT */
/*
 * What two clients of the name server do over TCP, one step after the other: send some bytes, read
 * some, hang up, come anew; and when answers come. However the bytes are cut, the questions that
 * are seen are those that were sent, in order, one at a time; the answers that come back are whole,
 * each with its length, in the order of the questions; and a connection that ends leaves nothing
 * behind.
 */
#include "dns_stream.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sidecar/loop.h"
#include "dns.h"
#include "dns_packet.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CLIENTS 2
#define BYTES   (64 << 10) /* of one client, either way */

/* What a connection was told and has to say. */
struct log {
	uint8_t bytes[BYTES];
	size_t size, done;
};

static struct client {
	int ours, theirs; /* -1: not connected */
	loop_ready *ready;
	void *data;
	uint32_t events; /* asked for */
	struct loop_timer *timer;
	struct dns_stream *waits; /* for an answer to a question of this many bytes */
	size_t question;
	bool ended;        /* it has hung up */
	struct log sent;   /* `done`: so far it was taken for questions */
	struct log wanted; /* answers; `done`: so far they were read */
} clients[CLIENTS];

static struct client *accepting, *serving;

/* ---- what dns_stream.c sees of the world ---- */

static struct client *client_of(int fd)
{
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i].theirs == fd)
			return &clients[i];
	abort();
}

int loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready *call, void *data)
{
	struct client *client = client_of(fd);

	(void)loop;
	client->events = events;
	client->ready = call;
	client->data = data;
	return 0;
}

void loop_forget(struct loop *loop, int fd)
{
	struct client *client = client_of(fd);

	(void)loop;
	if (!client->ready || client->timer)
		abort();
	client->ready = NULL;
	client->theirs = -1;
}

void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t at)
{
	struct client *client = loop ? NULL : serving;

	if (!client || !at)
		abort();
	client->timer = timer;
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i].timer == timer)
			clients[i].timer = NULL;
}

int accept4(int fd, struct sockaddr *peer, socklen_t *peer_size, int flags)
{
	struct client *client = accepting;
	int pair[2], size = 1; /* the least there is, so that writing stalls */

	(void)fd;
	(void)peer;
	(void)peer_size;
	if (!client) {
		errno = EAGAIN;
		return -1;
	}
	accepting = NULL;
	if (socketpair(AF_UNIX, SOCK_STREAM | flags, 0, pair) < 0)
		abort();
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	client->ours = pair[0];
	client->theirs = pair[1];
	return pair[1];
}

static void put_log(struct log *log, const void *bytes, size_t size)
{
	if (size > sizeof(log->bytes) - log->size)
		abort(); /* clients are not let send so much */
	memcpy(log->bytes + log->size, bytes, size);
	log->size += size;
}

/* An answer to a question of this size: so long, and of its number. */
static size_t make_answer(struct client *client, uint8_t *out, size_t question)
{
	size_t size = 1 + question * 97 % DNS_UDP_MOST;
	uint8_t head[2] = {(uint8_t)(size >> 8), (uint8_t)size};

	memset(out, (int)question, size);
	put_log(&client->wanted, head, sizeof(head));
	put_log(&client->wanted, out, size);
	return size;
}

/* The next question is the next frame that was sent. */
static void check_question(struct client *client, const uint8_t *packet, size_t size)
{
	struct log *sent = &client->sent;
	const uint8_t *frame = sent->bytes + sent->done;

	if (client->waits || sent->size - sent->done < 2 + size || size > DNS_QUERY_MOST ||
	    (size_t)(frame[0] << 8 | frame[1]) != size || memcmp(frame + 2, packet, size) != 0)
		abort();
	sent->done += 2 + size;
}

size_t dns_take(struct dns *dns, const uint8_t *packet, size_t size,
		const struct dns_client *client, uint8_t *out, bool *waits)
{
	(void)dns;
	check_question(serving, packet, size);
	*waits = false;
	if (size && packet[0] % 4 == 0)
		return 0; /* nothing is to be said: the connection is of no use */
	if (size && packet[0] % 4 == 1) {
		*waits = true;
		serving->waits = client->stream;
		serving->question = size;
		return 0;
	}
	return make_answer(serving, out, size);
}

void dns_forget(struct dns *dns, const struct dns_stream *stream)
{
	(void)dns;
	for (unsigned i = 0; i < CLIENTS; i++)
		if (clients[i].waits == stream)
			clients[i].waits = NULL;
}

/* ---- clients ---- */

static bool is_open(const struct client *client)
{
	return client->theirs >= 0;
}

/* What was asked for of a connection and is so, until nothing is. */
static void serve(struct client *client)
{
	for (int i = 0; is_open(client); i++) {
		struct pollfd poller = {.fd = client->theirs, .events = (short)client->events};

		if (i > BYTES)
			abort(); /* it would be served for ever */
		poll(&poller, 1, 0);
		if (!(poller.revents & (int)(client->events | EPOLLHUP | EPOLLERR)))
			return;
		serving = client;
		client->ready(client->data, client->theirs, (uint32_t)poller.revents);
	}
}

static void client_connect(struct dns_streams *streams, struct client *client)
{
	if (client->ours >= 0)
		return;
	client->ended = false;
	client->sent.size = client->sent.done = client->wanted.size = client->wanted.done = 0;
	accepting = serving = client;
	dns_streams_accept(streams, 0);
	if (!is_open(client) || !client->timer)
		abort();
}

static void client_send(struct client *client, struct take *take, size_t size)
{
	size_t len = take_left(take) < size ? take_left(take) : size;
	ssize_t n;

	/* each byte may be a question of its own, and of each an answer of 1,232 bytes is expected
	 */
	if (client->ours >= 0 && !client->ended && client->sent.size + len < 64) {
		n = send(client->ours, take->at, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		put_log(&client->sent, take->at, n > 0 ? (size_t)n : 0);
	}
	take->at += len;
	serve(client);
}

static void client_read(struct client *client, size_t size)
{
	uint8_t bytes[4096];
	ssize_t n;

	if (client->ours < 0)
		return;
	n = recv(client->ours, bytes, size < sizeof(bytes) ? size : sizeof(bytes), MSG_DONTWAIT);
	if (n > 0 && ((size_t)n > client->wanted.size - client->wanted.done ||
		      memcmp(client->wanted.bytes + client->wanted.done, bytes, (size_t)n) != 0))
		abort();
	client->wanted.done += n > 0 ? (size_t)n : 0;
	serve(client);
}

static void client_leave(struct client *client, bool at_once)
{
	if (client->ours < 0)
		return;
	client->ended = true;
	shutdown(client->ours, SHUT_WR);
	if (at_once) {
		close(client->ours);
		client->ours = -1;
	}
	serve(client);
}

static void answer(struct client *client)
{
	uint8_t out[DNS_UDP_MOST];
	struct dns_stream *stream = client->waits;
	size_t size;

	if (!stream)
		return;
	client->waits = NULL;
	serving = client;
	size = make_answer(client, out, client->question);
	dns_stream_reply(stream, out, size);
	serve(client);
}

static void be_late(struct client *client)
{
	if (client->timer)
		client->timer->call(client->timer->data, 1);
}

/* Nobody who can be served further is left waiting. */
static void check_rest(const struct client *client)
{
	const struct log *sent = &client->sent;
	size_t left = sent->size - sent->done;
	const uint8_t *frame = sent->bytes + sent->done;

	if (!is_open(client)) {
		if (client->timer || client->waits || client->ready)
			abort();
		return;
	}
	if (!client->timer || (client->waits && client->events))
		abort();
	if (client->events & EPOLLIN && left >= 2 && left >= 2 + (size_t)(frame[0] << 8 | frame[1]))
		abort();
}

static void step(struct dns_streams *streams, struct take *take)
{
	uint8_t what = take_byte(take);
	struct client *client = &clients[what >> 7];
	size_t size = what & 15;

	switch (what >> 4 & 7) {
	case 0:
		client_connect(streams, client);
		break;
	case 1:
	case 2:
		client_send(client, take, size + 1);
		break;
	case 3:
		client_read(client, 1 + size * 300);
		break;
	case 4:
		answer(client);
		break;
	case 5:
		client_leave(client, size & 1);
		break;
	case 6:
		be_late(client);
		break;
	default:
		client_send(client, take, 63);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	struct dns_streams *streams = dns_streams_create(NULL, NULL);

	for (unsigned i = 0; i < CLIENTS; i++) {
		clients[i].ours = clients[i].theirs = -1;
		client_connect(streams, &clients[i]);
	}
	while (take_left(&take)) {
		step(streams, &take);
		for (unsigned i = 0; i < CLIENTS; i++)
			check_rest(&clients[i]);
	}
	dns_streams_destroy(streams);
	for (unsigned i = 0; i < CLIENTS; i++) {
		check_rest(&clients[i]);
		if (clients[i].ours >= 0)
			close(clients[i].ours);
	}
	return 0;
}
