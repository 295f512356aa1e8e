/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durations.h"
#include "fd.h"
#include "log.h"
#include "writers.h"

static int copy_content(int to)
{
	char buffer[4096];
	ssize_t n;
	int error = 0;

	while (!error && (n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		error = fd_write_all(to, buffer, (size_t)n);
	return !error && fsync(to) < 0 ? -errno : error;
}

static int write_state(const char *dir)
{
	char new[PATH_MAX], path[PATH_MAX];
	int fd, error;

	mkdir(dir, 0755);
	snprintf(path, sizeof(path), "%s/" DURATIONS_FILE, dir);
	if (snprintf(new, sizeof(new), "%s/" DURATIONS_TEMPORARY, dir) >= (int)sizeof(new))
		return -ENAMETOOLONG;
	unlink(new);
	fd = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = copy_content(fd);
	close(fd);
	if (!error && rename(new, path) < 0)
		error = -errno;
	if (error)
		unlink(new);
	return error;
}

int durations_writer_main(int argc, char **argv)
{
	int error = argc == 1 ? write_state(argv[0]) : -EINVAL;

	if (error)
		log_warning("state_dir: %s: durations cannot be written: %s", argc ? argv[0] : "",
			    strerror(-error));
	return error ? 1 : 0;
}
