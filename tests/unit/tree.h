/* SPDX-License-Identifier: MIT */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A directory of files that stand for those of the kernel, anew for each test. */
static char tree_root[64];

static int tree_make(void **state)
{
	(void)state;
	strcpy(tree_root, "/tmp/muster-tree-XXXXXX");
	return mkdtemp(tree_root) ? 0 : -1;
}

static int tree_remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
	(void)info;
	(void)type;
	(void)walk;
	return remove(path);
}

/* What is at this path and below. */
static inline int tree_remove_at(const char *path)
{
	return nftw(path, tree_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int tree_remove(void **state)
{
	(void)state;
	return tree_remove_at(tree_root);
}

/* ROOT/BASE/NAME gets this text; directories come with it. */
static void tree_put(const char *base, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/%s", tree_root, base, name);
	for (char *at = path + strlen(tree_root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(path, 0755);
		*at = '/';
	}
	file = fopen(path, "w");
	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		abort();
}

#endif
