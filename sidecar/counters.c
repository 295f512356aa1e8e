/* SPDX-License-Identifier: MIT */
#include "counters.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fd.h"

/* What v1 writes for no limit is the largest number of whole pages below 2^63; no page is larger
 * than a megabyte. */
#define UNLIMITED_FROM ((uint64_t)INT64_MAX - (1U << 20))

bool counters_read(const char *dir, const char *file, char *text, size_t size)
{
	char path[PATH_MAX];

	text[0] = '\0';
	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return false;
	if (fd_read_file(path, text, size) >= 0)
		return true;
	text[0] = '\0';
	return false;
}

uint64_t counters_number(const char *text)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return COUNTER_UNKNOWN;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return COUNTER_UNKNOWN;
	if ((*text != ' ' && *text != '\n') || !counter_is_number(value))
		return COUNTER_UNKNOWN;
	return value;
}

uint64_t counters_limit(const char *text)
{
	uint64_t value = counters_number(text);

	if (strncmp(text, "max", 3) == 0 && (text[3] == '\n' || text[3] == ' '))
		return COUNTER_UNLIMITED;
	if (strncmp(text, "-1\n", 3) == 0)
		return COUNTER_UNLIMITED;
	return value != COUNTER_UNKNOWN && value >= UNLIMITED_FROM ? COUNTER_UNLIMITED : value;
}

const char *counters_behind(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, key, len) == 0 && line[len] == ' ')
			return line + len + 1;
	}
	return "";
}

uint64_t counters_keyed(const char *text, const char *key)
{
	return counters_number(counters_behind(text, key));
}

uint64_t counters_scale(uint64_t value, uint64_t factor)
{
	if (!counter_is_number(value) || __builtin_mul_overflow(value, factor, &value) ||
	    !counter_is_number(value))
		return COUNTER_UNKNOWN;
	return value;
}

uint64_t counters_smaller(uint64_t a, uint64_t b)
{
	if (a == COUNTER_UNKNOWN || b == COUNTER_UNKNOWN)
		return a == COUNTER_UNKNOWN ? b : a;
	return a < b ? a : b;
}
