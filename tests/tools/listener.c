/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A server for sockets that are passed to it as sd_listen_fds(3) has it: listener [COUNT]
 *
 * One connection after another: reads up to a line's end or the end of the data, answers with its
 * pid in a line, closes. A datagram is answered in the same way. Ends with 0 on TERM, between two
 * of them, and after COUNT. Says what it was given; with another pid's sockets it ends with 3.
 */
#define FIRST_FD 3
#define MOST     64

static volatile sig_atomic_t asked_to_end;

static void on_term(int signal)
{
	(void)signal;
	asked_to_end = 1;
}

static int is_stream(int fd)
{
	int type = 0;
	socklen_t size = sizeof(type);

	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size);
	return type == SOCK_STREAM;
}

static void answer_stream(int fd)
{
	int connection = accept(fd, NULL, NULL);
	char buffer[256], text[16];
	ssize_t n;

	if (connection < 0)
		return;
	do {
		n = read(connection, buffer, sizeof(buffer));
	} while ((n > 0 && !memchr(buffer, '\n', (size_t)n)) || (n < 0 && errno == EINTR));
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	if (send(connection, text, strlen(text), MSG_NOSIGNAL) < 0)
		fprintf(stderr, "client left\n");
	close(connection);
}

static void answer_datagram(int fd)
{
	struct sockaddr_storage from;
	socklen_t size = sizeof(from);
	char buffer[256], text[16];

	if (recvfrom(fd, buffer, sizeof(buffer), MSG_DONTWAIT, (struct sockaddr *)&from, &size) < 0)
		return;
	snprintf(text, sizeof(text), "%d\n", (int)getpid());
	sendto(fd, text, strlen(text), 0, (struct sockaddr *)&from, size);
}

static bool answer_one(int fd)
{
	struct pollfd look = {.fd = fd, .events = POLLIN};

	if (poll(&look, 1, 0) <= 0) /* it went away */
		return false;
	if (is_stream(fd))
		answer_stream(fd);
	else
		answer_datagram(fd);
	return true;
}

/* Signals come only while it waits, so that none is missed and no connection cut short. */
static void serve(unsigned count, long left, const sigset_t *open)
{
	struct pollfd fds[MOST];

	/* another may take what was there a moment ago */
	for (int fd = FIRST_FD; fd < FIRST_FD + (int)count; fd++)
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	for (unsigned i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = FIRST_FD + (int)i, .events = POLLIN};
	while (left != 0) {
		int n = ppoll(fds, count, NULL, open);

		if (asked_to_end)
			return;
		for (unsigned i = 0; n > 0 && i < count && left != 0; i++)
			if (fds[i].revents && answer_one(fds[i].fd) && left > 0)
				left--;
	}
}

int main(int argc, char **argv)
{
	const char *number = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	const char *names = getenv("LISTEN_FDNAMES");
	struct sigaction action = {.sa_handler = on_term};
	unsigned count = number ? (unsigned)atoi(number) : 0;
	sigset_t blocked, before;

	if (!pid || atoi(pid) != (int)getpid() || !names || count == 0 || count > MOST)
		return 3;
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, &before);
	sigdelset(&before, SIGTERM);
	sigaction(SIGTERM, &action, NULL);
	printf("listens %u %s\n", count, names);
	fflush(stdout);
	serve(count, argc > 1 ? atol(argv[1]) : -1, &before);
	return 0;
}
