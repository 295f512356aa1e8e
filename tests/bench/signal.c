/* SPDX-License-Identifier: MIT */
/*
 * signal send CPU COUNT DIR [INIT ARG...]: starts INIT around `signal receive`, sends it COUNT
 * times SIGUSR1, one at a time, and prints for each the nanoseconds until the program behind INIT
 * had it, or `lost` when it had not within a second. Without INIT the signals go straight to the
 * program. All on one CPU, unless CPU is -1. DIR holds the files that the two sides share.
 */
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "bench.h"

#define PAUSE_NS   5000000 /* between signals: everybody sleeps again, as signals come rarely */
#define LOST_MS    1000
#define START_MS   5000
#define ARGS_MAX   64
#define PATH_BYTES 4096

static void make_path(char *path, const char *dir, const char *name)
{
	snprintf(path, PATH_BYTES, "%s/%s", dir, name);
}

/* The program behind the init: notes when each signal came, and tells by one byte that it has. */
static int receive(const char *dir)
{
	char path[PATH_BYTES];
	volatile long long *when;
	sigset_t set;
	int answers, number;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	make_path(path, dir, "when");
	when = map_file(path, sizeof(*when));
	*when = 0;
	make_path(path, dir, "answers");
	answers = open(path, O_WRONLY | O_CLOEXEC);
	if (answers < 0)
		die(path);
	do {
		if (write(answers, "", 1) != 1)
			die("write");
		number = sigwaitinfo(&set, NULL);
		*when = now_ns();
	} while (number == SIGUSR1);
	return 0;
}

/* Whether the receiver answered in time. */
static int await_answer(int answers, int milliseconds)
{
	struct pollfd waiting = {.fd = answers, .events = POLLIN};
	char byte;

	return poll(&waiting, 1, milliseconds) == 1 && read(answers, &byte, 1) == 1;
}

static void send_all(pid_t pid, long count, int answers, const volatile long long *when)
{
	static const struct timespec pause_time = {0, PAUSE_NS};

	if (!await_answer(answers, START_MS))
		die("the program did not start");
	for (long i = 0; i < count; i++) {
		long long begin;

		nanosleep(&pause_time, NULL);
		begin = now_ns();
		if (kill(pid, SIGUSR1) < 0)
			die("kill");
		if (await_answer(answers, LOST_MS))
			printf("%lld\n", *when - begin);
		else
			puts("lost");
	}
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execv(argv[0], argv);
		die(argv[0]);
	}
	return pid;
}

static int measure(int cpu, long count, char *dir, char *self, char **init)
{
	char *argv[ARGS_MAX + 4], path[PATH_BYTES];
	const volatile long long *when;
	int answers, used = 0;
	pid_t pid;

	while (init[used] && used < ARGS_MAX) {
		argv[used] = init[used];
		used++;
	}
	argv[used++] = self;
	argv[used++] = (char *)"receive";
	argv[used++] = dir;
	argv[used] = NULL;
	pin_cpu(cpu);
	make_path(path, dir, "when");
	when = map_file(path, sizeof(*when));
	make_path(path, dir, "answers");
	answers = open(path, O_RDWR | O_CLOEXEC);
	if (answers < 0)
		die(path);
	pid = start(argv);
	send_all(pid, count, answers, when);
	kill(pid, SIGTERM);
	return waitpid(pid, NULL, 0) == pid ? 0 : 1;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "receive") == 0)
		return receive(argv[2]);
	if (argc >= 5 && strcmp(argv[1], "send") == 0)
		return measure((int)read_number(argv[2], -1, CPU_SETSIZE - 1),
			       read_number(argv[3], 1, 1000000), argv[4], argv[0], argv + 5);
	fprintf(stderr, "usage: signal send CPU COUNT DIR [INIT ARG...] | signal receive DIR\n");
	return 2;
}
