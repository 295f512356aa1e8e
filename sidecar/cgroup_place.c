/* SPDX-License-Identifier: MIT */
#include "cgroup_place.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CGROUP_MOUNT "/sys/fs/cgroup"
#define LEAF         "/init" /* of muster-init, init/cgroups.c */

static const char names[CGROUP_CONTROLLERS][8] = {
	[CGROUP_CPU] = "cpu",   [CGROUP_CPUACCT] = "cpuacct", [CGROUP_MEMORY] = "memory",
	[CGROUP_PIDS] = "pids", [CGROUP_IO] = "blkio",
};

/* What is being looked for. */
struct search {
	struct cgroup_places *places;
	const char *cgroup_root;
	char own[CGROUP_CONTROLLERS + 1]
		[PATH_MAX / 2]; /* our cgroups of v1, and at the end of v2 */
	bool below_init;
};

/* ---- /proc/self/cgroup ---- */

/* Whether this word is in a list with commas. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (strncmp(at, word, len) == 0 && (at[len] == ',' || !at[len]))
			return true;
	}
	return false;
}

static void keep_own(char *own, const char *path)
{
	if (path[0] == '/' && strlen(path) < PATH_MAX / 2)
		strcpy(own, path);
}

/* "4:memory:/docker/123", "0::/docker/123" */
static void take_own(struct search *search, char *line)
{
	char *list = strchr(line, ':');
	char *path = list ? strchr(list + 1, ':') : NULL;

	if (!path)
		return;
	*list++ = '\0';
	*path++ = '\0';
	if (!*list && strcmp(line, "0") == 0)
		keep_own(search->own[CGROUP_CONTROLLERS], path);
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		if (has_word(list, names[i]))
			keep_own(search->own[i], path);
}

/* ---- /proc/self/mountinfo ---- */

static bool is_octal(const char *digits)
{
	return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' &&
	       digits[2] >= '0' && digits[2] <= '7';
}

/* A blank in a path is written as \040. */
static void decode(char *path)
{
	char *to = path;

	for (; *path; path++) {
		if (*path == '\\' && is_octal(path + 1)) {
			*to++ = (char)((path[1] - '0') << 6 | (path[2] - '0') << 3 |
				       (path[3] - '0'));
			path += 3;
		} else {
			*to++ = *path;
		}
	}
	*to = '\0';
}

/* What follows `prefix` in a path, at the end of a component; NULL: it is not below. */
static const char *path_below(const char *path, const char *prefix)
{
	size_t len = strcmp(prefix, "/") == 0 ? 0 : strlen(prefix);

	if (strncmp(path, prefix, len) != 0 || (path[len] && path[len] != '/'))
		return NULL;
	return strcmp(path + len, "/") == 0 ? "" : path + len;
}

/* "..": outside of our namespace, where names mean nothing to us. */
static bool is_outside(const char *path)
{
	return strstr(path, "/..") != NULL;
}

/* Whether our cgroup is there, below what is mounted. */
static bool join(const struct search *search, struct cgroup_place *place, const char *root,
		 const char *mount, const char *own)
{
	const char *rest =
		*own && !is_outside(own) && !is_outside(root) ? path_below(own, root) : NULL;
	const char *below = mount;
	int top;

	if (search->cgroup_root)
		below = path_below(mount, CGROUP_MOUNT);
	if (!rest || !below)
		return false;
	top = snprintf(place->dir, sizeof(place->dir), "%s%s",
		       search->cgroup_root ? search->cgroup_root : "", below);
	if (top < 0 || (size_t)top + strlen(rest) >= sizeof(place->dir))
		return false;
	place->top = (size_t)top;
	strcpy(place->dir + top, rest);
	return access(place->dir, X_OK) == 0;
}

/* With a mount more over one of the same kind, the later one is what can be seen. */
static void take_v1(struct search *search, const char *root, const char *mount, const char *options)
{
	struct cgroup_place place = {.version = 1};

	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		if (has_word(options, names[i]) &&
		    join(search, &place, root, mount, search->own[i]))
			search->places->of[i] = place;
}

static void leave_leaf(struct cgroup_place *place)
{
	size_t len = strlen(place->dir), leaf = strlen(LEAF);

	if (len >= place->top + leaf && strcmp(place->dir + len - leaf, LEAF) == 0)
		place->dir[len - leaf] = '\0';
}

/* It has what no hierarchy of v1 has. */
static void take_v2(struct search *search, const char *root, const char *mount)
{
	struct cgroup_place place = {.version = 2};

	if (!join(search, &place, root, mount, search->own[CGROUP_CONTROLLERS]))
		return;
	if (search->below_init)
		leave_leaf(&place);
	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		if (search->places->of[i].version != 1)
			search->places->of[i] = place;
}

/* "31 23 0:28 ROOT MOUNT rw,relatime shared:5 - TYPE SOURCE OPTIONS", with any number of tags */
static void take_mount(struct search *search, char *line)
{
	char *field[5], *save = NULL, *type, *options;
	char *behind = strstr(line, " - ");
	unsigned count = 0;

	if (!behind)
		return;
	*behind = '\0';
	for (char *word = strtok_r(line, " ", &save); word && count < 5;
	     word = strtok_r(NULL, " ", &save))
		field[count++] = word;
	type = strtok_r(behind + 3, " ", &save);
	options = type && strtok_r(NULL, " ", &save) ? strtok_r(NULL, " ", &save) : NULL;
	if (count < 5 || !options)
		return;
	decode(field[3]);
	decode(field[4]);
	if (strcmp(type, "cgroup") == 0)
		take_v1(search, field[3], field[4], options);
	else if (strcmp(type, "cgroup2") == 0)
		take_v2(search, field[3], field[4]);
}

/* ---- both ---- */

static void each_line(struct search *search, const char *proc_root, const char *name,
		      void (*take)(struct search *search, char *line))
{
	char path[PATH_MAX];
	char *line = NULL;
	size_t size = 0;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/%s", proc_root, name) >= (int)sizeof(path))
		return;
	file = fopen(path, "re");
	while (file && getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		take(search, line);
	}
	free(line);
	if (file)
		fclose(file);
}

void cgroup_places_find(struct cgroup_places *places, const char *proc_root,
			const char *cgroup_root, bool below_init)
{
	struct search search = {
		.places = places, .cgroup_root = cgroup_root, .below_init = below_init};

	for (unsigned i = 0; i < CGROUP_CONTROLLERS; i++)
		places->of[i].version = 0;
	each_line(&search, proc_root, "self/cgroup", take_own);
	each_line(&search, proc_root, "self/mountinfo", take_mount);
}

bool cgroup_place_up(const struct cgroup_place *place, char *dir)
{
	char *end = strrchr(dir + place->top, '/');

	if (!end)
		return false;
	*end = '\0';
	return true;
}
