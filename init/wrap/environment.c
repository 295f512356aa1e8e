/* SPDX-License-Identifier: MIT */
#include "environment.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "arena.h"
#include "env_line.h"
#include "reader.h"
#include "table.h"

#define ENV_FILE_MAX ((size_t)1 << 20)
#define SECRET_MAX   ((size_t)64 << 10)
#define FILE_SUFFIX  "_FILE"

struct builder {
	struct arena *arena;
	struct table *names; /* name -> place in list */
	char **list;
	uint32_t count, room;
	char *error;
	size_t error_size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct builder *b,
							 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(b->error, b->error_size, format, args);
	va_end(args);
	return false;
}

static bool no_memory(const struct builder *b)
{
	return refuse(b, "no memory for the environment");
}

/* ---- the list ---- */

static bool grow(struct builder *b)
{
	uint32_t room = b->room ? b->room * 2 : 256;
	char **list = arena_array(b->arena, room, sizeof(*list));

	if (!list)
		return no_memory(b);
	if (b->count > 0)
		memcpy(list, b->list, b->count * sizeof(*list));
	b->list = list;
	b->room = room;
	return true;
}

/* Adds NAME=value, in the place of an older one. The text must stay. */
static bool put(struct builder *b, char *text)
{
	struct table_entry *entry = table_add(b->names, text, strcspn(text, "="));

	if (!entry)
		return no_memory(b);
	if (entry->value != TABLE_NEW) {
		b->list[entry->value] = text;
		return true;
	}
	/* one more stays free for the NULL at the end */
	if (b->count + 1 >= b->room && !grow(b))
		return false;
	entry->value = b->count;
	b->list[b->count++] = text;
	return true;
}

static bool put_pair(struct builder *b, const char *name, size_t name_len, const char *value)
{
	size_t value_len = strlen(value);
	char *text = arena_alloc(b->arena, name_len + value_len + 2);

	if (!text)
		return no_memory(b);
	memcpy(text, name, name_len);
	text[name_len] = '=';
	memcpy(text + name_len + 1, value, value_len + 1);
	return put(b, text);
}

static const char *find(const struct builder *b, const char *name, size_t len)
{
	const struct table_entry *entry = table_find(b->names, name, len);

	return entry ? b->list[entry->value] + len + 1 : NULL;
}

/* ---- files ---- */

static bool read_text(const struct builder *b, const char *path, size_t limit,
		      struct reader_text *text)
{
	char why[128];

	if (!reader_load(b->arena, path, limit, text, why, sizeof(why)))
		return refuse(b, "%s: %s", path, why);
	if (memchr(text->bytes, '\0', text->size))
		return refuse(b, "%s: has a NUL byte, which no variable can hold", path);
	return true;
}

static bool take_env_file(struct builder *b, const char *path)
{
	struct reader_text text;
	char *at, *line;

	if (!read_text(b, path, ENV_FILE_MAX, &text))
		return false;
	at = env_text_begin(text.bytes);
	for (unsigned number = 1; (line = env_text_line(&at)); number++) {
		char *name, *value;
		const char *problem = env_line_parse(line, &name, &value);

		if (problem)
			return refuse(b, "%s:%u: %s", path, number, problem);
		if (name && !put_pair(b, name, strlen(name), value))
			return false;
	}
	return true;
}

/* The value without the line break that editors and echo leave at the end. */
static bool take_secret_file(struct builder *b, const char *path, const char *name, size_t name_len)
{
	struct reader_text text;

	if (!read_text(b, path, SECRET_MAX, &text))
		return false;
	while (text.size > 0 && strchr("\r\n", text.bytes[text.size - 1]))
		text.bytes[--text.size] = '\0';
	return put_pair(b, name, name_len, text.bytes);
}

/* ---- secrets ---- */

/* The variable that a file of a directory gives: its name, - and . made _. NULL: refused. */
static char *member_name(struct builder *b, struct table *seen, const char *path, const char *file)
{
	size_t len = strlen(file);
	char *name = arena_strndup(b->arena, file, len);
	struct table_entry *entry;
	const char *problem;

	for (char *c = name; c && *c; c++)
		if (*c == '-' || *c == '.')
			*c = '_';
	entry = name ? table_add(seen, name, len) : NULL;
	if (!entry) {
		no_memory(b);
		return NULL;
	}
	problem = env_name_problem(name, len);
	if (!problem && entry->value != TABLE_NEW)
		problem = "another file gives the same variable";
	entry->value = 0;
	if (problem)
		refuse(b, "%s: %s", path, problem);
	return problem ? NULL : name;
}

/* What is no regular file (..data of Kubernetes) is passed over. */
static bool take_member(struct builder *b, struct table *seen, const char *dir, const char *file)
{
	char path[4096];
	struct stat st;
	char *name;

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, file) >= sizeof(path))
		return refuse(b, "%s: the path is too long", dir);
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
		return true;
	name = member_name(b, seen, path, file);
	return name && take_secret_file(b, path, name, strlen(name));
}

static bool take_directory(struct builder *b, const char *path)
{
	struct dirent **entries;
	struct table *seen = table_create(b->arena);
	int count = seen ? scandir(path, &entries, NULL, alphasort) : -1;
	bool good = true;

	if (!seen)
		return no_memory(b);
	if (count < 0)
		return refuse(b, "%s: %s", path,
			      errno == ENOTDIR
				      ? "not a directory; one file is written NAME_FILE=/path"
				      : strerror(errno));
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.') /* hidden, such as .gitignore: no variable */
			good = good && take_member(b, seen, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return good;
}

static bool names_a_file(const char *text, size_t len)
{
	size_t suffix = strlen(FILE_SUFFIX);

	return len > suffix && strncmp(text + len - suffix, FILE_SUFFIX, suffix) == 0 &&
	       !env_name_problem(text, len);
}

static bool take_secrets(struct builder *b, const char *text)
{
	size_t len = strcspn(text, "=");
	const char *path = text[len] ? text + len + 1 : NULL;

	if (!names_a_file(text, len))
		return take_directory(b, text);
	if (!path)
		path = find(b, text, len);
	if (!path)
		return refuse(b, "--secrets: %s is not set in the environment", text);
	return take_secret_file(b, path, text, len - strlen(FILE_SUFFIX));
}

/* ---- */

static bool collect(struct builder *b, char *const *base, const char *const *env_files,
		    const char *const *secrets)
{
	bool good = b->names || no_memory(b);

	for (; good && *base; base++)
		good = put(b, *base);
	for (; good && *env_files; env_files++)
		good = take_env_file(b, *env_files);
	for (; good && *secrets; secrets++)
		good = take_secrets(b, *secrets);
	return good;
}

char **environment_build(char *const *base, const char *const *env_files,
			 const char *const *secrets, char *error, size_t size)
{
	struct builder b = {.arena = arena_create(), .error = error, .error_size = size};

	b.names = b.arena ? table_create(b.arena) : NULL;
	if (!collect(&b, base, env_files, secrets) || (b.room == 0 && !grow(&b))) {
		arena_destroy(b.arena);
		return NULL;
	}
	b.list[b.count] = NULL;
	return b.list;
}
