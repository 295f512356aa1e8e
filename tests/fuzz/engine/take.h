/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_TAKE_H
#define FUZZ_TAKE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Input that is taken piece by piece. What is behind its end is zero, or empty. */
struct take {
	const uint8_t *at, *end;
};

static inline size_t take_left(const struct take *take)
{
	return (size_t)(take->end - take->at);
}

static inline uint8_t take_byte(struct take *take)
{
	return take->at < take->end ? *take->at++ : 0;
}

/* Fills `out`, which is `size` bytes. */
static inline void take_bytes(struct take *take, void *out, size_t size)
{
	size_t len = take_left(take) < size ? take_left(take) : size;

	memset(out, 0, size);
	if (len)
		memcpy(out, take->at, len);
	take->at += len;
}

/* Up to the next NUL or the end, as a text of its own size, to be freed by the caller. */
static inline char *take_text(struct take *take)
{
	const uint8_t *nul = take_left(take) ? memchr(take->at, '\0', take_left(take)) : NULL;
	size_t len = nul ? (size_t)(nul - take->at) : take_left(take);
	char *text = malloc(len + 1);

	if (!text)
		abort();
	if (len)
		memcpy(text, take->at, len);
	text[len] = '\0';
	take->at += len + (nul != NULL);
	return text;
}

#endif
