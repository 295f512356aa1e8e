/* SPDX-License-Identifier: MIT */
/*
 * pace ADDRESS PORT PATH CONNECTIONS RATE SECONDS: asks over so many connections at a fixed rate,
 * whatever the answers do, and prints the time of each answer in microseconds, one a line. The time
 * counts from when the question was due, not from when it could be sent: a server that stands still
 * is not asked less because of that (wrk, which asks when it has been answered, hides it).
 */
#include "bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#define CONNECTIONS_MAX 256
#define WAITING         1024 /* questions on one connection that are not answered yet */

struct conn {
	int fd;
	uint64_t due[WAITING]; /* of those under way, a ring */
	unsigned first, count;
	size_t left; /* bytes of the answer that is coming in */
	char head[1024];
	size_t head_len;
};

static struct conn conns[CONNECTIONS_MAX];
static char question[512];
static size_t question_len;
static uint32_t *results;
static size_t result_count;

static uint64_t clock_now(void)
{
	return (uint64_t)now_ns();
}

static int dial(const char *address, int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void ask(struct conn *conn, uint64_t due)
{
	if (conn->count == WAITING ||
	    send(conn->fd, question, question_len, MSG_NOSIGNAL) != (ssize_t)question_len)
		die("the server does not take questions");
	conn->due[(conn->first + conn->count++) % WAITING] = due;
}

static void answered(struct conn *conn, uint64_t now)
{
	results[result_count++] = (uint32_t)((now - conn->due[conn->first]) / 1000);
	conn->first = (conn->first + 1) % WAITING;
	conn->count--;
}

/* The size of the body, once the head is whole; the head must be of a 200. */
static bool read_head(struct conn *conn, size_t *body)
{
	const char *end, *size;

	conn->head[conn->head_len] = '\0';
	end = strstr(conn->head, "\r\n\r\n");
	if (!end)
		return false;
	size = strcasestr(conn->head, "\r\nContent-Length:");
	if (strncmp(conn->head, "HTTP/1.1 200 ", 13) != 0 || !size || !conn->count)
		die("not an answer of status 200 with a Content-Length");
	*body = strtoul(size + 17, NULL, 10);
	return true;
}

static void take(struct conn *conn, const char *data, size_t len, uint64_t now)
{
	while (len) {
		size_t body;

		if (conn->left) {
			size_t part = len < conn->left ? len : conn->left;

			conn->left -= part;
			data += part;
			len -= part;
			if (!conn->left)
				answered(conn, now);
			continue;
		}
		if (conn->head_len == sizeof(conn->head) - 1)
			die("a long head");
		conn->head[conn->head_len++] = *data++;
		len--;
		if (conn->head[conn->head_len - 1] != '\n' || !read_head(conn, &body))
			continue;
		conn->head_len = 0;
		conn->left = body;
		if (!body)
			answered(conn, now);
	}
}

static void receive(struct conn *conn)
{
	char data[16384];
	ssize_t len;

	while ((len = recv(conn->fd, data, sizeof(data), 0)) > 0)
		take(conn, data, (size_t)len, clock_now());
	if (len == 0)
		die("the server has closed");
}

static unsigned under_way(unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < count; i++)
		sum += conns[i].count;
	return sum;
}

static void run(int epoll, unsigned count, double rate, double seconds)
{
	uint64_t begin = clock_now(), end = begin + (uint64_t)(seconds * 1e9), asked = 0;
	uint64_t late = end + 10000000000;

	for (;;) {
		struct epoll_event events[CONNECTIONS_MAX];
		uint64_t now = clock_now(), due = begin + (uint64_t)((double)asked * 1e9 / rate);
		int ready;

		for (; due <= now && due < end; asked++) {
			ask(&conns[asked % count], due);
			due = begin + (uint64_t)((double)(asked + 1) * 1e9 / rate);
		}
		if ((due >= end && !under_way(count)) || now > late)
			return;
		/* no sleep between questions: to be woken would count as the server's time */
		ready = epoll_wait(epoll, events, CONNECTIONS_MAX, due < end ? 0 : 100);
		for (int i = 0; i < ready; i++)
			receive(&conns[events[i].data.u32]);
	}
}

int main(int argc, char **argv)
{
	unsigned count = argc == 7 ? (unsigned)atoi(argv[4]) : 0;
	double rate = argc == 7 ? atof(argv[5]) : 0, seconds = argc == 7 ? atof(argv[6]) : 0;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (!count || count > CONNECTIONS_MAX || rate <= 0 || seconds <= 0)
		die("usage: pace ADDRESS PORT PATH CONNECTIONS RATE SECONDS");
	results = calloc((size_t)(rate * seconds) + 2, sizeof(*results));
	question_len = (size_t)snprintf(question, sizeof(question),
					"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[3]);
	for (unsigned i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		conns[i].fd = dial(argv[1], atoi(argv[2]));
		epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &event);
	}
	run(epoll, count, rate, seconds);
	if (under_way(count))
		die("answers are missing");
	for (size_t i = 0; i < result_count; i++)
		printf("%u\n", results[i]);
	return 0;
}
