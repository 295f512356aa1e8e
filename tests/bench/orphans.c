/* SPDX-License-Identifier: MIT */
/*
 * orphans backlog COUNT: a parent leaves COUNT dead children to init all at once.
 * orphans double COUNT:  COUNT times, a child leaves a grandchild that ends at once.
 * To be run by an init that is its parent. Prints three numbers: nanoseconds from the moment when
 * the last orphan was left until none was there any more, nanoseconds that init had a processor for
 * meanwhile and before, and the most orphans that were there at once.
 */
#include <signal.h>
#include <sys/wait.h>

#include "bench.h"

#define COUNT_MAX  30000
#define DEADLINE_S 30

struct shared {
	long long left; /* when the parent of the backlog went */
	pid_t orphan[COUNT_MAX];
};

/* How long init has run, by the scheduler's own count. */
static long long init_processor_ns(void)
{
	char path[64];
	long long ns = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", (int)getppid());
	file = fopen(path, "re");
	if (!file || fscanf(file, "%lld", &ns) != 1)
		die(path);
	fclose(file);
	return ns;
}

static pid_t fork_or_die(void)
{
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	return pid;
}

/* How many of the orphans from `reaped` on are gone, in the order in which they were left. */
static long count_reaped(const struct shared *shared, long reaped, long left)
{
	while (reaped < left && kill(shared->orphan[reaped], 0) < 0 && errno == ESRCH)
		reaped++;
	return reaped;
}

static void await_reaped(const struct shared *shared, long reaped, long left)
{
	static const struct timespec pause_time = {0, 200000};
	long long deadline = now_ns() + DEADLINE_S * 1000000000LL;

	while ((reaped = count_reaped(shared, reaped, left)) < left) {
		if (now_ns() > deadline) {
			fprintf(stderr, "bench: %ld orphans were not reaped within %d s\n",
				left - reaped, DEADLINE_S);
			exit(EXIT_FAILURE);
		}
		nanosleep(&pause_time, NULL);
	}
}

/* Returns the most orphans at once: all. */
static long leave_backlog(struct shared *shared, long count)
{
	pid_t parent = fork_or_die();

	if (parent == 0) {
		for (long i = 0; i < count; i++) {
			pid_t pid = fork_or_die();
			if (pid == 0)
				_exit(0);
			shared->orphan[i] = pid;
		}
		shared->left = now_ns();
		_exit(0);
	}
	if (waitpid(parent, NULL, 0) < 0)
		die("waitpid");
	await_reaped(shared, 0, count);
	return count;
}

static long leave_double(struct shared *shared, long count)
{
	long reaped = 0, peak = 0;

	for (long i = 0; i < count; i++) {
		pid_t child = fork_or_die();
		if (child == 0) {
			pid_t grandchild = fork_or_die();
			if (grandchild)
				shared->orphan[i] = grandchild;
			_exit(0);
		}
		if (waitpid(child, NULL, 0) < 0)
			die("waitpid");
		reaped = count_reaped(shared, reaped, i + 1);
		if (i + 1 - reaped > peak)
			peak = i + 1 - reaped;
	}
	shared->left = now_ns();
	await_reaped(shared, reaped, count);
	return peak;
}

int main(int argc, char **argv)
{
	struct shared *shared;
	long long processor;
	long count, peak;

	if (argc != 3) {
		fprintf(stderr, "usage: orphans backlog|double COUNT\n");
		return 2;
	}
	count = read_number(argv[2], 1, COUNT_MAX);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		die("mmap");
	processor = init_processor_ns();
	peak = strcmp(argv[1], "backlog") == 0 ? leave_backlog(shared, count)
					       : leave_double(shared, count);
	printf("%lld %lld %ld\n", now_ns() - shared->left, init_processor_ns() - processor, peak);
	return 0;
}
