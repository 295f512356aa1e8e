/* SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * Load for a server on 127.0.0.1: connector PORT RATE [SECONDS]
 *
 * Opens RATE connections a second, sends a line on each, waits for an answer and its end. After
 * SECONDS, or on TERM, it opens no more, waits for those that are open, and prints one line of
 * numbers: answered refused reset timed_out other answerers p50 p99 worst, the last three in
 * microseconds from connect to the end.
 */
#define MOST       16384
#define PATIENCE_S 10
#define DIFFERENT  4096

enum { ANSWERED, REFUSED, RESET, TIMED_OUT, OTHER, RESULTS };

static volatile sig_atomic_t asked_to_end;
static struct {
	uint64_t began;
	int open;
	char text[16];
	size_t len;
} connections[MOST]; /* by descriptor */
static unsigned long results[RESULTS];
static uint32_t histogram[1 << 20]; /* of 10 us each */
static char answerers[DIFFERENT][16];
static unsigned answerer_count, in_flight;
static uint64_t worst;
static int epoll_fd;

static void on_term(int signal)
{
	(void)signal;
	asked_to_end = 1;
}

static uint64_t now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static void note_answerer(const char *text)
{
	if (answerer_count && strcmp(answerers[answerer_count - 1], text) == 0)
		return;
	for (unsigned i = 0; i < answerer_count; i++)
		if (strcmp(answerers[i], text) == 0)
			return;
	if (answerer_count < DIFFERENT)
		strcpy(answerers[answerer_count++], text);
}

static void end(int fd, int result)
{
	struct linger linger = {.l_onoff = 1}; /* no port stays behind in TIME_WAIT */
	uint64_t took = now_us() - connections[fd].began;
	const size_t last = sizeof(histogram) / sizeof(histogram[0]) - 1;

	results[result]++;
	if (result == ANSWERED) {
		note_answerer(connections[fd].text);
		histogram[took / 10 < last ? took / 10 : last]++;
		worst = took > worst ? took : worst;
	}
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(fd);
	connections[fd].open = 0;
	in_flight--;
}

static int result_of(int error)
{
	return error == ECONNREFUSED                   ? REFUSED
	       : error == ECONNRESET || error == EPIPE ? RESET
	       : error == ETIMEDOUT                    ? TIMED_OUT
						       : OTHER;
}

static void begin(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct epoll_event event = {.events = EPOLLOUT, .data.fd = fd};

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || fd >= MOST) {
		results[OTHER]++;
		if (fd >= 0)
			close(fd);
		return;
	}
	memset(&connections[fd], 0, sizeof(connections[fd]));
	connections[fd].began = now_us();
	connections[fd].open = 1;
	in_flight++;
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0 && errno != EINPROGRESS)
		end(fd, result_of(errno));
	else
		epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void send_line(int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	int error = 0;
	socklen_t size = sizeof(error);

	getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (!error && send(fd, "x\n", 2, MSG_NOSIGNAL) < 0)
		error = errno;
	if (error)
		end(fd, result_of(error));
	else
		epoll_ctl(epoll_fd, EPOLL_CTL_MOD, fd, &event);
}

static void receive(int fd)
{
	char *text = connections[fd].text;
	size_t room = sizeof(connections[fd].text) - 1 - connections[fd].len;
	ssize_t n = read(fd, text + connections[fd].len, room);

	if (n > 0)
		connections[fd].len += (size_t)n;
	else if (n == 0)
		end(fd, connections[fd].len ? ANSWERED : RESET);
	else if (errno != EAGAIN)
		end(fd, result_of(errno));
}

static void give_up_old(uint64_t before)
{
	for (int fd = 0; fd < MOST; fd++)
		if (connections[fd].open && connections[fd].began < before)
			end(fd, TIMED_OUT);
}

static void turn(void)
{
	struct epoll_event events[256];
	int n = epoll_wait(epoll_fd, events, 256, 1);

	for (int i = 0; i < n; i++) {
		int fd = events[i].data.fd;

		if (events[i].events & EPOLLOUT)
			send_line(fd);
		else
			receive(fd);
	}
}

static unsigned long quantile(double part)
{
	double wanted = part * (double)results[ANSWERED], seen = 0;

	for (size_t i = 0; i < sizeof(histogram) / sizeof(histogram[0]); i++) {
		seen += histogram[i];
		if (seen >= wanted)
			return (i + 1) * 10;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = on_term};
	double rate = argc > 2 ? atof(argv[2]) : 0, opened = 0;
	uint64_t start = now_us(), length = argc > 3 ? (uint64_t)(atof(argv[3]) * 1e6) : UINT64_MAX;
	uint16_t port = argc > 2 ? (uint16_t)atoi(argv[1]) : 0;

	if (!port || rate <= 0)
		return 2;
	sigaction(SIGTERM, &action, NULL);
	epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	for (uint64_t now = start; !asked_to_end && now - start < length; now = now_us()) {
		/* late after a pause, it opens what is missing, but in no burst of seconds */
		for (int i = 0; i < 64 && opened < rate * (double)(now - start) / 1e6;
		     i++, opened++)
			begin(port);
		turn();
		give_up_old(now > PATIENCE_S * 1000000 ? now - PATIENCE_S * 1000000 : 0);
	}
	while (in_flight) {
		turn();
		give_up_old(now_us() - PATIENCE_S * 1000000);
	}
	for (int i = 0; i < RESULTS; i++)
		printf("%lu ", results[i]);
	printf("%u %lu %lu %llu\n", answerer_count, quantile(0.5), quantile(0.99),
	       (unsigned long long)worst);
	return 0;
}
