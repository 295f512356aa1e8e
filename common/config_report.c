/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "endpoint.h"
#include "str.h"
#include "table.h"
#include "utf8.h"

/* ---- memory ---- */

void *load_check(struct load *load, void *memory)
{
	if (!memory)
		longjmp(load->no_memory, 1);
	return memory;
}

void *load_alloc(struct load *load, size_t count, size_t size)
{
	return load_check(load, arena_array(load->scratch, count ? count : 1, size));
}

char *load_strndup(struct load *load, const char *text, size_t len)
{
	return load_check(load, arena_strndup(load->scratch, text, len));
}

char *load_format(struct load *load, const char *format, ...)
{
	va_list args, again;
	char *text;
	int len;

	va_start(args, format);
	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	text = load_alloc(load, (size_t)(len < 0 ? 0 : len) + 1, 1);
	vsnprintf(text, (size_t)(len < 0 ? 0 : len) + 1, format, again);
	va_end(again);
	return text;
}

void *load_grow(struct load *load, void *array, uint32_t count, uint32_t *room, size_t size)
{
	void *bigger;

	if (count < *room)
		return array;
	*room = *room ? *room * 2 : 16;
	bigger = load_alloc(load, *room, size);
	if (count)
		memcpy(bigger, array, count * size);
	return bigger;
}

const char *load_intern(struct load *load, const char *text)
{
	size_t len = strlen(text);
	struct table_entry *entry = load_check(load, table_add(load->strings, text, len));

	if (entry->value == TABLE_NEW) {
		entry->key = load_check(load, arena_strndup(load->arena, text, len));
		entry->value = 0;
		if (load->book && address_text_references(load->book, text)) {
			load_text(load, entry->key);
			entry->value = load->text_count;
		}
	}
	return entry->value ? load->texts[entry->value - 1].text : entry->key;
}

const void *load_intern_block(struct load *load, const void *bytes, size_t size)
{
	struct table_entry *entry = load_check(load, table_add(load->blocks, bytes, size));

	if (entry->value == TABLE_NEW) {
		void *copy = load_check(load, arena_alloc(load->arena, size));

		memcpy(copy, bytes, size);
		entry->key = copy;
		entry->value = 0;
	}
	return entry->key;
}

char *const *load_intern_list(struct load *load, char *const *words, size_t count)
{
	const char **list = load_alloc(load, count + 1, sizeof(*list));

	for (size_t i = 0; i < count; i++)
		list[i] = load_intern(load, words[i]);
	return load_intern_block(load, list, (count + 1) * sizeof(*list));
}

/* ---- texts ---- */

/* Length of the UTF-8 character at p, 0 when it is none or not for people to see. */
static size_t character(const char *text, size_t len)
{
	size_t need = utf8_length(text);

	return need > len || utf8_is_control(text) ? 0 : need;
}

/* Writes text with control characters escaped, as long as it fits; returns the length. */
static size_t escape(char *out, size_t size, const char *text, size_t len, bool *cut)
{
	size_t used = 0, step;

	for (size_t i = 0; i < len; i += step ? step : 1) {
		size_t need;
		char code[5];

		step = character(text + i, len - i);
		if (step == 0)
			snprintf(code, sizeof(code), "\\x%02x", (unsigned char)text[i]);
		if (step == 0 && text[i] == '\n')
			memcpy(code, "\\n", 3);
		if (step == 0 && text[i] == '\t')
			memcpy(code, "\\t", 3);
		need = step ? step : strlen(code);
		*cut = used + need >= size;
		if (*cut)
			break;
		memcpy(out + used, step ? text + i : code, need);
		used += need;
	}
	out[used] = '\0';
	return used;
}

const char *quote_n(char buffer[QUOTE_SIZE], const char *text, size_t len)
{
	bool cut = false;
	size_t used;

	buffer[0] = '"';
	used = 1 + escape(buffer + 1, 62, text, len, &cut);
	snprintf(buffer + used, QUOTE_SIZE - used, "%s", cut ? "...\"" : "\"");
	return buffer;
}

const char *quote(char buffer[QUOTE_SIZE], const char *text)
{
	char shown[256];

	if (strstr(text, "://"))
		text = url_mask(shown, sizeof(shown), text);
	return quote_n(buffer, text, strnlen(text, 256));
}

/* ---- problems ---- */

struct place {
	uint32_t file, line;
	const char *section;  /* header, or NULL */
	const char *key;      /* or NULL */
	const char *variable; /* or NULL */
};

static struct place place_of(const struct entry *entry, uint32_t line)
{
	return (struct place){entry->file, line, entry->section->header, entry->key->name,
			      entry->variable};
}

/* FILE:LINE: [section] key: */
static void write_place(const struct load *load, const struct place *place, char *out, size_t size)
{
	char line[16] = "";

	if (place->variable) {
		snprintf(out, size, "environment: %.200s: ", place->variable);
		return;
	}
	if (place->line)
		snprintf(line, sizeof(line), ":%u", place->line);
	snprintf(out, size, "%s%s: %s%s%s%s%s",
		 place->file == FILE_ENVIRONMENT ? "environment"
		 : place->file == FILE_PROGRAM   ? "command line"
						 : load->files[place->file],
		 line, place->section ? "[" : "", place->section ? place->section : "",
		 place->section ? "] " : "", place->key ? place->key : "", place->key ? ": " : "");
}

const char *report_place(struct load *load, const struct entry *entry, uint32_t line)
{
	struct place place = place_of(entry, line);
	char text[1024];
	size_t len;

	write_place(load, &place, text, sizeof(text));
	len = strlen(text);
	text[len > 2 ? len - 2 : len] = '\0'; /* the ": " at its end */
	return load_intern(load, text);
}

static bool comes_before(const struct problem_order *a, uint32_t file, uint32_t line)
{
	return a->file < file || (a->file == file && a->line <= line);
}

/* Finds room for a problem in a full or growing list; the index, or -1 when it comes too late. */
static int make_room(char **texts, struct problem_order *order, unsigned *kept, uint32_t file,
		     uint32_t line)
{
	unsigned i = *kept;

	if (i == CONFIG_ERRORS_MAX) {
		if (comes_before(&order[i - 1], file, line))
			return -1;
		free(texts[--i]);
	} else {
		++*kept;
	}
	for (; i > 0 && !comes_before(&order[i - 1], file, line); i--) {
		texts[i] = texts[i - 1];
		order[i] = order[i - 1];
	}
	order[i] = (struct problem_order){file, line};
	return (int)i;
}

#define MESSAGE_SIZE 1024

/* The whole line, made of the place and the message; malloc'ed. NULL: no memory. */
static char *write_problem(const struct load *load, const struct place *place, const char *format,
			   va_list args)
{
	char head[MESSAGE_SIZE], text[MESSAGE_SIZE], clean[2 * MESSAGE_SIZE];
	bool cut = false;
	size_t used;

	write_place(load, place, head, sizeof(head));
	vsnprintf(text, sizeof(text), format, args);
	used = escape(clean, sizeof(clean), head, strlen(head), &cut);
	/* a section is followed by its message without a colon when there is no key */
	escape(clean + used, sizeof(clean) - used, text, strlen(text), &cut);
	return strdup(clean);
}

/* What is wrong with one replica mostly is with all of them, and then said once. */
static bool said_of_another(const struct load *load, char *const *texts, unsigned count,
			    const char *text)
{
	for (unsigned i = 0; load->replica && i < count; i++)
		if (strcmp(texts[i], text) == 0)
			return true;
	return false;
}

static void add_error(struct load *load, const struct place *place, const char *format,
		      va_list args)
{
	struct config_errors *errors = load->errors;
	char *text;
	int at;

	errors->total++;
	if (!report_wanted(load, place->file, place->line))
		return;
	text = write_problem(load, place, format, args);
	load_check(load, text);
	if (said_of_another(load, errors->text, errors->kept, text)) {
		errors->total--;
		free(text);
		return;
	}
	at = make_room(errors->text, load->error_order, &errors->kept, place->file, place->line);
	errors->text[at] = text;
}

static void add_warning(struct load *load, const struct place *place, const char *format,
			va_list args)
{
	struct config_errors *errors = load->errors;
	char *text = load_check(load, write_problem(load, place, format, args));
	int at = -1;

	if (!said_of_another(load, errors->warning, errors->warnings, text))
		at = make_room(errors->warning, load->warning_order, &errors->warnings, place->file,
			       place->line);
	if (at < 0)
		free(text);
	else
		errors->warning[at] = text;
}

bool report_wanted(const struct load *load, uint32_t file, uint32_t line)
{
	return load->errors->kept < CONFIG_ERRORS_MAX ||
	       !comes_before(&load->error_order[CONFIG_ERRORS_MAX - 1], file, line);
}

void report_file(struct load *load, uint32_t file, uint32_t line, const char *format, ...)
{
	struct place place = {.file = file, .line = line};
	va_list args;

	va_start(args, format);
	add_error(load, &place, format, args);
	va_end(args);
}

void report_section(struct load *load, const struct section *section, const char *format, ...)
{
	struct place place = {section->file, section->line, section->header, NULL, NULL};
	va_list args;

	va_start(args, format);
	add_error(load, &place, format, args);
	va_end(args);
}

void report_entry(struct load *load, const struct entry *entry, const char *format, ...)
{
	struct place place = place_of(entry, entry->line);
	va_list args;

	va_start(args, format);
	add_error(load, &place, format, args);
	va_end(args);
}

void report_line(struct load *load, const struct entry *entry, uint32_t line, const char *format,
		 ...)
{
	struct place place = place_of(entry, line);
	va_list args;

	va_start(args, format);
	add_error(load, &place, format, args);
	va_end(args);
}

void warn_file(struct load *load, uint32_t file, uint32_t line, const char *format, ...)
{
	struct place place = {.file = file, .line = line};
	va_list args;

	va_start(args, format);
	add_warning(load, &place, format, args);
	va_end(args);
}

void warn_section(struct load *load, const struct section *section, const char *format, ...)
{
	struct place place = {section->file, section->line, section->header, NULL, NULL};
	va_list args;

	va_start(args, format);
	add_warning(load, &place, format, args);
	va_end(args);
}

void warn_line(struct load *load, const struct entry *entry, uint32_t line, const char *format, ...)
{
	struct place place = place_of(entry, line);
	va_list args;

	va_start(args, format);
	add_warning(load, &place, format, args);
	va_end(args);
}

/* ---- did you mean ---- */

struct suggestion suggest_begin(const char *word)
{
	size_t len = strnlen(word, CONFIG_NAME_MAX + 1);
	unsigned most = len / 3 > 2 ? (unsigned)len / 3 : 2;

	/* of very short words everything is a near miss */
	return (struct suggestion){.word = word, .distance = (len < 4 ? 1 : most) + 1};
}

void suggest_offer(struct suggestion *suggestion, const char *candidate)
{
	unsigned distance = str_distance(suggestion->word, candidate, suggestion->distance);

	if (distance >= suggestion->distance)
		return;
	suggestion->distance = distance;
	suggestion->best = candidate;
}

const char *suggest_text(const struct suggestion *suggestion, char buffer[SUGGEST_SIZE])
{
	char q[QUOTE_SIZE];

	buffer[0] = '\0';
	if (suggestion->best)
		snprintf(buffer, SUGGEST_SIZE, "; did you mean %s?", quote(q, suggestion->best));
	return buffer;
}
