/* SPDX-License-Identifier: MIT */
/*
 * Two texts that end in NUL: values as users write them. A duration or a size is taken when, read
 * in wider numbers, it is digits and a unit and in range, and is that number; what is written of a
 * size is read as the same; the distance of two words is that of the two turned around.
 */
#include "str.h"

#include <stdio.h>
#include <strings.h>

#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

__extension__ typedef unsigned __int128 wide;

#define TOO_WIDE ((wide)1 << 100)

/* The digits a text begins with; *rest is what stands behind them. */
static wide read_digits(const char *text, const char **rest)
{
	wide value = 0;

	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (value < TOO_WIDE)
			value = value * 10 + digit;
	}
	*rest = text;
	return value;
}

static void check_duration(const char *text)
{
	const char *rest;
	wide value = read_digits(text, &rest), factor = 0;
	uint32_t ms = 12345;
	bool taken = parse_duration(text, &ms);

	if (strcmp(rest, "ms") == 0)
		factor = 1;
	else if (*rest && !rest[1])
		factor = *rest == 's'   ? 1000
			 : *rest == 'm' ? 60 * 1000
			 : *rest == 'h' ? 3600 * 1000
			 : *rest == 'd' ? 24 * 3600 * 1000
					: 0;
	if (strcmp(text, "0") == 0)
		factor = 1;
	/* leading zeros beyond what any number needs may be refused */
	if (rest == text || !factor || value * factor > UINT32_MAX) {
		if (taken || ms != 12345)
			abort();
	} else if (rest - text < 20 && (!taken || ms != value * factor)) {
		abort();
	}
}

static void check_size(const char *text)
{
	static const char units[] = "kmgt";
	const char *rest, *unit;
	wide value = read_digits(text, &rest), factor = 0;
	uint64_t bytes = 12345, again;
	bool taken = parse_size(text, &bytes);
	char written[24];

	unit = *rest ? strchr(units, *rest | 32) : NULL;
	if (!*rest)
		factor = 1;
	else if (unit && !rest[1])
		factor = (wide)1 << 10 * (unit - units + 1);
	if (rest == text || !factor || value * factor > UINT64_MAX) {
		if (taken || bytes != 12345)
			abort();
		return;
	}
	if (rest - text < 20 && (!taken || bytes != value * factor))
		abort();
	if (!taken)
		return;
	format_size(written, sizeof(written), bytes);
	if (!parse_size(written, &again) || again != bytes)
		abort();
	if (strlen(format_duration(written, sizeof(written), bytes)) + 1 >= sizeof(written))
		abort();
	if (strlen(format_time((char[32]){0}, 32, bytes)) != strlen("2026-11-21T12:40:56.123Z"))
		abort();
}

static void check_others(const char *text)
{
	unsigned mode = 0;
	uint64_t number;
	const char *rest;
	wide value = read_digits(text, &rest);
	bool truth;

	if (parse_uint(text, UINT64_MAX, &number) !=
		    (rest > text && !*rest && value <= UINT64_MAX) ||
	    (rest > text && !*rest && value <= UINT64_MAX && number != value))
		abort();
	if (parse_octal(text, &mode) && (mode > 0777 || mode != strtoul(text, NULL, 8)))
		abort();
	if (parse_bool(text, &truth) &&
	    truth != (strchr("yYtT1", *text) || !strcasecmp(text, "on")))
		abort();
}

static void check_distance(const char *a, const char *b)
{
	unsigned there = str_distance(a, b, 5);

	if (there != str_distance(b, a, 5) || there > 6)
		abort();
	if (strlen(a) <= 128 && (there == 0) != (strcmp(a, b) == 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	char *first = take_text(&take), *second = take_text(&take);

	check_duration(first);
	check_size(first);
	check_others(first);
	check_distance(first, second);
	free(first);
	free(second);
	return 0;
}
