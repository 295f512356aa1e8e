/* SPDX-License-Identifier: MIT */
#include "forward.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "accept.h"
#include "address.h"
#include "clock.h"
#include "inherited.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "pump.h"
#include "resolve.h"

#define PLACES_MAX      8
#define DESCRIPTORS     6   /* of one connection: two sockets, two pipes */
#define DESCRIPTORS_OWN 128 /* for everything else */
#define COMPLAIN_EVERY  (10 * NSEC_PER_SEC)
#define ACCEPT_TURN     64
#define LOCAL_BUFFER    100000 /* asked for; the kernel makes it twice that */

struct port {
	struct forward *forward;
	char name[64];
	union address address;
	char text[ADDRESS_TEXT];
	int fd;
	uint64_t complained;
	struct forward_counts counts;
};

struct place {
	char host[HOST_SIZE];
	uint16_t port;
};

struct conn {
	struct port *port;
	struct conn *next, *previous;
	int client, server; /* server < 0: there is none yet */
	bool open;          /* connected: bytes are passed on */
	bool over; /* all that can be passed on has been: a moment for the rest to be read */
	uint32_t client_events, server_events; /* what is watched */
	struct pump up, down;                  /* to the server, to the client */
	struct loop_timer timer;
	uint64_t deadline;    /* to be connected */
	struct place *places; /* to be tried, the next first; NULL when it is open */
	unsigned place, place_count;
	struct lookup lookup;
	struct answer answer; /* of that place: addresses to be tried */
	unsigned at;
	int error; /* why the last one was none */
};

struct forward {
	struct loop *loop;
	struct live *live;
	struct resolver *resolver;
	struct pipe_pool *pool;
	struct spare spare;
	struct conn *conns;
	unsigned count, most;
	struct port ports[FORWARD_PORTS_MAX];
	unsigned port_count;
};

static void next_address(struct conn *conn);
static void conn_ready(void *data, int fd, uint32_t events);

/* ---- ends ---- */

static void close_server(struct conn *conn)
{
	if (conn->server < 0)
		return;
	loop_forget(conn->port->forward->loop, conn->server);
	close(conn->server);
	conn->server = -1;
	conn->server_events = 0;
}

static void count_bytes(struct conn *conn)
{
	struct forward_counts *counts = &conn->port->counts;

	counts->to_server += conn->up.bytes;
	counts->to_client += conn->down.bytes;
	conn->up.bytes = conn->down.bytes = 0;
}

/* `hard`: both sides are to know that it did not end well. */
static void conn_close(struct conn *conn, bool hard)
{
	struct forward *forward = conn->port->forward;

	if (conn->previous)
		conn->previous->next = conn->next;
	else
		forward->conns = conn->next;
	if (conn->next)
		conn->next->previous = conn->previous;
	forward->count--;
	conn->port->counts.open--;
	loop_disarm(forward->loop, &conn->timer);
	lookup_cancel(&conn->lookup);
	if (conn->open) {
		count_bytes(conn);
		pump_end(&conn->up, forward->pool);
		pump_end(&conn->down, forward->pool);
	}
	loop_forget(forward->loop, conn->client);
	if (hard)
		close_hard(conn->client);
	else
		close(conn->client);
	if (hard && conn->server >= 0) {
		loop_forget(forward->loop, conn->server);
		close_hard(conn->server);
		conn->server = -1;
	}
	close_server(conn);
	free(conn->places);
	free(conn);
}

/* At most one line in a while, whatever clients do. */
static bool may_complain(struct port *port)
{
	uint64_t now = loop_now(port->forward->loop);

	if (port->complained && now - port->complained < COMPLAIN_EVERY)
		return false;
	port->complained = now;
	return true;
}

static void give_up(struct conn *conn, const char *why)
{
	struct port *port = conn->port;

	port->counts.failed++;
	if (may_complain(port))
		log_warning("forward %s: nobody takes connections to %s: %s", port->text,
			    port->name, why);
	conn_close(conn, true);
}

/* ---- passing on ---- */

static void watch(struct conn *conn, int fd, uint32_t *now, uint32_t events)
{
	if (*now == events)
		return;
	*now = events;
	/* one that has ended on both sides would be ready for ever */
	if (!events && conn->open)
		loop_forget(conn->port->forward->loop, fd);
	else
		loop_watch(conn->port->forward->loop, fd, events, conn_ready, conn);
}

static void watch_both(struct conn *conn)
{
	const struct pump *up = &conn->up, *down = &conn->down;

	watch(conn, conn->client, &conn->client_events,
	      (pump_wants_in(up) ? EPOLLIN : 0u) | (pump_wants_out(down) ? EPOLLOUT : 0u));
	watch(conn, conn->server, &conn->server_events,
	      (pump_wants_in(down) ? EPOLLIN : 0u) | (pump_wants_out(up) ? EPOLLOUT : 0u));
}

/* Bytes that nobody will take are still read for a moment: to close on them would be a reset, and
 * that takes away what the other side has not received yet. */
static void half_is_over(struct conn *conn)
{
	struct loop *loop = conn->port->forward->loop;

	if (conn->over)
		return;
	conn->over =
		(conn->up.refused && conn->down.closed) || (conn->down.refused && conn->up.closed);
	if (conn->over)
		loop_arm(loop, &conn->timer, loop_now(loop) + msec(FORWARD_REFUSED_MS));
	else if (conn->up.closed || conn->down.closed)
		loop_arm(loop, &conn->timer, loop_now(loop) + msec(FORWARD_HALF_MS));
}

/* One that takes nothing after its own end breaks nothing: what it said before is passed on. */
static bool run(struct pump *pump, const struct pump *back, struct pipe_pool *pool)
{
	if (pump_run(pump, pool))
		return true;
	if (!pump->refused || !(back->ended || pump->after_end))
		return false;
	pump_refuse(pump, pool);
	return true;
}

/* Something can be done for one of the sockets, which the reader of one pump and the writer of the
 * other share. */
static void pass_on(struct conn *conn, int fd, uint32_t events)
{
	struct pipe_pool *pool = conn->port->forward->pool;
	struct pump *out = fd == conn->client ? &conn->up : &conn->down;
	struct pump *in = fd == conn->client ? &conn->down : &conn->up;
	bool good = true;

	if (events & EPOLLERR) /* reading tells whether its end came before */
		pump_refuse(in, pool);
	else if (events & EPOLLOUT)
		good = run(in, out, pool);
	if (good && events & (EPOLLIN | EPOLLHUP | EPOLLERR) && pump_wants_in(out))
		good = run(out, in, pool);
	count_bytes(conn);
	if (!good) {
		conn->port->counts.broken++;
		conn_close(conn, true);
		return;
	}
	if (conn->up.closed && conn->down.closed) {
		conn_close(conn, false);
		return;
	}
	half_is_over(conn);
	watch_both(conn);
}

static void set_options(int fd)
{
	int on = 1, idle = 60, every = 15, count = 4;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof(count));
}

static void connected(struct conn *conn)
{
	conn->open = true;
	free(conn->places);
	conn->places = NULL;
	loop_disarm(conn->port->forward->loop, &conn->timer);
	set_options(conn->client);
	set_options(conn->server);
	pump_begin(&conn->up, conn->client, conn->server);
	pump_begin(&conn->down, conn->server, conn->client);
	watch_both(conn);
}

/* Within this machine nothing is under way for long: buffers that grow, as the kernel's do, only
 * let what is passed on fall out of the processor's cache, and the three programs take turns with
 * megabytes instead of working side by side. To be set before there is a connection, which agrees
 * on its window then; and never for other machines, to which much has to be under way. */
static void bound_buffers(int fd, const union address *address)
{
	int size = LOCAL_BUFFER;

	if (!address_is_loopback(address))
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* ---- connecting ---- */

static bool is_own(const struct forward *forward, const union address *address)
{
	for (unsigned i = 0; i < forward->port_count; i++)
		if (address_leads_to(address, &forward->ports[i].address))
			return true;
	return false;
}

/* 0, or an errno. */
static int begin_connect(struct conn *conn, const union address *address)
{
	struct forward *forward = conn->port->forward;
	uint64_t now = clock_monotonic(), at = now + msec(FORWARD_CONNECT_MS);

	if (is_own(forward, address))
		return ELOOP;
	conn->server =
		socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (conn->server < 0)
		return errno;
	bound_buffers(conn->server, address);
	if (connect(conn->server, &address->any, address_size(address)) < 0 && errno != EINPROGRESS)
		return errno;
	watch(conn, conn->server, &conn->server_events, EPOLLOUT);
	loop_arm(forward->loop, &conn->timer, at < conn->deadline ? at : conn->deadline);
	return 0;
}

static void answered(void *data, const struct answer *answer)
{
	struct conn *conn = data;

	conn->answer = *answer;
	conn->at = 0;
	next_address(conn);
}

/* Finds out where the next place is. */
static void next_place(struct conn *conn)
{
	const struct place *place = &conn->places[conn->place];
	struct forward *forward = conn->port->forward;

	conn->place++;
	conn->at = 0;
	conn->answer = (struct answer){.count = 1};
	if (address_parse(&conn->answer.list[0], place->host, place->port))
		return;
	conn->lookup.call = answered;
	conn->lookup.data = conn;
	loop_arm(forward->loop, &conn->timer, conn->deadline);
	if (!lookup_begin(forward->resolver, &conn->lookup, place->host, &conn->answer))
		conn->answer.count = 0;
}

static const char *failure_of(const struct conn *conn)
{
	if (!conn->place_count)
		return "it has no place here";
	if (!conn->error && conn->answer.error)
		return conn->answer.error;
	return conn->error == ELOOP ? "it is forwarded to itself" : strerror(conn->error);
}

/* Tries what is left of this place, and then the next ones. */
static void next_address(struct conn *conn)
{
	uint64_t now = clock_monotonic();

	close_server(conn);
	while (now < conn->deadline) {
		if (conn->at == conn->answer.count) {
			if (conn->place == conn->place_count)
				break;
			next_place(conn);
			if (conn->lookup.name)
				return;
			continue;
		}
		address_set_port(&conn->answer.list[conn->at], conn->places[conn->place - 1].port);
		conn->error = begin_connect(conn, &conn->answer.list[conn->at++]);
		if (!conn->error)
			return;
		close_server(conn);
	}
	give_up(conn, failure_of(conn));
}

static void server_ready(struct conn *conn)
{
	socklen_t size = sizeof(conn->error);

	if (getsockopt(conn->server, SOL_SOCKET, SO_ERROR, &conn->error, &size) < 0)
		conn->error = errno;
	if (conn->error)
		next_address(conn);
	else
		connected(conn);
}

static void conn_ready(void *data, int fd, uint32_t events)
{
	struct conn *conn = data;

	if (conn->open)
		pass_on(conn, fd, events);
	else if (fd == conn->server)
		server_ready(conn);
	else if (events & (EPOLLERR | EPOLLHUP))
		conn_close(conn, true); /* the client does not wait for it */
}

static void too_late(void *data, uint64_t now)
{
	struct conn *conn = data;

	(void)now;
	if (conn->open) {
		conn_close(conn, !conn->over);
		return;
	}
	lookup_cancel(&conn->lookup);
	conn->error = ETIMEDOUT;
	next_address(conn);
}

/* ---- connections ---- */

static void add_place(struct conn *conn, const char *host, uint16_t port)
{
	struct place *place = &conn->places[conn->place_count];

	for (unsigned i = 0; i < conn->place_count; i++)
		if (conn->places[i].port == port && strcmp(conn->places[i].host, host) == 0)
			return;
	if (conn->place_count == PLACES_MAX)
		return;
	snprintf(place->host, sizeof(place->host), "%s", host);
	place->port = port;
	conn->place_count++;
}

/* First what is in force, then all others in their order. */
static void list_places(struct conn *conn)
{
	const struct address_book *book = live_book(conn->port->forward->live);
	const struct address_entry *entry = address_find(book, conn->port->name);

	conn->places = mem_resize(NULL, PLACES_MAX, sizeof(*conn->places));
	if (!entry || !entry->count)
		return;
	add_place(conn, entry->now->host, entry->now->port);
	for (uint32_t i = 0; i < entry->count; i++)
		add_place(conn, entry->candidates[i].host, entry->candidates[i].port);
}

static void conn_begin(struct port *port, int fd)
{
	struct forward *forward = port->forward;
	struct conn *conn = mem_alloc(sizeof(*conn));

	conn->port = port;
	conn->client = fd;
	conn->server = -1;
	conn->timer.call = too_late;
	conn->timer.data = conn;
	conn->deadline = clock_monotonic() + msec(FORWARD_PLACES_MS);
	conn->client_events = ~0u;
	conn->next = forward->conns;
	if (conn->next)
		conn->next->previous = conn;
	forward->conns = conn;
	forward->count++;
	port->counts.open++;
	port->counts.accepted++;
	watch(conn, fd, &conn->client_events, 0); /* errors only */
	list_places(conn);
	next_address(conn);
}

static void refuse(struct port *port, int fd)
{
	port->counts.refused++;
	close_hard(fd);
	if (may_complain(port))
		log_warning("forward %s: %u connections are open, more are refused", port->text,
			    port->forward->most);
}

static void clients_wait(void *data, int fd, uint32_t events)
{
	struct port *port = data;
	struct forward *forward = port->forward;

	(void)events;
	for (int i = 0; i < ACCEPT_TURN; i++) {
		union address peer;
		int one = accept_next(&forward->spare, fd, &peer);

		if (one == -1)
			return;
		if (one == ACCEPT_TURNED_AWAY)
			port->counts.refused++;
		else if (forward->count >= forward->most)
			refuse(port, one);
		else
			conn_begin(port, one);
	}
}

/* ---- life ---- */

/* How many connections there are descriptors for; more of those are asked for first. */
static unsigned connections_most(void)
{
	rlim_t wanted = DESCRIPTORS_OWN + FORWARD_CONNECTIONS_MAX * DESCRIPTORS;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 64;
	if (limit.rlim_cur < wanted) {
		limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
		setrlimit(RLIMIT_NOFILE, &limit);
		getrlimit(RLIMIT_NOFILE, &limit);
	}
	if (limit.rlim_cur >= wanted)
		return FORWARD_CONNECTIONS_MAX;
	if (limit.rlim_cur < DESCRIPTORS_OWN + DESCRIPTORS)
		return 1;
	return (unsigned)((limit.rlim_cur - DESCRIPTORS_OWN) / DESCRIPTORS);
}

static bool open_port(struct forward *forward, const char *text)
{
	const char *sign = strchr(text, '=');
	struct port *port = &forward->ports[forward->port_count];
	char host[256];
	uint16_t number;

	if (!sign || (size_t)(sign - text) >= sizeof(port->name) ||
	    forward->port_count == FORWARD_PORTS_MAX ||
	    !host_port_split(sign + 1, strlen(sign + 1), host, &number, 0) ||
	    !address_parse(&port->address, host, number)) {
		log_error("forward: \"%s\": expected NAME=ADDRESS:PORT, %d of them at most", text,
			  FORWARD_PORTS_MAX);
		return false;
	}
	memcpy(port->name, text, (size_t)(sign - text));
	address_format(&port->address, port->text);
	port->forward = forward;
	port->counts.name = port->name;
	port->counts.listen = port->text;
	port->fd = inherited_or_bound(&port->address, SOCK_STREAM);
	if (port->fd < 0) {
		log_error("forward: cannot listen on %s for %s: %s", port->text, port->name,
			  bind_error_text(-port->fd));
		return false;
	}
	bound_buffers(port->fd, &port->address); /* accepted ones have them, too */
	forward->port_count++;
	return true;
}

struct forward *forward_create(struct loop *loop, const char *const *list)
{
	struct forward *forward = mem_alloc(sizeof(*forward));

	forward->loop = loop;
	forward->most = connections_most();
	forward->pool = pipe_pool_create();
	spare_open(&forward->spare);
	for (; *list; list++)
		if (!open_port(forward, *list))
			return NULL;
	return forward;
}

void forward_start(struct forward *forward, struct live *live, struct resolver *resolver)
{
	forward->live = live;
	forward->resolver = resolver;
	for (unsigned i = 0; i < forward->port_count; i++) {
		struct port *port = &forward->ports[i];

		loop_watch(forward->loop, port->fd, EPOLLIN, clients_wait, port);
		log_info("passing connections on from %s to %s", port->text, port->name);
	}
}

void forward_destroy(struct forward *forward)
{
	while (forward->conns)
		conn_close(forward->conns, true);
	for (unsigned i = 0; i < forward->port_count; i++) {
		loop_forget(forward->loop, forward->ports[i].fd);
		close(forward->ports[i].fd);
	}
	spare_close(&forward->spare);
	pipe_pool_destroy(forward->pool);
	free(forward);
}

void forward_each(const struct forward *forward, forward_seen *call, void *data)
{
	for (unsigned i = 0; i < forward->port_count; i++)
		call(data, &forward->ports[i].counts);
}
