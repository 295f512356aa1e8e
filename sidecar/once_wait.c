/* SPDX-License-Identifier: MIT */
#include "once.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "endpoint.h"
#include "log.h"
#include "mem.h"
#include "once_check.h"

#define INTERVAL_MS 1000
#define TIMEOUT_MS  5000 /* of one check */

struct awaited {
	bool answers;
	char reason[OUTCOME_REASON]; /* why not, as it was said last */
};

struct run {
	const struct once_options *options;
	struct checks checks;
	uint64_t begin;
	unsigned left;
	struct awaited *list;
};

/* The target as it may be shown. */
static const char *target_of(const struct run *run, unsigned number, char shown[URL_SHOWN])
{
	return url_mask(shown, URL_SHOWN, run->options->words[number]);
}

static double seconds_since(uint64_t begin)
{
	return (double)(clock_monotonic() - begin) / (double)NSEC_PER_SEC;
}

static void report(void *data, unsigned number, const struct probe *probe)
{
	struct run *run = data;
	struct awaited *one = &run->list[number];
	char shown[URL_SHOWN];
	const char *target = target_of(run, number, shown);

	if (one->answers)
		return;
	if (!probe->last.ok) {
		if (strcmp(one->reason, probe->last.reason) != 0)
			log_info("waiting for %s: %s", target, probe->last.reason);
		memcpy(one->reason, probe->last.reason, sizeof(one->reason));
		return;
	}
	one->answers = true;
	log_info("%s answers after %.3f s", target, seconds_since(run->begin));
	if (--run->left == 0)
		loop_stop(run->checks.loop, 0);
}

static void tell_missing(const struct run *run)
{
	char shown[URL_SHOWN];

	for (unsigned i = 0; i < run->options->word_count; i++)
		if (!run->list[i].answers)
			log_error("timed out: %s: %s", target_of(run, i, shown),
				  run->list[i].reason[0] ? run->list[i].reason : "no answer yet");
}

/* The program that was waited for in vain until now. */
static int execute(char *const *command)
{
	int error;

	execvp(command[0], command);
	error = errno;
	log_error("cannot run %s: %s", command[0], strerror(error));
	return error == ENOENT ? ONCE_NO_PROGRAM : ONCE_NOT_EXECUTABLE;
}

int once_wait(const struct once_options *options)
{
	struct run run = {
		.options = options,
		.begin = clock_monotonic(),
		.left = options->word_count,
		.list = mem_alloc(options->word_count * sizeof(*run.list)),
		.checks = {.options = options,
			   .report = report,
			   .period_ms = options->interval_ms ? options->interval_ms : INTERVAL_MS,
			   .timeout_ms = TIMEOUT_MS},
	};
	int code;

	run.checks.data = &run;
	if (options->timeout_ms && options->timeout_ms < run.checks.timeout_ms)
		run.checks.timeout_ms = options->timeout_ms;
	code = checks_run(&run.checks, options->words, options->word_count, options->timeout_ms);
	if (code == ONCE_TIMED_OUT)
		tell_missing(&run);
	free(run.list);
	return code == 0 && options->command ? execute(options->command) : code;
}
