/* SPDX-License-Identifier: MIT */
/*
 * wrap CPU RUNS PROGRAM [ARG...]: runs PROGRAM to its end RUNS times, one after another, all on one
 * CPU (-1: any), and prints three numbers: the median wall time of a run and its mean processor
 * time, both in nanoseconds, and its mean number of page faults.
 */
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench.h"

#define RUNS_MAX 10000
#define WARM_UP  5

static int compare(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;
	return (x > y) - (x < y);
}

static void run_once(char **argv)
{
	int status;
	pid_t pid = vfork();

	if (pid < 0)
		die("vfork");
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		die("waitpid");
	if (status != 0) {
		fprintf(stderr, "bench: %s ended with status %d\n", argv[0], status);
		exit(EXIT_FAILURE);
	}
}

static long long processor_ns(const struct rusage *usage)
{
	return (usage->ru_utime.tv_sec + usage->ru_stime.tv_sec) * 1000000000LL +
	       (usage->ru_utime.tv_usec + usage->ru_stime.tv_usec) * 1000LL;
}

int main(int argc, char **argv)
{
	static long long wall[RUNS_MAX];
	struct rusage before, after;
	size_t runs;

	if (argc < 4) {
		fprintf(stderr, "usage: wrap CPU RUNS PROGRAM [ARG...]\n");
		return 2;
	}
	pin_cpu((int)read_number(argv[1], -1, CPU_SETSIZE - 1));
	runs = (size_t)read_number(argv[2], 1, RUNS_MAX);
	for (int i = 0; i < WARM_UP; i++)
		run_once(argv + 3);
	getrusage(RUSAGE_CHILDREN, &before);
	for (size_t i = 0; i < runs; i++) {
		long long begin = now_ns();
		run_once(argv + 3);
		wall[i] = now_ns() - begin;
	}
	getrusage(RUSAGE_CHILDREN, &after);
	qsort(wall, runs, sizeof(wall[0]), compare);
	printf("%lld %lld %ld\n", wall[runs / 2],
	       (processor_ns(&after) - processor_ns(&before)) / (long long)runs,
	       (after.ru_minflt - before.ru_minflt) / (long)runs);
	return 0;
}
