/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "log.h"
#include "text.h"

#define DEPTH_MAX 100
#define NAMES_MAX 1000000

/* An open folder and what is in it. */
struct folder {
	int fd;
	char **names;
	size_t count, next;
	size_t path_len; /* of the folder's own path, with a slash behind */
};

struct walk {
	struct scan_walk *scan;
	struct folder folders[DEPTH_MAX];
	unsigned depth;
	char path[PATH_MAX];
	size_t root_len; /* of what was given: patterns are for what follows */
	bool stopped;
};

void scan_say(const char *path, const char *why)
{
	char clean[PATH_MAX];

	text_clean(clean, sizeof(clean), path, 0);
	log_warning("%s: %s", clean, why);
}

static void cannot_read(struct walk *walk, const char *why)
{
	scan_say(walk->path, why);
	walk->scan->unreadable++;
}

/* ---- what is passed over ---- */

static bool is_foreign(const char *name)
{
	static const char *const foreign[] = {".git",          ".hg",          ".svn",
					      ".bzr",          "node_modules", "bower_components",
					      ".venv",         "venv",         ".tox",
					      ".nox",          "__pycache__",  "site-packages",
					      ".cache",        ".mypy_cache",  ".ruff_cache",
					      ".pytest_cache", ".terraform"};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		if (strcmp(name, foreign[i]) == 0)
			return true;
	return false;
}

/* By a pattern for names, or with a slash in it for paths; one that ends with a slash is for
 * folders. */
static bool matches(const char *pattern, const char *path, const char *name, bool folder)
{
	size_t len = strlen(pattern);
	char copy[PATH_MAX];

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, pattern, len + 1);
	if (len && copy[len - 1] == '/') {
		if (!folder)
			return false;
		copy[--len] = '\0';
	}
	if (copy[0] == '/' && fnmatch(copy + 1, path, 0) == 0)
		return true;
	return fnmatch(copy, strchr(copy, '/') ? path : name, 0) == 0;
}

static bool is_ignored(const struct walk *walk, const char *name, bool folder)
{
	const struct arg_list *ignored = walk->scan->ignored;

	for (uint32_t i = 0; ignored && i < ignored->count; i++)
		if (matches(ignored->texts[i], walk->path + walk->root_len, name, folder))
			return true;
	return folder && is_foreign(name);
}

/* ---- folders ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(struct folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free(folder->names[i]);
	free(folder->names);
}

static bool add_name(struct folder *folder, const char *name, size_t *room)
{
	char **grown;

	if (folder->count == *room) {
		*room = *room ? *room * 2 : 64;
		grown = realloc(folder->names, *room * sizeof(*grown));
		if (!grown)
			return false;
		folder->names = grown;
	}
	folder->names[folder->count] = strdup(name);
	return folder->names[folder->count] && ++folder->count;
}

/* All names, sorted, so that the order is the same everywhere. */
static const char *read_names(struct folder *folder)
{
	DIR *dir = fdopendir(dup(folder->fd));
	struct dirent *entry;
	const char *why = NULL;
	size_t room = 0;

	if (!dir)
		return strerror(errno);
	while (!why && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (folder->count == NAMES_MAX)
			why = "more than 1000000 entries";
		else if (!add_name(folder, entry->d_name, &room))
			why = "no memory";
	}
	closedir(dir);
	if (folder->names)
		qsort(folder->names, folder->count, sizeof(*folder->names), by_text);
	return why;
}

/* Goes into a folder; walk->path is its path. The descriptor becomes the walk's. */
static void enter(struct walk *walk, int fd)
{
	struct folder *folder = &walk->folders[walk->depth];
	size_t len = strlen(walk->path);
	const char *why;

	if (walk->depth == DEPTH_MAX || len + 2 >= sizeof(walk->path)) {
		cannot_read(walk, "deeper than 100 folders");
		close(fd);
		return;
	}
	if (len && walk->path[len - 1] != '/')
		memcpy(walk->path + len++, "/", 2);
	*folder = (struct folder){.fd = fd, .path_len = len};
	walk->depth++;
	why = read_names(folder);
	if (why)
		cannot_read(walk, why);
}

static void leave(struct walk *walk)
{
	struct folder *folder = &walk->folders[--walk->depth];

	free_names(folder);
	close(folder->fd);
}

/* A name in the innermost folder. */
static void visit(struct walk *walk, const struct folder *folder, const char *name)
{
	struct stat status;
	int fd;

	if (folder->path_len + strlen(name) >= sizeof(walk->path)) {
		cannot_read(walk, "its path is too long");
		return;
	}
	memcpy(walk->path + folder->path_len, name, strlen(name) + 1);
	if (fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
		cannot_read(walk, strerror(errno));
		return;
	}
	if ((!S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode)) ||
	    is_ignored(walk, name, S_ISDIR(status.st_mode)))
		return;
	fd = openat(folder->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0)
		cannot_read(walk, strerror(errno));
	else if (S_ISDIR(status.st_mode)) {
		enter(walk, fd);
		return;
	} else if (S_ISREG(status.st_mode))
		walk->stopped =
			!walk->scan->file(walk->scan->user, folder->fd, name, walk->path, fd);
	if (fd >= 0)
		close(fd);
}

static void walk_all(struct walk *walk)
{
	while (walk->depth) {
		struct folder *folder = &walk->folders[walk->depth - 1];

		if (walk->stopped || folder->next == folder->count)
			leave(walk);
		else
			visit(walk, folder, folder->names[folder->next++]);
	}
}

/* A file that was named itself; its folder is opened for those who replace it. */
static void visit_file(struct walk *walk, int fd)
{
	const char *slash = strrchr(walk->path, '/'), *name = slash ? slash + 1 : walk->path;
	char folder[PATH_MAX] = ".";
	int folder_fd;

	if (slash) {
		memcpy(folder, walk->path, (size_t)(slash - walk->path) + 1);
		folder[slash - walk->path + 1] = '\0';
	}
	folder_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder_fd < 0)
		cannot_read(walk, strerror(errno));
	else {
		walk->stopped =
			!walk->scan->file(walk->scan->user, folder_fd, name, walk->path, fd);
		close(folder_fd);
	}
	close(fd);
}

bool scan_walk(struct scan_walk *scan, const char *path)
{
	struct walk *walk = calloc(1, sizeof(*walk));
	struct stat status;
	bool good = false;
	int fd;

	if (!walk || strlen(path) + 2 >= sizeof(walk->path)) {
		scan_say(path, walk ? "its path is too long" : "no memory");
		free(walk);
		return false;
	}
	walk->scan = scan;
	memcpy(walk->path, path, strlen(path) + 1);
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &status) != 0) {
		scan_say(path, strerror(errno));
	} else if (S_ISREG(status.st_mode)) {
		visit_file(walk, fd);
		good = true;
		fd = -1;
	} else if (S_ISDIR(status.st_mode)) {
		enter(walk, fd);
		walk->root_len = strlen(walk->path);
		walk_all(walk);
		good = true;
		fd = -1;
	} else {
		scan_say(path, "neither a folder nor a file");
	}
	if (fd >= 0)
		close(fd);
	free(walk);
	return good;
}
