/* SPDX-License-Identifier: MIT */
#include "str.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "clock.h"

bool parse_uint(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t value = 0;
	const char *p;

	for (p = text; *p >= '0' && *p <= '9'; p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (p == text || *p != '\0' || value > max)
		return false;
	*out = value;
	return true;
}

struct unit {
	char name[3];
	uint64_t factor;
};

/* A number and one of the units behind it; value times factor is at most `max`. */
static bool parse_scaled(const char *text, const struct unit *units, size_t count, uint64_t max,
			 uint64_t *out)
{
	size_t digits = strspn(text, "0123456789");
	char number[24];
	uint64_t value;
	size_t i;

	if (digits == 0 || digits >= sizeof(number))
		return false;
	memcpy(number, text, digits);
	number[digits] = '\0';
	if (!parse_uint(number, UINT64_MAX, &value))
		return false;
	for (i = 0; i < count; i++)
		if (strcmp(text + digits, units[i].name) == 0)
			break;
	if (i == count || value > max / units[i].factor)
		return false;
	*out = value * units[i].factor;
	return true;
}

bool parse_duration(const char *text, uint32_t *ms)
{
	static const struct unit units[] = {
		{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
	};
	uint64_t value = 0;

	if (strcmp(text, "0") != 0 &&
	    !parse_scaled(text, units, sizeof(units) / sizeof(units[0]), UINT32_MAX, &value))
		return false;
	*ms = (uint32_t)value;
	return true;
}

bool parse_size(const char *text, uint64_t *bytes)
{
	static const struct unit units[] = {
		{"", 1},
		{"K", UINT64_C(1) << 10},
		{"M", UINT64_C(1) << 20},
		{"G", UINT64_C(1) << 30},
		{"T", UINT64_C(1) << 40},
		{"k", UINT64_C(1) << 10},
		{"m", UINT64_C(1) << 20},
		{"g", UINT64_C(1) << 30},
		{"t", UINT64_C(1) << 40},
	};

	return parse_scaled(text, units, sizeof(units) / sizeof(units[0]), UINT64_MAX, bytes);
}

bool parse_bool(const char *text, bool *out)
{
	static const char words[][6] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2 == 1;
			return true;
		}
	}
	return false;
}

bool parse_octal(const char *text, unsigned *out)
{
	size_t digits = strspn(text, "01234567");
	unsigned value = 0;
	size_t i;

	if (digits == 0 || digits > 4 || text[digits] != '\0')
		return false;
	for (i = 0; i < digits; i++)
		value = value * 8 + (unsigned)(text[i] - '0');
	if (value > 0777)
		return false;
	*out = value;
	return true;
}

/* Longer words are not compared: no name in a configuration is that long. */
#define DISTANCE_MAX 128

static unsigned min2(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Fills row i + 1 of the table from the two rows above it; returns its smallest entry. */
static unsigned distance_row(const char *a, size_t i, const char *b, size_t len,
			     unsigned (*rows)[DISTANCE_MAX + 1])
{
	const unsigned *above = rows[i % 3], *twice = rows[(i + 2) % 3];
	unsigned *row = rows[(i + 1) % 3];
	unsigned least = row[0] = (unsigned)i + 1;
	size_t j;

	for (j = 0; j < len; j++) {
		unsigned cost = above[j] + (a[i] != b[j]);

		cost = min2(cost, min2(above[j + 1], row[j]) + 1);
		if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
			cost = min2(cost, twice[j - 1] + 1);
		row[j + 1] = cost;
		least = min2(least, cost);
	}
	return least;
}

unsigned str_distance(const char *a, const char *b, unsigned limit)
{
	size_t len_a = strnlen(a, DISTANCE_MAX + 1), len_b = strnlen(b, DISTANCE_MAX + 1);
	size_t gap = len_a > len_b ? len_a - len_b : len_b - len_a;
	unsigned rows[3][DISTANCE_MAX + 1];
	size_t i;

	if (len_a > DISTANCE_MAX || len_b > DISTANCE_MAX || gap > limit)
		return limit + 1;
	for (i = 0; i <= len_b; i++)
		rows[0][i] = (unsigned)i;
	for (i = 0; i < len_a; i++)
		if (distance_row(a, i, b, len_b, rows) > limit)
			return limit + 1;
	return min2(rows[len_a % 3][len_b], limit + 1);
}

char *format_duration(char *buffer, size_t size, uint64_t ns)
{
	unsigned long long s = ns / NSEC_PER_SEC;
	unsigned ms = (unsigned)(ns % NSEC_PER_SEC / NSEC_PER_MSEC);

	if (s == 0)
		snprintf(buffer, size, "%ums", ms);
	else if (s < 60)
		snprintf(buffer, size, "%llu.%02us", s, ms / 10);
	else if (s < 3600)
		snprintf(buffer, size, "%llum%02us", s / 60, (unsigned)(s % 60));
	else if (s < 86400)
		snprintf(buffer, size, "%lluh%02um", s / 3600, (unsigned)(s % 3600 / 60));
	else
		snprintf(buffer, size, "%llud%02uh", s / 86400, (unsigned)(s % 86400 / 3600));
	return buffer;
}

/* Days since 1970-01-01 to a date of the proleptic Gregorian calendar: years are counted from
 * March, so that the leap day is the last of its year, in eras of 400 years or 146,097 days. */
static void civil_from_days(uint64_t days, unsigned *year, unsigned *month, unsigned *day)
{
	uint64_t shifted = days + 719468; /* from 0000-03-01 */
	uint64_t era = shifted / 146097;
	unsigned of_era = (unsigned)(shifted % 146097);
	unsigned of_era_year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	unsigned of_year = of_era - (365 * of_era_year + of_era_year / 4 - of_era_year / 100);
	unsigned from_march = (5 * of_year + 2) / 153;

	*day = of_year - (153 * from_march + 2) / 5 + 1;
	*month = from_march < 10 ? from_march + 3 : from_march - 9;
	*year = (unsigned)(era * 400) + of_era_year + (*month <= 2);
}

char *format_size(char *buffer, size_t size, uint64_t bytes)
{
	static const char units[] = "KMGT";
	size_t unit = 0;

	while (bytes && bytes % 1024 == 0 && unit < sizeof(units) - 1) {
		bytes /= 1024;
		unit++;
	}
	snprintf(buffer, size, "%llu%.*s", (unsigned long long)bytes, unit > 0,
		 unit ? &units[unit - 1] : "");
	return buffer;
}

char *format_time(char *buffer, size_t size, uint64_t ns)
{
	uint64_t seconds = ns / UINT64_C(1000000000);
	unsigned of_day = (unsigned)(seconds % 86400);
	unsigned year, month, day;

	civil_from_days(seconds / 86400, &year, &month, &day);
	snprintf(buffer, size, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
		 of_day / 3600, of_day / 60 % 60, of_day % 60, (unsigned)(ns / 1000000 % 1000));
	return buffer;
}

uint32_t count_lines(const char *text, size_t len)
{
	const char *end = text + len;
	uint32_t lines = 0;

	for (const char *at = text; at < end && (at = memchr(at, '\n', (size_t)(end - at))); at++)
		lines++;
	return lines + (len && end[-1] != '\n');
}
