/* SPDX-License-Identifier: MIT */
/* The bytes are a file of /proc or of a cgroup. What is read of it is within its bounds, and a
 * number is the same when it is written again. */
#include <stdio.h>

#include "counters.h"
#include "pressure.h"
#include "proc_stat.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_number(uint64_t value)
{
	char text[32];

	if (!counter_is_number(value))
		return;
	snprintf(text, sizeof(text), "%llu\n", (unsigned long long)value);
	if (counters_number(text) != value)
		abort();
}

static void check_share(const struct pressure_share *share)
{
	if (share->known && (share->avg10 < 0 || share->avg60 < 0 || share->avg300 < 0 ||
			     share->total == COUNTER_UNKNOWN))
		abort();
}

static void check_process(const char *text)
{
	struct proc_stat process;

	if (!proc_stat_parse(&process, text))
		return;
	if (process.pid < 0 || process.parent < 0 || process.session < 0 ||
	    !counter_is_number(process.cpu) || !counter_is_number(process.memory) ||
	    !counter_is_number(process.begin))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const keys[] = {"usage_usec", "nr_throttled", "oom_kill", "max", ""};
	struct take take = {data, data + size};
	char *text = take_text(&take);
	struct pressure pressure;

	check_process(text);
	check_number(counters_number(text));
	check_number(counters_scale(counters_number(text), 1000));
	if (counters_number(text) == COUNTER_UNLIMITED)
		abort();
	counters_limit(text);
	for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		check_number(counters_keyed(text, keys[i]));
	pressure_parse(&pressure, text);
	check_share(&pressure.some);
	check_share(&pressure.full);
	free(text);
	return 0;
}
