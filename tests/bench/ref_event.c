/* SPDX-License-Identifier: MIT */
/*
 * ref_event event|seq|level:N|keep GRAPH TINY RECORDS: the floor that supervise mode is measured
 * against, and the two designs that it replaces.
 *   event    a service starts the instant its last dependency is ready
 *   level:N  level by level, at most N starting at once, a barrier between levels
 *   seq      one after another
 *   keep     event, and what ends is started again at once
 * GRAPH has a line for each service: its delay in milliseconds and the numbers of its dependencies,
 * which come before it. Services are `TINY RECORDS NUMBER DELAY 3`. On SIGTERM all get SIGTERM; it
 * ends with the last of them.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

#include "bench.h"

#define SERVICES_MAX 2000
#define EDGES_MAX    20000
#define LINE_BYTES   8192
#define READY_FD     3
#define EVENTS       64
#define SIGNALS      UINT64_MAX /* the signalfd's mark among the events' data */

struct edge {
	int dependent, next; /* next: of the same dependency; -1: none */
};

struct service {
	char delay[12];
	int blockers; /* dependencies that are not ready yet */
	int level;
	int dependents; /* first edge, -1: none */
	int ready_fd;
	pid_t pid;
};

static struct {
	struct service services[SERVICES_MAX];
	struct edge edges[EDGES_MAX];
	int queue[SERVICES_MAX]; /* unblocked services, in the order in which they became so */
	int queued, started, ready, starting, count, edge_count;
	int limit;    /* starting at once */
	bool barrier; /* between levels */
	bool keep;
	bool stopping;
	int alive;
	int epoll;
	const char *tiny, *records;
} sched;

static void enqueue(int number)
{
	sched.queue[sched.queued++] = number;
}

static void add_edge(int dependency, int dependent)
{
	struct service *service = &sched.services[dependent];
	struct edge *edge = &sched.edges[sched.edge_count];

	if (dependency >= dependent || sched.edge_count == EDGES_MAX) {
		errno = EINVAL;
		die("graph");
	}
	edge->dependent = dependent;
	edge->next = sched.services[dependency].dependents;
	sched.services[dependency].dependents = sched.edge_count++;
	service->blockers++;
	if (service->level <= sched.services[dependency].level)
		service->level = sched.services[dependency].level + 1;
}

static void read_line(char *line)
{
	int number = sched.count++;
	struct service *service = &sched.services[number];
	char *word = strtok(line, " \n");

	service->dependents = -1;
	snprintf(service->delay, sizeof(service->delay), "%ld", read_number(word, 0, 1000000));
	while ((word = strtok(NULL, " \n")))
		add_edge((int)read_number(word, 0, number - 1), number);
}

static void read_graph(const char *path)
{
	static char line[LINE_BYTES];
	FILE *file = fopen(path, "re");

	if (!file)
		die(path);
	while (sched.count < SERVICES_MAX && fgets(line, sizeof(line), file))
		read_line(line);
	fclose(file);
}

static int compare_levels(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	int by_level = sched.services[x].level - sched.services[y].level;
	return by_level ? by_level : x - y;
}

/* The child of vfork: system calls only. */
static void exec_service(char *const *argv, int ready_fd, const sigset_t *mask)
{
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (ready_fd == READY_FD)
		fcntl(ready_fd, F_SETFD, 0);
	else
		dup2(ready_fd, READY_FD);
	execv(argv[0], argv);
	_exit(127);
}

static void start_service(int number)
{
	struct service *service = &sched.services[number];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)number};
	char text[12];
	char *argv[] = {(char *)sched.tiny, (char *)sched.records, text,
			service->delay,     (char *)"3",           NULL};
	sigset_t none;
	int pipes[2];

	sigemptyset(&none);
	snprintf(text, sizeof(text), "%d", number);
	if (pipe2(pipes, O_CLOEXEC) < 0)
		die("pipe2");
	service->ready_fd = pipes[0];
	service->pid = vfork();
	if (service->pid == 0)
		exec_service(argv, pipes[1], &none);
	if (service->pid < 0)
		die("vfork");
	close(pipes[1]);
	if (epoll_ctl(sched.epoll, EPOLL_CTL_ADD, pipes[0], &event) < 0)
		die("epoll_ctl");
	sched.starting++;
	sched.alive++;
}

/* Whether the barrier keeps a service from starting: the level of the last one is not done. */
static bool held_back(int number)
{
	int last = sched.started > 0 ? sched.queue[sched.started - 1] : number;

	return sched.barrier && sched.starting > 0 &&
	       sched.services[number].level > sched.services[last].level;
}

static void start_what_may(void)
{
	while (sched.started < sched.queued && sched.starting < sched.limit &&
	       !held_back(sched.queue[sched.started]))
		start_service(sched.queue[sched.started++]);
}

static void service_is_ready(int number)
{
	struct service *service = &sched.services[number];

	/* the child may still hold the pipe while its exec goes on: closing alone would not do */
	epoll_ctl(sched.epoll, EPOLL_CTL_DEL, service->ready_fd, NULL);
	close(service->ready_fd);
	sched.starting--;
	sched.ready++;
	if (sched.barrier)
		return; /* all are queued, by level */
	for (int edge = service->dependents; edge >= 0; edge = sched.edges[edge].next)
		if (--sched.services[sched.edges[edge].dependent].blockers == 0)
			enqueue(sched.edges[edge].dependent);
}

static void stop_all(void)
{
	sched.stopping = true;
	for (int i = 0; i < sched.count; i++)
		if (sched.services[i].pid > 0)
			kill(sched.services[i].pid, SIGTERM);
}

static void reap(void)
{
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		sched.alive--;
		for (int i = 0; i < sched.count; i++) {
			if (sched.services[i].pid != pid)
				continue;
			sched.services[i].pid = 0;
			if (sched.keep && !sched.stopping)
				start_service(i);
			break;
		}
	}
}

static void read_signals(int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			stop_all();
		else
			reap();
	}
}

static int open_signals(void)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = SIGNALS};
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0 || epoll_ctl(sched.epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("signalfd");
	return fd;
}

static void run_loop(int signals)
{
	struct epoll_event events[EVENTS];

	while (!sched.stopping || sched.alive > 0) {
		int count;

		if (!sched.stopping)
			start_what_may();
		count = epoll_wait(sched.epoll, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.u64 == SIGNALS)
				read_signals(signals);
			else
				service_is_ready((int)events[i].data.u64);
		}
	}
}

static int set_mode(const char *mode)
{
	sched.limit = SERVICES_MAX;
	if (strcmp(mode, "seq") == 0) {
		sched.limit = 1;
	} else if (strncmp(mode, "level:", 6) == 0) {
		sched.limit = (int)read_number(mode + 6, 1, SERVICES_MAX);
		sched.barrier = true;
	} else if (strcmp(mode, "keep") == 0) {
		sched.keep = true;
	} else if (strcmp(mode, "event") != 0) {
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	int signals;

	if (argc != 5 || set_mode(argv[1]) < 0) {
		fprintf(stderr, "usage: ref_event event|seq|level:N|keep GRAPH TINY RECORDS\n");
		return 2;
	}
	sched.tiny = argv[3];
	sched.records = argv[4];
	sched.epoll = epoll_create1(EPOLL_CLOEXEC);
	if (sched.epoll < 0)
		die("epoll_create1");
	signals = open_signals();
	read_graph(argv[2]);
	for (int i = 0; i < sched.count; i++)
		if (sched.barrier || sched.services[i].blockers == 0)
			enqueue(i);
	if (sched.barrier)
		qsort(sched.queue, (size_t)sched.queued, sizeof(int), compare_levels);
	run_loop(signals);
	return 0;
}
