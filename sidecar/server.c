/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "hosts.h"
#include "listen.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "routes.h"
#include "sidecar.h"
#include "strict.h"

#define LISTENERS_MAX 32
#define ACCEPT_BATCH  32
#define PAUSE         msec(200) /* when the system has no descriptor or memory left for us */
#define MEMORY        12288 /* bytes a connection: for a head of 6 KiB and a copy of its cookies */
#define TURNS         256   /* of libmicrohttpd before others have theirs */
#define LOOKS         64    /* without finding anything, before sleep */
#define BUSY          4     /* requests in one turn that make it worth looking again */
#define GATHER        1000  /* nanoseconds in which more requests come together */
#define SLACK         64    /* connections that are closing but not yet gone */

/* One at rest is a stream that has nothing to send. */
enum conn_state { CONN_READING, CONN_WRITING, CONN_IDLE, CONN_RESTING, CONN_DYING };

struct conn {
	struct conn *next, *previous;
	struct server *server;
	int fd;
	uint8_t state; /* enum conn_state */
	bool local;
	bool suspended; /* libmicrohttpd does not look at it */
	union address peer;
	uint64_t since;   /* when `state` began */
	struct head head; /* of the request that is answered */
};

struct server {
	struct sidecar *sidecar;
	struct loop *loop;
	struct MHD_Daemon *daemon;
	int events;   /* its epoll */
	bool watched; /* the loop looks at it */
	struct hosts *hosts;
	struct routes *routes;
	struct listener listeners[LISTENERS_MAX];
	int listener_count;
	struct conn *conns;    /* all that are open */
	struct conn *arriving; /* is being handed to libmicrohttpd */
	unsigned remote;       /* of those that are not dying */
	struct loop_timer sweep;
	struct loop_timer pause;
	bool resumed;      /* libmicrohttpd has to be told so: it has no event of its own */
	uint64_t requests; /* begun so far */
	struct server_counts counts; /* .open: not counting those that are dying */
};

/* ---- connections and their time ---- */

static uint64_t deadline_of(const struct conn *conn)
{
	static const uint64_t seconds[] = {
		[CONN_READING] = HEAD_SECONDS,
		[CONN_WRITING] = ANSWER_SECONDS,
		[CONN_IDLE] = IDLE_SECONDS,
	};

	if (conn->state == CONN_RESTING || conn->state == CONN_DYING)
		return NEVER;
	return conn->since + seconds[conn->state] * NSEC_PER_SEC;
}

/* The timer may come too early, when a connection has moved on, but not too late. */
static void conn_enter(struct server *server, struct conn *conn, enum conn_state state)
{
	uint64_t deadline;

	conn->state = (uint8_t)state;
	conn->since = loop_now(server->loop);
	deadline = deadline_of(conn);
	if (deadline != NEVER && (!loop_armed(&server->sweep) || server->sweep.at > deadline))
		loop_arm(server->loop, &server->sweep, deadline);
}

/* libmicrohttpd notices and closes. */
static void conn_end(struct server *server, struct conn *conn)
{
	if (conn->state == CONN_DYING)
		return;
	conn->state = CONN_DYING;
	server->counts.open--;
	if (!conn->local)
		server->remote--;
	shutdown(conn->fd, SHUT_RDWR);
}

static void sweep_due(void *data, uint64_t now)
{
	struct server *server = data;
	uint64_t next = NEVER;

	for (struct conn *conn = server->conns; conn; conn = conn->next) {
		uint64_t deadline = deadline_of(conn);

		if (deadline <= now) {
			server->counts.expired++;
			conn_end(server, conn);
		} else if (deadline < next) {
			next = deadline;
		}
	}
	if (next != NEVER)
		loop_arm(server->loop, &server->sweep, next);
}

/* ---- who may come in ---- */

static bool same_peer(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET6)
		return memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
	return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

static bool address_is_full(const struct server *server, const union address *peer)
{
	unsigned same = 0;

	for (const struct conn *conn = server->conns; conn; conn = conn->next)
		if (conn->state != CONN_DYING && same_peer(&conn->peer, peer))
			same++;
	return same >= CONNS_ADDRESS_MAX;
}

/*
 * Ends the connection that has been without a complete request for longest; one that is given an
 * answer is spared for a second, which is enough for any that reads at all, and so are streams, of
 * which there are few. False: all are busy.
 */
static bool make_room(struct server *server, bool remote_only)
{
	uint64_t now = loop_now(server->loop);
	struct conn *oldest = NULL;

	for (struct conn *conn = server->conns; conn; conn = conn->next) {
		if (conn->state == CONN_DYING || conn->state == CONN_RESTING ||
		    (remote_only && conn->local))
			continue;
		if (conn->state == CONN_WRITING && now - conn->since < NSEC_PER_SEC)
			continue;
		if (!oldest || conn->since <= oldest->since)
			oldest = conn;
	}
	if (!oldest)
		return false;
	server->counts.evicted++;
	conn_end(server, oldest);
	return true;
}

static bool may_enter(struct server *server, const union address *peer, bool local)
{
	if (!local && address_is_full(server, peer))
		return false;
	if (!local && server->remote >= CONNS_REMOTE_MAX && !make_room(server, true))
		return false;
	return server->counts.open < CONNS_MAX || make_room(server, false);
}

static void take_socket(struct server *server, int fd, const union address *peer, socklen_t size)
{
	struct conn *conn = mem_alloc(sizeof(*conn));

	conn->server = server;
	conn->fd = fd;
	conn->local = address_is_loopback(peer);
	conn->peer = *peer;
	server->arriving = conn;
	if (MHD_add_connection(server->daemon, fd, &peer->any, size) == MHD_YES)
		server->counts.accepted++;
	/* on failure the socket is closed already, and so is what connection_changed has seen */
	free(server->arriving);
	server->arriving = NULL;
}

static void pause_accepting(struct server *server)
{
	for (int i = 0; i < server->listener_count; i++)
		loop_forget(server->loop, server->listeners[i].fd);
	loop_arm(server->loop, &server->pause, loop_now(server->loop) + PAUSE);
}

static void listener_ready(void *data, int listener, uint32_t events)
{
	struct server *server = data;

	(void)events;
	for (int i = 0; i < ACCEPT_BATCH; i++) {
		union address peer = {0};
		socklen_t size = sizeof(peer);
		int fd = accept4(listener, &peer.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_accepting(server);
			return;
		}
		if (may_enter(server, &peer, address_is_loopback(&peer))) {
			take_socket(server, fd, &peer, size);
		} else {
			server->counts.refused++;
			close(fd);
		}
	}
}

static void accept_again(void *data, uint64_t now)
{
	struct server *server = data;

	(void)now;
	for (int i = 0; i < server->listener_count; i++)
		loop_watch(server->loop, server->listeners[i].fd, EPOLLIN, listener_ready, server);
}

/* ---- libmicrohttpd's callbacks ---- */

static void connection_changed(void *data, struct MHD_Connection *connection, void **context,
			       enum MHD_ConnectionNotificationCode code)
{
	struct server *server = data;
	struct conn *conn = *context;

	(void)connection;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		conn = *context = server->arriving;
		server->arriving = NULL;
		conn->next = server->conns;
		if (conn->next)
			conn->next->previous = conn;
		server->conns = conn;
		server->counts.open++;
		if (!conn->local)
			server->remote++;
		conn_enter(server, conn, CONN_READING);
		return;
	}
	if (conn->state != CONN_DYING) {
		server->counts.open--;
		if (!conn->local)
			server->remote--;
	}
	if (conn->previous)
		conn->previous->next = conn->next;
	else
		server->conns = conn->next;
	if (conn->next)
		conn->next->previous = conn->previous;
	free(conn);
	if (!server->conns)
		loop_disarm(server->loop, &server->sweep);
}

static struct conn *conn_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info->socket_context;
}

/* ---- answers that go on ---- */

void server_rest(struct MHD_Connection *connection)
{
	struct conn *conn = conn_of(connection);

	conn->suspended = true;
	MHD_suspend_connection(connection);
	if (conn->state != CONN_DYING)
		conn_enter(conn->server, conn, CONN_RESTING);
}

void server_wake(struct MHD_Connection *connection)
{
	struct conn *conn = conn_of(connection);

	server_more_time(connection);
	if (!conn->suspended)
		return;
	conn->suspended = false;
	conn->server->resumed = true;
	MHD_resume_connection(connection);
}

void server_more_time(struct MHD_Connection *connection)
{
	struct conn *conn = conn_of(connection);

	if (conn->state != CONN_DYING)
		conn_enter(conn->server, conn, CONN_WRITING);
}

void server_end(struct MHD_Connection *connection)
{
	struct conn *conn = conn_of(connection);

	conn_end(conn->server, conn);
	server_wake(connection);
}

bool server_is_ended(struct MHD_Connection *connection)
{
	return conn_of(connection)->state == CONN_DYING;
}

bool server_is_local(struct MHD_Connection *connection)
{
	return conn_of(connection)->local;
}

/* ---- requests ---- */

/* Where the path and its query end; kept in the request's context at first. */
static void *uri_seen(void *data, const char *uri, struct MHD_Connection *connection)
{
	(void)data;
	(void)connection;
	return uri ? (void *)(uintptr_t)strict_target(uri) : NULL;
}

static enum MHD_Result request_begun(struct server *server, struct conn *conn,
				     struct MHD_Connection *connection, const char *method)
{
	server->requests++;
	if (conn->state != CONN_DYING)
		conn_enter(server, conn, CONN_WRITING);
	return routes_refuse(server->routes, connection, method, &conn->head);
}

/*
 * Called once when the head is complete and again when the request is. An answer given at the
 * first call ends the connection: right for refusals, four times the work for anything else.
 */
static enum MHD_Result request_ready(void *data, struct MHD_Connection *connection,
				     const char *path, const char *method, const char *version,
				     const char *upload, size_t *upload_size, void **context)
{
	struct server *server = data;
	struct conn *conn = conn_of(connection);
	const char *end = *context;

	(void)upload;
	if (*context != conn) {
		*context = conn;
		conn->head = strict_head(connection, method, path, end, version);
		return request_begun(server, conn, connection, method);
	}
	if (*upload_size)
		return MHD_NO; /* a body that was not announced */
	return routes_answer(server->routes, connection, method, path, &conn->head);
}

static void request_completed(void *data, struct MHD_Connection *connection, void **context,
			      enum MHD_RequestTerminationCode code)
{
	struct conn *conn = conn_of(connection);

	(void)context;
	(void)code;
	if (conn->state != CONN_DYING)
		conn_enter(data, conn, CONN_IDLE);
}

/* Decodes %XX once. What would decode to a NUL stays as it is, and so matches no path. */
static size_t unescape(void *data, struct MHD_Connection *connection, char *text)
{
	char *out = strchr(text, '%');
	const char *in = out;

	(void)data;
	(void)connection;
	if (!out)
		return strlen(text);
	while (*in) {
		char digits[3] = {in[0] == '%' ? in[1] : '\0', '\0', '\0'};
		unsigned long value = 0;
		char *end = digits;

		if (digits[0])
			digits[1] = in[2];
		if (digits[0] && digits[1] && digits[0] != '+' && digits[0] != '-')
			value = strtoul(digits, &end, 16);
		if (value && end == digits + 2) {
			*out++ = (char)value;
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* ---- libmicrohttpd in the loop ---- */

/* Each turn costs, here and, as answers come one by one, where the requests come from. */
static void gather(void)
{
	uint64_t until = clock_monotonic() + GATHER;

	while (clock_monotonic() < until)
		;
}

/*
 * While requests come in numbers, looking again a few times costs less than going to sleep and
 * being woken, here and for those who send. For so long the loop does not watch: it would be woken
 * for each packet too, at the expense of who sent it. A lone request is served in one turn.
 */
static void daemon_ready(void *data, int fd, uint32_t events)
{
	struct server *server = data;
	uint64_t first = server->requests;
	unsigned idle = 0;

	(void)events;
	for (int turn = 0; turn < TURNS && idle < LOOKS; turn++) {
		uint64_t before = server->requests;

		MHD_run(server->daemon);
		idle = server->requests == before ? idle + 1 : 0;
		if (server->requests - first < BUSY)
			return;
		if (server->watched)
			loop_forget(server->loop, fd);
		server->watched = false;
		if (server->requests - before < BUSY)
			gather();
	}
}

/* False: the system has no memory left for that. */
static bool is_watched(struct server *server)
{
	if (!server->watched)
		server->watched = loop_watch(server->loop, server->events, EPOLLIN, daemon_ready,
					     server) == 0;
	return server->watched;
}

/* It may have connections with work left that no event will announce. */
static uint64_t before_sleep(void *data, uint64_t now)
{
	struct server *server = data;
	MHD_UNSIGNED_LONG_LONG left;

	if (!is_watched(server) || server->resumed)
		MHD_run(server->daemon);
	server->resumed = false;
	for (int turn = 0; MHD_get_timeout(server->daemon, &left) == MHD_YES; turn++) {
		if (left)
			return now + msec(left);
		if (turn == 4)
			return now;
		MHD_run(server->daemon);
	}
	return server->watched ? NEVER : now + PAUSE;
}

static struct MHD_Daemon *start_daemon(struct server *server)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_USE_TURBO | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, request_ready, server, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)(CONNS_MAX + SLACK), MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY,
		MHD_OPTION_NOTIFY_CONNECTION, connection_changed, server,
		MHD_OPTION_NOTIFY_COMPLETED, request_completed, server, MHD_OPTION_URI_LOG_CALLBACK,
		uri_seen, server, MHD_OPTION_UNESCAPE_CALLBACK, unescape, server,
		MHD_OPTION_STRICT_FOR_CLIENT, STRICT_BY_LIBRARY, MHD_OPTION_END);
}

struct server *server_create(struct sidecar *sidecar)
{
	struct server *server = mem_alloc(sizeof(*server));
	const union MHD_DaemonInfo *info;

	server->sidecar = sidecar;
	server->loop = sidecar->loop;
	server->sweep.call = sweep_due;
	server->sweep.data = server;
	server->pause.call = accept_again;
	server->pause.data = server;
	server->hosts = hosts_create();
	hosts_add(server->hosts, sidecar->options.host);
	server->daemon = start_daemon(server);
	server->routes = routes_create(sidecar, server->hosts);
	info = server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			      : NULL;
	if (!info || !server->routes)
		return NULL;
	server->events = info->epoll_fd;
	loop_before_sleep(server->loop, before_sleep, server);
	return server;
}

int server_listen(struct server *server, const char *text)
{
	int count = listen_open(text, server->listeners + server->listener_count,
				LISTENERS_MAX - server->listener_count);
	char host[256];
	uint16_t port;

	if (count < 0)
		return -1;
	server->listener_count += count;
	if (host_port_split(text, strlen(text), host, &port, LISTEN_PORT))
		hosts_add(server->hosts, host);
	return 0;
}

void server_start(struct server *server)
{
	for (int i = 0; i < server->listener_count; i++) {
		char where[ADDRESS_TEXT];

		address_format(&server->listeners[i].address, where);
		log_info("serving http://%s/", where);
	}
	accept_again(server, 0);
}

void server_destroy(struct server *server)
{
	for (int i = 0; i < server->listener_count; i++) {
		loop_forget(server->loop, server->listeners[i].fd);
		close(server->listeners[i].fd);
	}
	MHD_stop_daemon(server->daemon);
	loop_disarm(server->loop, &server->sweep);
	loop_disarm(server->loop, &server->pause);
	routes_destroy(server->routes);
	hosts_destroy(server->hosts);
	free(server);
}

const struct server_counts *server_counts(const struct server *server)
{
	return &server->counts;
}

void server_requests(const struct server *server, server_requests_seen *call, void *data)
{
	routes_counts(server->routes, call, data);
}
