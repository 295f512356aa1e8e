/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <stdio.h>
#include <string.h>

#include "table.h"

const struct address_entry *address_find(const struct address_book *book, const char *name)
{
	const struct table_entry *found = table_find(book->index, name, strlen(name));

	return found ? &book->entries[found->value] : NULL;
}

bool address_host_valid(const char *host, size_t size)
{
	size_t len = strnlen(host, size);

	return len < size &&
	       strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			    "-._:%") == len;
}

/* ---- texts that mention addresses ---- */

char *address_reference(char buffer[ADDRESS_REFERENCE], enum address_part part, uint32_t index)
{
	snprintf(buffer, ADDRESS_REFERENCE, ADDRESS_MARK "%c%04x", (int)part, index & 0xffff);
	return buffer;
}

/* Reads the reference at `text`: its length, or 0 when it is none of this book's. */
static size_t read_reference(const struct address_book *book, const char *text,
			     enum address_part *part, uint32_t *index)
{
	static const char digits[] = "0123456789abcdef";

	if (strncmp(text, ADDRESS_MARK, 2) != 0 || !text[2] || !strchr("ahbp", text[2]))
		return 0;
	*part = (enum address_part)text[2];
	*index = 0;
	for (int i = 3; i < 7; i++) {
		const char *digit = text[i] ? strchr(digits, text[i]) : NULL;

		if (!digit)
			return 0;
		*index = *index << 4 | (uint32_t)(digit - digits);
	}
	return *index < book->count && book->entries[*index].now ? ADDRESS_REFERENCE - 1 : 0;
}

size_t address_text_references(const struct address_book *book, const char *template)
{
	enum address_part part;
	uint32_t index;
	size_t count = 0, len;

	while ((template = strstr(template, ADDRESS_MARK))) {
		len = read_reference(book, template, &part, &index);
		count += len > 0;
		template += len ? len : 1;
	}
	return count;
}

static int put_part(const struct address_now *now, enum address_part part, char *out, size_t size)
{
	char whole[ENDPOINT_SIZE];
	bool brackets = part == PART_BRACKETED && strchr(now->host, ':');

	switch (part) {
	case PART_WHOLE:
		return snprintf(out, size, "%s", endpoint_format(whole, now->host, now->port));
	case PART_PORT:
		return snprintf(out, size, "%u", now->port);
	case PART_HOST:
	case PART_BRACKETED:
		break;
	}
	return snprintf(out, size, "%s%s%s", brackets ? "[" : "", now->host, brackets ? "]" : "");
}

bool address_text_fill(const struct address_book *book, const char *template, char *out,
		       size_t size)
{
	size_t used = 0, len;
	enum address_part part;
	uint32_t index;

	while (*template && used + 1 < size) {
		len = read_reference(book, template, &part, &index);
		if (!len) {
			out[used++] = *template ++;
			continue;
		}
		used += (size_t)put_part(book->entries[index].now, part, out + used, size - used);
		template += len;
	}
	if (used >= size)
		used = size - 1;
	out[used] = '\0';
	return !*template;
}

static bool mentions(const struct address_book *book, const char *template, uint32_t wanted)
{
	enum address_part part;
	uint32_t index;

	while ((template = strstr(template, ADDRESS_MARK))) {
		if (read_reference(book, template, &part, &index) && index == wanted)
			return true;
		template ++;
	}
	return false;
}

/* ---- what is in force ---- */

bool address_choose(const struct address_book *book, uint32_t index, uint32_t candidate,
		    const char *host, uint16_t port)
{
	const struct address_entry *address = &book->entries[index];
	struct address_now *now = address->now;

	if (!host || !*host) {
		host = address->candidates[candidate].host;
		port = address->candidates[candidate].port;
	}
	now->candidate = (uint16_t)candidate;
	if (strcmp(now->host, host) == 0 && now->port == port)
		return false;
	snprintf(now->host, sizeof(now->host), "%s", host);
	snprintf(now->number, sizeof(now->number), "%.47s", endpoint_is_number(host) ? host : "");
	now->port = port;
	for (uint32_t i = 0; i < book->text_count; i++) {
		struct address_text *text = &book->texts[i];
		size_t room = strlen(text->template) + 1 +
			      ENDPOINT_SIZE * address_text_references(book, text->template);

		if (mentions(book, text->template, index))
			address_text_fill(book, text->template, text->text, room);
	}
	return true;
}

static bool same_candidate(const struct address_candidate *a, const struct address_candidate *b)
{
	return strcmp(a->host, b->host) == 0 && a->port == b->port && !a->srv == !b->srv &&
	       (!a->srv || strcmp(a->srv, b->srv) == 0);
}

void address_adopt(const struct address_book *book, const struct address_book *old)
{
	for (uint32_t i = 0; i < book->count; i++) {
		const struct address_entry *address = &book->entries[i];
		const struct address_entry *before = address_find(old, address->name);
		const struct address_candidate *chosen;

		if (!before || !before->count)
			continue;
		chosen = &before->candidates[before->now->candidate];
		for (uint32_t n = 0; n < address->count; n++) {
			if (!same_candidate(&address->candidates[n], chosen))
				continue;
			address_choose(book, i, n, before->now->host, before->now->port);
			memcpy(address->now->number, before->now->number,
			       sizeof(before->now->number));
			break;
		}
	}
}
