/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_PRINTED_H
#define FUZZ_PRINTED_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a verb of musterctl prints, in memory. */
struct printed {
	FILE *out, *err; /* the real ones */
	char *text, *said;
	size_t size, said_size;
};

static inline void printed_begin(struct printed *printed)
{
	*printed = (struct printed){.out = stdout, .err = stderr};
	stdout = open_memstream(&printed->text, &printed->size);
	stderr = open_memstream(&printed->said, &printed->said_size);
	if (!stdout || !stderr)
		abort();
}

static inline void printed_end(struct printed *printed)
{
	fclose(stdout);
	fclose(stderr);
	stdout = printed->out;
	stderr = printed->err;
}

static inline void printed_free(struct printed *printed)
{
	free(printed->text);
	free(printed->said);
}

/* For log_set_sink: what is said is of no account. */
static inline void printed_pass_over(const char *line, size_t len)
{
	(void)line;
	(void)len;
}

/* Whether a terminal shows it as it is: lines, without control characters, of 8 bits neither. */
static inline bool printed_is_harmless(const struct printed *printed)
{
	const unsigned char *at = (const unsigned char *)printed->text;

	if (strlen(printed->text) != printed->size)
		return false;
	for (; *at; at++)
		if ((*at < ' ' && *at != '\n') || *at == 0x7f || (*at == 0xc2 && at[1] < 0xa0))
			return false;
	return true;
}

#endif
