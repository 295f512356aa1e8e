/* SPDX-License-Identifier: MIT */
#include "filter_compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "arena.h"
#include "seccomp_profile.h"

struct compiling {
	struct filter_exchange *exchange;
	const char *path;
};

__attribute__((format(printf, 3, 4))) static void add_line(const struct compiling *c, char kind,
							   const char *format, ...)
{
	struct filter_exchange *e = c->exchange;
	size_t room = sizeof(e->text) - e->text_len;
	va_list args;
	int len;

	if (kind == 'E')
		e->failed = true;
	if (room < 8)
		return;
	e->text[e->text_len] = kind;
	va_start(args, format);
	len = vsnprintf(e->text + e->text_len + 1, room - 2, format, args);
	va_end(args);
	if (len < 0)
		return;
	e->text_len += 1 + ((size_t)len < room - 2 ? (uint32_t)len : (uint32_t)room - 3);
	e->text[e->text_len++] = '\n';
}

static void tell_problem(void *user, uint32_t line, uint32_t column, const char *text)
{
	const struct compiling *c = user;

	if (line)
		add_line(c, 'E', "%s:%u:%u: %s", c->path, line, column, text);
	else
		add_line(c, 'E', "%s: %s", c->path, text);
}

static void tell_note(void *user, uint32_t line, uint32_t column, const char *text)
{
	const struct compiling *c = user;

	add_line(c, 'D', "%s:%u:%u: %s", c->path, line, column, text);
}

static void tell_unknown(const char *name, void *user)
{
	const struct compiling *c = user;

	add_line(c, 'D', "%s: the system call \"%.60s\" is not known here: passed over", c->path,
		 name);
}

static uint16_t kernel_version(void)
{
	unsigned long version = 0, revision = 0;
	struct utsname name;
	char *end;

	if (uname(&name) == 0) {
		version = strtoul(name.release, &end, 10);
		revision = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;
	}
	return SECCOMP_KERNEL(version < 255 ? version : 255, revision < 255 ? revision : 255);
}

/* Appends the program; its length is 0 when it failed. */
static uint32_t compile(struct compiling *c, const struct seccomp_profile *profile,
			const struct filter *filter)
{
	const struct seccomp_host host = {filter->capabilities, kernel_version()};
	struct filter_exchange *e = c->exchange;
	char error[256] = "";
	unsigned count;

	if (e->used > FILTERS_CODE_MAX - FILTER_MAX) {
		add_line(c, 'E', "%s: too many different filters", c->path);
		return 0;
	}
	count = filter_profile(profile, &host, filter->config.audit, tell_unknown, c,
			       e->code + e->used, error, sizeof(error));
	if (!count)
		add_line(c, 'E', "%s: %s", c->path, error);
	e->used += count;
	return count;
}

/* The profile of an earlier one with the same path, or a new one; NULL: problems were told. */
static const struct seccomp_profile *read_profile(struct compiling *c, struct arena *arena,
						  const struct filter *list, uint32_t index,
						  const struct seccomp_profile **read)
{
	const struct seccomp_report report = {c, tell_problem, tell_note};

	c->path = list[index].config.path;
	for (uint32_t i = 0; i < index; i++)
		if (filter_is_profile(&list[i]) && strcmp(c->path, list[i].config.path) == 0)
			return read[i];
	return seccomp_profile_read(arena, c->path, &report);
}

void filter_compile_all(struct filter_exchange *e, const struct filter *list, uint32_t count)
{
	struct compiling c = {.exchange = e};
	struct arena *arena = arena_create();
	const struct seccomp_profile **read =
		arena ? arena_array(arena, count, sizeof(const struct seccomp_profile *)) : NULL;

	for (uint32_t i = 0; read && i < count; i++) {
		if (!filter_is_profile(&list[i]))
			continue;
		read[i] = read_profile(&c, arena, list, i, read);
		if (read[i])
			e->length[i] = compile(&c, read[i], &list[i]);
	}
	e->done = read != NULL;
}
