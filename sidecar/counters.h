/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_COUNTERS_H
#define SIDECAR_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Numbers out of files of the kernel, below a root that may be a fixture. A number counts only with
 * what must stand behind it, so one that was cut off is not taken for a smaller one; what is not
 * there, cannot be read or is no number is COUNTER_UNKNOWN, never 0.
 */
#define COUNTER_UNKNOWN   UINT64_MAX
#define COUNTER_UNLIMITED (UINT64_MAX - 1) /* of a limit: there is none */

static inline bool counter_is_number(uint64_t value)
{
	return value < COUNTER_UNLIMITED;
}

/* DIR/FILE whole, with a NUL behind it. False, and an empty text: it cannot be read. */
bool counters_read(const char *dir, const char *file, char *text, size_t size);

/* The number at the start of the text, up to a blank or the end of the line. */
uint64_t counters_number(const char *text);
/* Likewise of a limit: "max", "-1", and what v1 writes for no limit are COUNTER_UNLIMITED. */
uint64_t counters_limit(const char *text);
/* What stands behind this word at the start of a line: "oom_kill 3"; "" where it does not. */
const char *counters_behind(const char *text, const char *key);
/* The number there. */
uint64_t counters_keyed(const char *text, const char *key);

/* value * factor; COUNTER_UNKNOWN stays so, and is what is out of range. */
uint64_t counters_scale(uint64_t value, uint64_t factor);
/* The smaller of two limits, of which one may not be known. */
uint64_t counters_smaller(uint64_t a, uint64_t b);

#endif
