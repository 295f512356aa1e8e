/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "reader.h"

/* ---- directories ---- */

struct name_node {
	struct name_node *next;
	char name[];
};

static bool ends_with(const char *text, const char *suffix)
{
	size_t len = strlen(text), want = strlen(suffix);

	return len > want && strcmp(text + len - want, suffix) == 0;
}

/* Copies the names before the directory is closed, so without the allocators that may jump. */
static bool collect_names(struct arena *arena, DIR *dir, const char *suffix,
			  struct name_node **first, uint32_t *count)
{
	struct dirent *entry;

	while ((entry = readdir(dir))) {
		size_t size = strlen(entry->d_name) + 1;
		struct name_node *node;

		if (entry->d_name[0] == '.' || (suffix && !ends_with(entry->d_name, suffix)))
			continue;
		node = arena_alloc(arena, sizeof(*node) + size);
		if (!node)
			return false;
		memcpy(node->name, entry->d_name, size);
		node->next = *first;
		*first = node;
		++*count;
	}
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool load_directory(struct load *load, const char *path, const char *suffix, struct names *names)
{
	struct name_node *first = NULL;
	DIR *dir = opendir(path);
	bool enough;

	*names = (struct names){0};
	if (!dir)
		return false;
	enough = collect_names(load->scratch, dir, suffix, &first, &names->count);
	closedir(dir);
	load_check(load, enough ? load : NULL);
	names->list = load_alloc(load, names->count, sizeof(*names->list));
	for (uint32_t i = 0; first; first = first->next)
		names->list[i++] = first->name;
	qsort(names->list, names->count, sizeof(*names->list), compare_names);
	return true;
}

/* ---- files ---- */

uint32_t load_add_file(struct load *load, const char *path)
{
	load->files = load_grow(load, load->files, load->file_count, &load->file_room,
				sizeof(*load->files));
	load->files[load->file_count] = path;
	return load->file_count++;
}

static void read_file(struct load *load, const char *path)
{
	uint32_t file = load_add_file(load, path);
	struct reader_text text;
	char why[128];

	if (!reader_load(load->scratch, path, READER_SIZE_MAX, &text, why, sizeof(why))) {
		report_file(load, file, 0, "%s", why);
		return;
	}
	if (geteuid() == 0 && (text.mode & S_IWOTH))
		warn_file(load, file, 0,
			  "everyone can write to this file, and muster runs as root");
	load_sections(load, file, &text);
}

/* conf.d beside the file. */
static const char *drop_in_path(struct load *load, const char *path)
{
	const char *slash = strrchr(path, '/');

	return load_format(load, "%.*sconf.d", slash ? (int)(slash - path) + 1 : 0, path);
}

static bool same_directory(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static void read_drop_ins(struct load *load, const char *path)
{
	const char *dir = drop_in_path(load, path);
	struct names names;

	if (!load_directory(load, dir, ".ini", &names)) {
		if (errno != ENOENT && errno != ENOTDIR)
			report_file(load, load_add_file(load, dir), 0, "cannot read: %s",
				    strerror(errno));
		return;
	}
	for (uint32_t i = 0; i < names.count; i++)
		read_file(load, load_format(load, "%s/%s", dir, names.list[i]));
}

/* Several files in one folder share its drop-ins, which come after the last of them. */
static void read_all(struct load *load, const char *const *paths)
{
	for (size_t i = 0; paths[i]; i++) {
		bool again = false;

		read_file(load, paths[i]);
		for (size_t j = i + 1; paths[j] && !again; j++)
			again = same_directory(drop_in_path(load, paths[i]),
					       drop_in_path(load, paths[j]));
		if (!again)
			read_drop_ins(load, paths[i]);
	}
}

/* $MUSTER_CONFIG: one path, or several with colons between them. */
static const char *const *split_paths(struct load *load, const char *text)
{
	const char **paths = load_alloc(load, strlen(text) + 2, sizeof(*paths));
	size_t count = 0;

	while (*text) {
		size_t len = strcspn(text, ":");

		if (len)
			paths[count++] = load_strndup(load, text, len);
		text += len + (text[len] == ':');
	}
	if (count == 0)
		paths[count++] = CONFIG_DEFAULT_FILE;
	return paths;
}

void load_files(struct load *load)
{
	const char *const *paths = load->source->files;
	const char *variable = load_variable(load, "MUSTER_CONFIG", strlen("MUSTER_CONFIG"));

	if (!paths)
		paths = split_paths(load, variable ? variable : "");
	read_all(load, paths);
}
