/* SPDX-License-Identifier: MIT */
/*
 * A connection to the HTTP server: a byte that says from where it comes and in pieces of which size
 * it is read, and what is sent. Whatever that is, the answers are HTTP; and what is answered with a
 * yes was a request to the letter, so that no other program on the way has seen another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../../sidecar/events.h"
#include "../../sidecar/loop.h"
#include "cgroup.h"
#include "clock.h"
#include "exporter.h"
#include "feed.h"
#include "gpu.h"
#include "gpu_hints.h"
#include "live.h"
#include "log.h"
#include "pace.h"
#include "peers.h"
#include "probe.h"
#include "processes.h"
#include "resolve.h"
#include "server.h"
#include "sidecar.h"
#include "snapshot.h"
#include "stall.h"
#include "states.h"
#include "status.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ANSWER_MAX_SIZE 262144

static struct sidecar sidecar;

/* ---- a network of our own ---- */

static struct {
	int epoll;    /* of the sidecar's loop */
	int accepted; /* the server's end of a connection that waits; -1 */
	bool remote;
	unsigned idle;
	jmp_buf back;
} world = {.epoll = -1, .accepted = -1};

int epoll_create1(int flags)
{
	int fd = (int)syscall(SYS_epoll_create1, flags);

	if (world.epoll < 0)
		world.epoll = fd;
	return fd;
}

/* When nothing has happened twice, the loop is left. */
int epoll_wait(int epoll, struct epoll_event *events, int most, int timeout)
{
	int count = (int)syscall(SYS_epoll_pwait, epoll, events, most, 0, NULL, 0);

	(void)timeout;
	if (epoll != world.epoll)
		return count;
	if (count > 1 || (count == 1 && world.accepted >= 0))
		world.idle = 0;
	else if (++world.idle > 2)
		longjmp(world.back, 1);
	return count;
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
	(void)fd;
	(void)address;
	(void)size;
	return 0;
}

/* It is ready at any time. */
int listen(int fd, int backlog)
{
	int ready = eventfd(1, EFD_CLOEXEC);

	(void)backlog;
	if (dup3(ready, fd, O_CLOEXEC) < 0)
		abort();
	close(ready);
	return 0;
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
	int accepted = world.accepted;
	struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = 1024};

	(void)fd;
	(void)flags;
	peer.sin_addr.s_addr = htonl(world.remote ? 0x0a000001 : INADDR_LOOPBACK);
	memcpy(address, &peer, sizeof(peer));
	*size = sizeof(peer);
	world.accepted = -1;
	errno = EAGAIN;
	return accepted;
}

static void run(void)
{
	world.idle = 0;
	if (setjmp(world.back) == 0)
		loop_run(sidecar.loop);
}

/* ---- the sidecar ---- */

static bool report_nothing(void *data, struct probe *probe)
{
	(void)data;
	(void)probe;
	return true;
}

static const struct status_page *make_page(void)
{
	static const char names[][8] = {"db", "web", "x<&>\"", "job"};
	static struct status_page page;
	struct status_header *header;

	if (status_page_create(&page, -1, 4, 0) < 0)
		abort();
	header = status_header_begin(&page);
	snprintf(header->host, sizeof(header->host), "box");
	header->boot = header->boot_realtime = 1;
	status_header_end(&page);
	for (uint32_t i = 0; i < 4; i++) {
		struct status_record *record = status_record_begin(&page, i);

		snprintf(record->name, sizeof(record->name), "%s", names[i]);
		snprintf(record->reason, sizeof(record->reason), "%s", i == 1 ? "\"why\" <b>" : "");
		record->state = (uint8_t)(i == 1 ? STATE_BACKOFF : STATE_READY);
		record->flags = STATUS_WANTED;
		status_record_end(&page, i);
	}
	return &page;
}

static void ignore_line(const char *line, size_t len)
{
	(void)line;
	(void)len;
}

static void open_sidecar(void)
{
	static const char *none[1];
	struct peers_source source = {
		.revision = &sidecar.revision, .host = "box", .options = none};

	log_set_sink(ignore_line);
	signal(SIGPIPE, SIG_IGN);
	sidecar.options = (struct options){
		.host = "box", .proc_root = "/nonexistent", .cgroup_root = "/nonexistent"};
	sidecar.options.gpu = GPU_NO;
	sidecar.begin_realtime = clock_realtime();
	sidecar.loop = loop_create();
	sidecar.feed = feed_create(sidecar.begin_realtime);
	sidecar.processes = processes_create("/nonexistent");
	sidecar.cgroup = cgroup_create("/nonexistent", "/nonexistent", false);
	sidecar.pace = pace_create(sidecar.cgroup);
	sidecar.stall =
		stall_create(sidecar.loop, sidecar.feed, &sidecar.revision, "/nonexistent", NULL);
	sidecar.resolver = resolver_create(sidecar.loop);
	sidecar.snapshot = snapshot_create_local(make_page());
	sidecar.prober = prober_create(sidecar.loop, sidecar.resolver, report_nothing, NULL);
	sidecar.live = live_create(sidecar.loop, sidecar.resolver, sidecar.prober, NULL, NULL);
	sidecar.gpus = gpu_create(&sidecar);
	source.loop = sidecar.loop;
	source.resolver = sidecar.resolver;
	source.live = sidecar.live;
	source.snapshot = sidecar.snapshot;
	sidecar.peers = peers_create(&source);
	sidecar.events = events_create(&sidecar);
	sidecar.exporter = exporter_create(&sidecar);
	sidecar.server = server_create(&sidecar);
	if (!sidecar.server || server_listen(sidecar.server, "127.0.0.1:9180") < 0)
		abort();
	server_start(sidecar.server);
}

/*
 * ---- requests to the letter, as RFC 9112 has them ----
 *
 * But for one thing that cannot be seen behind libmicrohttpd: a NUL in place of a CR, as it writes
 * one there itself.
 */

static bool ends_line(const char *at)
{
	return (at[0] == '\r' || at[0] == '\0') && at[1] == '\n';
}

static bool is_token_character(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

/* NAME:VALUE CRLF at `at`; its length, or 0. */
static size_t header_length(const char *at, const char *end, unsigned *hosts)
{
	const char *p = at;

	while (p < end && is_token_character(*p))
		p++;
	if (p == at || p == end || *p != ':')
		return 0;
	*hosts += p - at == 4 && strncasecmp(at, "Host", 4) == 0;
	for (p++; p < end && ((unsigned char)*p >= ' ' || *p == '\t') && *p != 0x7f; p++)
		;
	return end - p >= 2 && ends_line(p) ? (size_t)(p - at) + 2 : 0;
}

/* METHOD SP TARGET SP HTTP/1.x CRLF; its length, or 0. */
static size_t line_length(const char *at, const char *end)
{
	static const char version[] = " HTTP/1.";
	const char *p = at;

	while (p < end && is_token_character(*p))
		p++;
	if (p == at || p == end || *p++ != ' ')
		return 0;
	at = p;
	while (p < end && (unsigned char)*p > ' ' && *p != 0x7f)
		p++;
	if (p == at || (size_t)(end - p) < sizeof(version) + 2 ||
	    memcmp(p, version, sizeof(version) - 1) != 0)
		return 0;
	p += sizeof(version) - 1;
	return *p >= '0' && *p <= '9' && ends_line(p + 1) ? (size_t)(p - at) + 3 : 0;
}

/* An empty line before a request is to be passed over. To libmicrohttpd one that begins with a NUL
 * is empty. */
static const char *request_begin(const char *at, const char *end)
{
	while (at < end && (*at == '\r' || *at == '\n' || *at == '\0')) {
		bool skip = *at++ == '\0';

		while (skip && at < end && *at != '\n')
			at++;
	}
	return at;
}

static bool head_is_whole(const char *at, const char *end)
{
	const char *target;
	unsigned hosts = 0;
	size_t len;

	if (!line_length(at, end))
		return false;
	target = memchr(at, '\n', (size_t)(end - at));
	for (at = target + 1; end - at >= 2 && !ends_line(at); at += len) {
		len = header_length(at, end, &hosts);
		if (!len)
			return false;
	}
	return end - at >= 2 && hosts <= 1;
}

/* ---- answers ---- */

static char answers[ANSWER_MAX_SIZE];
static size_t answered;

/*
 * Status of the answer that begins at `at`; *next: where the next one begins, or NULL, as after
 * those that libmicrohttpd gives by itself: up to 0.9.75 it sends the head of some of them twice.
 */
static unsigned check_answer(char *at, char *end, char **next)
{
	unsigned status, hosts = 0;
	char *length = NULL;
	bool ours = false;
	size_t len;

	if (end - at < 17 || sscanf(at, "HTTP/1.1 %3u ", &status) != 1 || status < 100 ||
	    status > 599)
		abort();
	at = memchr(at, '\n', (size_t)(end - at));
	if (!at)
		abort();
	for (at++; end - at >= 2 && !(at[0] == '\r' && at[1] == '\n'); at += len) {
		len = header_length(at, end, &hosts);
		if (!len)
			abort();
		if (strncasecmp(at, "Content-Length:", 15) == 0)
			length = at + 15;
		ours |= strncasecmp(at, "X-Content-Type-Options:", 23) == 0;
	}
	if (end - at < 2)
		abort(); /* a head is never left unfinished */
	at += 2;
	*next = ours && length && strtoul(length, NULL, 10) <= (size_t)(end - at)
			? at + strtoul(length, NULL, 10)
			: NULL;
	return status;
}

static void check_answers(const char *request, size_t size)
{
	char *next = answers, *end = answers + answered;
	const char *request_end = request + size;
	unsigned status;

	request = request_begin(request, request_end);
	*end = '\0';
	if (!answered)
		return;
	status = check_answer(answers, end, &next);
	if ((status == 200 || status == 304 || status == 503) &&
	    !head_is_whole(request, request_end))
		abort();
	/* further ones, as far as the first had a body */
	if (next && next < end && memcmp(next, "HTTP", 4) != 0 && request_end - request >= 4 &&
	    memcmp(request, "HEAD", 4) != 0)
		abort();
}

static void read_answers(int fd)
{
	ssize_t n;

	while (answered < sizeof(answers) - 1 &&
	       (n = recv(fd, answers + answered, sizeof(answers) - 1 - answered, MSG_DONTWAIT)) > 0)
		answered += (size_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	uint8_t bits = take_byte(&take);
	size_t piece = (size_t)(bits >> 1) ? (size_t)(bits >> 1) : SIZE_MAX;
	const char *request = (const char *)take.at;
	int ends[2];

	if (!sidecar.server)
		open_sidecar();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0)
		abort();
	world.accepted = ends[1];
	world.remote = bits & 1;
	answered = 0;
	run();
	while (take_left(&take)) {
		size_t len = take_left(&take) < piece ? take_left(&take) : piece;

		if (send(ends[0], take.at, len, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)len)
			break;
		take.at += len;
		run();
		read_answers(ends[0]);
	}
	shutdown(ends[0], SHUT_WR);
	run();
	read_answers(ends[0]);
	close(ends[0]);
	run();
	check_answers(request, (size_t)(take.at - (const uint8_t *)request));
	return 0;
}
