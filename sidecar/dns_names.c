/* SPDX-License-Identifier: MIT */
#include "dns_names.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "mem.h"

#define TCP_LABEL "_tcp."

struct entry {
	char name[64];
	uint32_t index;
};

struct dns_names {
	const char *zone;
	size_t zone_len;
	struct entry *list; /* sorted */
	uint32_t count;
};

static void lower(char *out, size_t size, const char *text)
{
	size_t i;

	for (i = 0; text[i] && i + 1 < size; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
	out[i] = '\0';
}

static int by_name(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct dns_names *dns_names_create(const char *zone)
{
	struct dns_names *names = mem_alloc(sizeof(*names));
	char *copy = mem_strdup(zone);

	lower(copy, strlen(copy) + 1, zone);
	names->zone = copy;
	names->zone_len = strlen(copy);
	return names;
}

void dns_names_set(struct dns_names *names, const struct address_book *book)
{
	free(names->list);
	names->list = mem_alloc(book->count * sizeof(*names->list));
	names->count = book->count;
	for (uint32_t i = 0; i < book->count; i++) {
		lower(names->list[i].name, sizeof(names->list[i].name), book->entries[i].name);
		names->list[i].index = i;
	}
	qsort(names->list, names->count, sizeof(*names->list), by_name);
}

void dns_names_destroy(struct dns_names *names)
{
	free(names->list);
	free((char *)(uintptr_t)names->zone);
	free(names);
}

static bool find(const struct dns_names *names, const char *text, size_t len, uint32_t *index)
{
	const struct entry *found;
	struct entry key = {.index = 0};

	if (len >= sizeof(key.name))
		return false;
	memcpy(key.name, text, len);
	key.name[len] = '\0';
	found = bsearch(&key, names->list, names->count, sizeof(key), by_name);
	if (found)
		*index = found->index;
	return found != NULL;
}

/* Whether an address's name ends in a dot and this text. */
static bool has_below(const struct dns_names *names, const char *text, size_t len)
{
	for (uint32_t i = 0; i < names->count; i++) {
		size_t whole = strlen(names->list[i].name);

		if (whole > len && names->list[i].name[whole - len - 1] == '.' &&
		    memcmp(names->list[i].name + whole - len, text, len) == 0)
			return true;
	}
	return false;
}

/* Takes _service._tcp. off the front. Returns how much that is: 0, none; 5, only _tcp. */
static size_t take_service(const char *text, size_t len, char service[64])
{
	const char *dot;
	size_t label;

	if (len > strlen(TCP_LABEL) && strncmp(text, TCP_LABEL, strlen(TCP_LABEL)) == 0)
		return strlen(TCP_LABEL);
	dot = len && text[0] == '_' ? memchr(text, '.', len) : NULL;
	if (!dot || strncmp(dot + 1, TCP_LABEL, strlen(TCP_LABEL)) != 0)
		return 0;
	label = (size_t)(dot - text) - 1;
	if (label >= 64 || label + 2 + strlen(TCP_LABEL) >= len)
		return 0;
	memcpy(service, text + 1, label);
	service[label] = '\0';
	return label + 2 + strlen(TCP_LABEL);
}

/* Where the zone begins; len: the text is not in it. */
static size_t zone_at(const struct dns_names *names, const char *text, size_t len)
{
	size_t at = len - names->zone_len;

	if (len < names->zone_len || memcmp(text + at, names->zone, names->zone_len) != 0)
		return len;
	return at == 0 || text[at - 1] == '.' ? at : len;
}

/* A name of the zone that is no address. */
static enum dns_meaning other_meaning(const struct dns_names *names, const char *text, size_t len)
{
	return len == 0 || has_below(names, text, len) ? NAME_EMPTY : NAME_MISSING;
}

void dns_names_match(const struct dns_names *names, const char *text, size_t len,
		     struct dns_match *out)
{
	size_t zone = zone_at(names, text, len);
	bool inside = zone < len;
	size_t base_len = inside ? (zone ? zone - 1 : 0) : len; /* without .ZONE */
	size_t front;

	*out = (struct dns_match){.apex = zone};
	if (find(names, text, len, &out->index)) { /* an address may have the zone's name */
		out->meaning = NAME_ADDRESS;
		out->apex = 0;
		return;
	}
	front = take_service(text, base_len, out->service);
	out->name = front;
	if (find(names, text + front, base_len - front, &out->index)) {
		out->meaning = out->service[0] ? NAME_SERVICE : front ? NAME_EMPTY : NAME_ADDRESS;
		out->apex = inside ? zone : front;
		return;
	}
	out->meaning = inside ? other_meaning(names, text, base_len) : NAME_FOREIGN;
}
