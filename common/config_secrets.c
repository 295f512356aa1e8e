/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "env_line.h"
#include "reader.h"
#include "table.h"

/*
 * Files with variables: env_file, and secrets. Each is read once, however many services want it.
 * What they contain never appears in a message.
 */
#define ENV_FILE_MAX ((size_t)1 << 20)
#define SECRET_MAX   ((size_t)64 << 10)

struct var_file {
	const char *problem; /* it could not be read */
	struct variables variables;
};

static void push(struct load *load, struct variables *variables, const char *text)
{
	variables->list = load_grow(load, variables->list, variables->count, &variables->room,
				    sizeof(*variables->list));
	variables->list[variables->count++] = text;
}

void variables_add(struct load *load, struct variables *variables, const char *name,
		   size_t name_len, const char *value)
{
	size_t value_len = strlen(value);
	char *text = load_alloc(load, name_len + value_len + 2, 1);

	memcpy(text, name, name_len);
	text[name_len] = '=';
	memcpy(text + name_len + 1, value, value_len);
	push(load, variables, text);
}

static void add_all(struct load *load, struct variables *variables, const struct variables *more)
{
	for (uint32_t i = 0; i < more->count; i++)
		push(load, variables, more->list[i]);
}

/* The file's place in the cache; *fresh when it is to be read now. */
static struct var_file *find_file(struct load *load, const char *kind, const char *path,
				  bool *fresh)
{
	const char *key = load_format(load, "%s %s", kind, path);
	struct table_entry *entry = load_check(load, table_add(load->var_files, key, strlen(key)));

	*fresh = entry->value == TABLE_NEW;
	if (*fresh) {
		load->var_file_list = load_grow(load, load->var_file_list, load->var_file_count,
						&load->var_file_room, sizeof(struct var_file *));
		load->var_file_list[load->var_file_count] =
			load_alloc(load, 1, sizeof(struct var_file));
		entry->value = load->var_file_count++;
	}
	return load->var_file_list[entry->value];
}

/* ? or - before a path: it may be missing. */
static bool take_optional(const char **text)
{
	bool optional = **text == '?' || **text == '-';

	*text += optional;
	return optional;
}

/* Paths that are not absolute begin beside the file that names them. */
static const char *resolve_path(struct load *load, const struct entry *entry, const char *path)
{
	const char *file = entry->file < load->file_count ? load->files[entry->file] : "";
	const char *slash = strrchr(file, '/');

	if (*path == '/' || !slash)
		return path;
	return load_format(load, "%.*s%s", (int)(slash - file) + 1, file, path);
}

/* ---- env_file ---- */

/* Lines that are wrong are reported once, where they are, whoever wants the file. */
static void read_env_text(struct load *load, uint32_t file, char *text, struct variables *out)
{
	char *at = env_text_begin(text), *line;

	for (uint32_t number = 1; (line = env_text_line(&at)); number++) {
		char *name, *value;
		const char *problem = env_line_parse(line, &name, &value);

		if (problem)
			report_file(load, file, number, "%s", problem);
		else if (name)
			variables_add(load, out, name, strlen(name), value);
	}
}

static void read_env_file(struct load *load, const char *path, struct var_file *out)
{
	struct reader_text text;
	char why[128];

	if (!reader_load(load->scratch, path, ENV_FILE_MAX, &text, why, sizeof(why)))
		out->problem = load_strndup(load, why, strlen(why));
	else if (memchr(text.bytes, '\0', text.size))
		out->problem = "has a NUL byte, which no variable can hold";
	else
		read_env_text(load, load_add_file(load, path), text.bytes, &out->variables);
}

static bool is_missing(const char *path)
{
	struct stat st;

	return stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

void load_env_files(struct load *load, const struct entry *entry, struct variables *variables)
{
	struct items items = value_items(load, entry);

	for (size_t i = 0; i < items.count && !load->source->lenient_users; i++) {
		const char *path = items.list[i].text;
		bool optional = take_optional(&path), fresh;
		struct var_file *file;
		char q[QUOTE_SIZE];

		path = resolve_path(load, entry, path);
		if (optional && is_missing(path))
			continue;
		file = find_file(load, "env", path, &fresh);
		if (fresh)
			read_env_file(load, path, file);
		if (file->problem)
			report_line(load, entry, items.list[i].line, "%s: %s", quote(q, path),
				    file->problem);
		add_all(load, variables, &file->variables);
	}
}

/* ---- secrets ---- */

/* A secret being read, and where it was asked for. */
struct secret {
	struct load *load;
	const struct entry *entry;
	uint32_t line;
};

/* The value without the line break that editors and echo leave at the end. NULL: reported. */
static const char *read_secret(const struct secret *s, const char *path)
{
	struct reader_text text;
	char why[128], q[QUOTE_SIZE];

	if (!reader_load(s->load->scratch, path, SECRET_MAX, &text, why, sizeof(why))) {
		report_line(s->load, s->entry, s->line, "%s: %s", quote(q, path), why);
		return NULL;
	}
	if (memchr(text.bytes, '\0', text.size)) {
		report_line(s->load, s->entry, s->line,
			    "%s: has a NUL byte, which no variable can hold", quote(q, path));
		return NULL;
	}
	while (text.size > 0 && strchr("\r\n", text.bytes[text.size - 1]))
		text.bytes[--text.size] = '\0';
	return text.bytes;
}

static bool is_regular(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* A file of a directory: its name with - and . made _ is the variable. */
static void read_member(const struct secret *s, const char *dir, const char *file,
			struct table *names, struct variables *out)
{
	const char *path = load_format(s->load, "%s/%s", dir, file), *problem, *value;
	char *name = load_strndup(s->load, file, strlen(file)), q[QUOTE_SIZE];
	struct table_entry *entry;

	if (!is_regular(path))
		return;
	for (char *p = name; *p; p++)
		if (*p == '-' || *p == '.')
			*p = '_';
	problem = env_name_problem(name, strlen(name));
	entry = load_check(s->load, table_add(names, name, strlen(name)));
	if (!problem && entry->value != TABLE_NEW)
		problem = "another file gives the same variable";
	entry->value = 0;
	if (problem) {
		report_line(s->load, s->entry, s->line, "%s: %s", quote(q, path), problem);
		return;
	}
	value = read_secret(s, path);
	if (value)
		variables_add(s->load, out, name, strlen(name), value);
}

static void read_secret_directory(const struct secret *s, const char *path, struct var_file *out)
{
	struct table *table = load_check(s->load, table_create(s->load->scratch));
	struct names names;

	if (!load_directory(s->load, path, NULL, &names)) {
		out->problem = errno == ENOENT   ? "no such directory"
			       : errno == EACCES ? "permission denied"
			       : errno == ENOTDIR
				       ? "not a directory; one file is written NAME_FILE=/path"
				       : "cannot be read";
		return;
	}
	for (uint32_t i = 0; i < names.count; i++)
		read_member(s, path, names.list[i], table, &out->variables);
}

static void take_directory(const struct secret *s, const char *path, struct variables *variables)
{
	bool fresh;
	struct var_file *file = find_file(s->load, "dir", path, &fresh);
	char q[QUOTE_SIZE];

	if (fresh)
		read_secret_directory(s, path, file);
	if (file->problem)
		report_line(s->load, s->entry, s->line, "%s: %s", quote(q, path), file->problem);
	add_all(s->load, variables, &file->variables);
}

/* NAME_FILE, with the path behind = or in the environment: gives NAME. */
static void take_file(const struct secret *s, const char *text, bool optional,
		      struct variables *variables)
{
	size_t len = strcspn(text, "=");
	const char *path = text[len] ? resolve_path(s->load, s->entry, text + len + 1)
				     : load_variable(s->load, text, len);
	const char *value;
	char q[QUOTE_SIZE];

	if (env_name_problem(text, len) || len <= 5 || strncmp(text + len - 5, "_FILE", 5) != 0) {
		report_line(s->load, s->entry, s->line,
			    "%s: expected a directory, NAME_FILE=/path or NAME_FILE",
			    quote_n(q, text, len));
		return;
	}
	if (s->load->source->lenient_users || (optional && (!path || is_missing(path))))
		return;
	if (!path) {
		report_line(s->load, s->entry, s->line, "%s is not set in the environment",
			    quote_n(q, text, len));
		return;
	}
	value = read_secret(s, path);
	if (value)
		variables_add(s->load, variables, text, len - 5, value);
}

void load_secrets(struct load *load, const struct entry *entry, struct variables *variables)
{
	struct items items = value_items(load, entry);

	for (size_t i = 0; i < items.count; i++) {
		const struct secret s = {load, entry, items.list[i].line};
		const char *text = items.list[i].text;
		bool optional = take_optional(&text);

		if (strchr(text, '=') || !strchr(text, '/')) {
			take_file(&s, text, optional, variables);
		} else if (!load->source->lenient_users) {
			text = resolve_path(load, entry, text);
			if (!optional || !is_missing(text))
				take_directory(&s, text, variables);
		}
	}
}
