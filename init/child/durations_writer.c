/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durations.h"
#include "fd.h"
#include "log.h"
#include "writers.h"

static int copy_content(int to, const void *data)
{
	char buffer[4096];
	ssize_t n;
	int error = 0;

	(void)data;
	while (!error && (n = read(STDIN_FILENO, buffer, sizeof(buffer))) > 0)
		error = fd_write_all(to, buffer, (size_t)n);
	return !error && fsync(to) < 0 ? -errno : error;
}

static int write_state(const char *path)
{
	int dir, error;

	mkdir(path, 0755);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return -errno;
	error = durations_replace(dir, copy_content, NULL);
	close(dir);
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
