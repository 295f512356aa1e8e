/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mem.h"

#define FIRST_SIZE 4096

static void reserve(struct text *text, size_t more)
{
	size_t size = text->size ? text->size : FIRST_SIZE;

	if (text->len + more < text->size)
		return;
	while (size <= text->len + more)
		size *= 2;
	text->data = mem_resize(text->data, size, 1);
	text->size = size;
}

void text_put_bytes(struct text *text, const char *bytes, size_t len)
{
	reserve(text, len + 1);
	memcpy(text->data + text->len, bytes, len);
	text->len += len;
	text->data[text->len] = '\0';
}

void text_put(struct text *text, const char *string)
{
	text_put_bytes(text, string, strlen(string));
}

void text_add(struct text *text, const char *format, ...)
{
	va_list args, again;
	int len;

	va_start(args, format);
	va_copy(again, args);
	reserve(text, 128);
	len = vsnprintf(text->data + text->len, text->size - text->len, format, args);
	if (len > 0 && (size_t)len >= text->size - text->len) {
		reserve(text, (size_t)len + 1);
		len = vsnprintf(text->data + text->len, text->size - text->len, format, again);
	}
	if (len > 0)
		text->len += (size_t)len;
	va_end(again);
	va_end(args);
}

static const char *html_name(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void text_put_html(struct text *text, const char *string)
{
	for (; *string; string++) {
		const char *name = html_name(*string);

		if (name)
			text_put(text, name);
		else
			text_put_bytes(text, string, 1);
	}
}
