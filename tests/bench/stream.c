/* SPDX-License-Identifier: MIT */
/*
 * stream bulk|ping SERVER-PORT CONNECT-PORT SECONDS: a server on the one port and a client that
 * connects to the other, which is the same or leads there. Prints bytes in a second, or the mean
 * round trip of one byte in microseconds; then the processor time of both sides, in seconds.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char buffer[1 << 17];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double processor(int who)
{
	struct rusage usage;

	getrusage(who, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
				    .sin_port = htons((uint16_t)atoi(port)),
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void no_delay(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Takes connections until one has sent something: checks connect and say nothing. */
static void serve(int listener, int ping)
{
	size_t total = 0;

	while (!total) {
		int fd = accept(listener, NULL, NULL);
		double begin = now();
		ssize_t n;

		no_delay(fd);
		while ((n = read(fd, buffer, sizeof(buffer))) > 0) {
			total += (size_t)n;
			if (ping && write(fd, buffer, (size_t)n) != n)
				die("write");
		}
		if (total && !ping)
			printf("%.0f\n", (double)total / (now() - begin));
		close(fd);
	}
	exit(0);
}

static void run_client(int fd, int ping, double seconds)
{
	double begin = now();
	long rounds = 0;

	while (now() - begin < seconds) {
		if (write(fd, buffer, ping ? 1 : sizeof(buffer)) < 0)
			die("write");
		if (ping && read(fd, buffer, 1) != 1)
			die("read");
		rounds++;
	}
	if (ping)
		printf("%.2f\n", (now() - begin) / (double)rounds * 1e6);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, on = 1;
	struct sockaddr_in at;
	int ping;

	if (argc != 5)
		return 2;
	ping = strcmp(argv[1], "ping") == 0;
	at = loopback(argv[2]);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(listener, 8) < 0)
		die(argv[2]);
	if (fork() == 0)
		serve(listener, ping);
	client = socket(AF_INET, SOCK_STREAM, 0);
	at = loopback(argv[3]);
	if (connect(client, (struct sockaddr *)&at, sizeof(at)) < 0)
		die(argv[3]);
	no_delay(client);
	run_client(client, ping, atof(argv[4]));
	close(client);
	wait(NULL);
	printf("%.3f\n", processor(RUSAGE_SELF) + processor(RUSAGE_CHILDREN));
	return 0;
}
