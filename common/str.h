/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_STR_H
#define MUSTER_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Values as users write them. Every parser takes the whole text (no leading or trailing blanks),
 * returns false and leaves *out alone when it is not one, and never depends on the locale.
 */

/* Decimal digits only, no sign, at most `max`. */
bool parse_uint(const char *text, uint64_t max, uint64_t *out);
/* Duration 250ms, 10s, 2m, 1h, 1d; a bare 0 too. Milliseconds, at most 2^32 - 1 (49 days). */
bool parse_duration(const char *text, uint32_t *ms);
/* Size 64K, 512M, 2G, 1T (powers of 1024), or bytes. */
bool parse_size(const char *text, uint64_t *bytes);
/* yes no true false on off 1 0, any case. */
bool parse_bool(const char *text, bool *out);
/* Octal file mode up to 0777, as umask takes it. */
bool parse_octal(const char *text, unsigned *out);

#define FORM_DURATION "a duration such as 250ms, 10s, 2m or 1h"
#define FORM_SIZE     "a size such as 64K, 512M or 2G"
#define FORM_BOOL     "yes or no"

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* How many lines the text has; the last one may lack its newline. */
uint32_t count_lines(const char *text, size_t len);

/*
 * Edit distance (Damerau-Levenshtein, adjacent swaps count 1) for "did you mean"; `limit` + 1 when
 * it is more than `limit`.
 */
unsigned str_distance(const char *a, const char *b, unsigned limit);

/*
 * Writes a duration for people: "250ms", "1.20s", "2m05s". Returns buffer. 24 bytes are enough.
 */
char *format_duration(char *buffer, size_t size, uint64_t ns);

/* Writes bytes as parse_size reads them, with the largest unit that is exact: "64M". Returns
 * buffer. 24 bytes are enough. */
char *format_size(char *buffer, size_t size, uint64_t bytes);

/*
 * Writes CLOCK_REALTIME nanoseconds as RFC 3339 in UTC, "2026-11-21T12:40:56.123Z". Returns buffer,
 * which takes at least 32 bytes. gmtime_r(3) would read files and allocate on its first call, which
 * PID 1 must not.
 */
char *format_time(char *buffer, size_t size, uint64_t ns);

#endif
