/* SPDX-License-Identifier: MIT */
#include "pressure.h"

#include <string.h>

#include "counters.h"

static const char names[PRESSURE_COUNT][8] = {
	[PRESSURE_CPU] = "cpu",
	[PRESSURE_MEMORY] = "memory",
	[PRESSURE_IO] = "io",
};

const char *pressure_name(unsigned resource)
{
	return resource < PRESSURE_COUNT ? names[resource] : "?";
}

static bool take_word(const char **text, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*text, word, len) != 0)
		return false;
	*text += len;
	return true;
}

/* A percentage with two digits behind the point, "12.34 ", as a ratio. No locale is asked. */
static bool take_share(const char **text, const char *word, double *ratio)
{
	unsigned hundredths = 0, digits = 0;

	if (!take_word(text, word))
		return false;
	for (; **text >= '0' && **text <= '9' && digits < 5; (*text)++, digits++)
		hundredths = hundredths * 10 + (unsigned)(**text - '0');
	if (!digits || *(*text)++ != '.')
		return false;
	for (digits = 0; **text >= '0' && **text <= '9' && digits < 2; (*text)++, digits++)
		hundredths = hundredths * 10 + (unsigned)(**text - '0');
	*ratio = hundredths / 10000.0;
	return digits == 2 && *(*text)++ == ' ';
}

/* "avg10=0.12 avg60=0.34 avg300=0.56 total=789" */
static void parse_share(struct pressure_share *share, const char *text)
{
	share->known = take_share(&text, "avg10=", &share->avg10) &&
		       take_share(&text, "avg60=", &share->avg60) &&
		       take_share(&text, "avg300=", &share->avg300) && take_word(&text, "total=");
	if (!share->known)
		return;
	share->total = counters_scale(counters_number(text), 1000);
	share->known = share->total != COUNTER_UNKNOWN;
}

void pressure_parse(struct pressure *pressure, const char *text)
{
	*pressure = (struct pressure){0};
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (take_word(&line, "some "))
			parse_share(&pressure->some, line);
		else if (take_word(&line, "full "))
			parse_share(&pressure->full, line);
	}
}
