/* SPDX-License-Identifier: MIT */
/*
 * agent PORT DELAY: stands for a service of the reference stack. Listens on 127.0.0.1 at once,
 * answers any request with 503 until DELAY milliseconds after its start and with 200 from then on,
 * and ends with 0 at SIGTERM. Where somebody wants to hear of it (NOTIFY_SOCKET), it says READY=1,
 * too.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BACKLOG        64
#define REQUEST_BYTES  4096
#define CLIENT_SECONDS 1 /* who is slower than that is not answered */

#define REPLY(status, text)                                                                        \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nContent-Length: " text                 \
	"\r\nConnection: close\r\n\r\n"
#define READY_REPLY   REPLY("200 OK", "6") "ready\n"
#define LOADING_REPLY REPLY("503 Service Unavailable", "8") "loading\n"

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void end(int signo)
{
	(void)signo;
	_exit(0);
}

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int open_listener(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_port = htons(port),
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int yes = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, BACKLOG)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Requests have no body and come in one piece, or at least their first line does. */
static void answer(int listener, bool ready)
{
	const char *reply = ready ? READY_REPLY : LOADING_REPLY;
	const struct timeval patience = {.tv_sec = CLIENT_SECONDS};
	char request[REQUEST_BYTES];
	int fd = accept(listener, NULL, NULL);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (read(fd, request, sizeof(request)) > 0)
		(void)!send(fd, reply, strlen(reply), MSG_NOSIGNAL);
	close(fd);
}

/* As sd_notify(3) does it. */
static void tell_ready(void)
{
	static const char message[] = "READY=1";
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = path ? strlen(path) : 0;
	int fd;

	if (length == 0 || length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	sendto(fd, message, sizeof(message) - 1, MSG_NOSIGNAL, (struct sockaddr *)&address,
	       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
	close(fd);
}

static void serve(int listener, uint64_t ready_at)
{
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	bool ready = false;

	for (;;) {
		uint64_t now = now_ms();

		if (!ready && now >= ready_at) {
			ready = true;
			tell_ready();
		}
		if (poll(&poller, 1, ready ? -1 : (int)(ready_at - now)) > 0)
			answer(listener, now_ms() >= ready_at);
	}
}

int main(int argc, char **argv)
{
	uint64_t begin = now_ms();
	long port = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
	long delay = argc == 3 ? strtol(argv[2], NULL, 10) : -1;
	int listener;

	if (port < 1 || port > UINT16_MAX || delay < 0 || delay > INT32_MAX) {
		fputs("usage: agent PORT DELAY (milliseconds)\n", stderr);
		return 2;
	}
	signal(SIGTERM, end);
	listener = open_listener((uint16_t)port);
	if (listener < 0)
		return fail(argv[1]);
	serve(listener, begin + (uint64_t)delay);
}
