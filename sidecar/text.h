/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_TEXT_H
#define SIDECAR_TEXT_H

#include <stddef.h>

/*
 * A text that grows: what a handler writes its answer into. Starts as zeroes; `data` is
 * NUL-terminated once something was added, and freed by the owner with free(3).
 */
struct text {
	char *data;
	size_t len;
	size_t size;
};

void text_add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void text_put(struct text *text, const char *string);
void text_put_bytes(struct text *text, const char *bytes, size_t len);
/* With & < > " ' written as HTML wants them. */
void text_put_html(struct text *text, const char *string);

#endif
