/* SPDX-License-Identifier: MIT */
#include "cgroup_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "fd.h"

int cgroup_write(int dir, const char *path, const char *text)
{
	int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);
	int rc = fd < 0 || write(fd, text, strlen(text)) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

uint64_t cgroup_number(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, word, len) == 0 && line[len] == ' ')
			return strtoull(line + len + 1, NULL, 10);
	}
	return 0;
}

/* Our place in the hierarchy of this controller ("": that of v2), from /proc/self/cgroup. */
static bool own_place(const char *controller, char *place, size_t size)
{
	char text[4096];

	if (fd_read_file("/proc/self/cgroup", text, sizeof(text)) <= 0)
		return false;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
		char *names = strchr(line, ':'), *path = names ? strchr(names + 1, ':') : NULL;

		if (!path)
			continue;
		*path++ = '\0';
		if (strcmp(names + 1, controller) == 0)
			return snprintf(place, size, "%s", path) < (int)size;
	}
	return false;
}

/* The directory of that place below `base`; where it is not to be seen there, a container is shown
 * its own as `base`. -1: it is no file system of this kind. */
static int open_place(const char *base, const char *controller, uint32_t magic)
{
	char place[PATH_MAX / 2], path[PATH_MAX];
	struct statfs fs;
	int fd = -1;

	if (own_place(controller, place, sizeof(place)) && !strstr(place, "/..")) {
		snprintf(path, sizeof(path), "%s%s", base, place);
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (fd < 0)
		fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && (fstatfs(fd, &fs) < 0 || (uint32_t)fs.f_type != magic)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

int cgroup_open(void)
{
	const char *given = getenv("MUSTER_CGROUP_ROOT");
	int fd;

	if (given && *given)
		return open(given, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_place("/sys/fs/cgroup", "", CGROUP2_SUPER_MAGIC);
	return fd >= 0 ? fd : open_place("/sys/fs/cgroup/unified", "", CGROUP2_SUPER_MAGIC);
}

int cgroup_open_events(int root)
{
	int fd = openat(root, "memory.events", O_RDONLY | O_CLOEXEC), dir;

	if (fd >= 0)
		return fd;
	dir = open_place("/sys/fs/cgroup/memory", "memory", CGROUP_SUPER_MAGIC);
	fd = openat(dir, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	if (dir >= 0)
		close(dir);
	return fd;
}

uint64_t cgroup_killed(int events)
{
	char text[512];
	ssize_t n = pread(events, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return cgroup_number(text, "oom_kill");
}
