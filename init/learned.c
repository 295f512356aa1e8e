/* SPDX-License-Identifier: MIT */
#include "learned.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durations.h"
#include "fd.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"

#define TEMPORARY  "." DURATIONS_FILE ".new"
#define UNKNOWN_MS 1000 /* where nothing is known of any service */

/* ---- reading ---- */

/* True: there is such a file, be it good or not. */
static bool read_from(struct supervisor *sup, const char *dir)
{
	char path[PATH_MAX];
	int error;

	snprintf(path, sizeof(path), "%s/" DURATIONS_FILE, dir);
	error = durations_read(&sup->learned, path);
	if (error == -EPROTO)
		log_warning("%s: not a file of durations; ignored, and written anew", path);
	else if (error && error != -ENOENT)
		log_warning("%s: cannot be read: %s; ignored", path, strerror(-error));
	return error != -ENOENT;
}

void learned_open(struct supervisor *sup, const struct config *config)
{
	if (config->state_dir && read_from(sup, config->state_dir))
		return;
	if (sup->run_fd >= 0)
		read_from(sup, sup->run_dir);
}

/* ---- using ---- */

static int compare(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return a < b ? -1 : a > b;
}

static uint32_t median(uint32_t *values, uint32_t count)
{
	if (!count)
		return UNKNOWN_MS;
	qsort(values, count, sizeof(*values), compare);
	return values[(count - 1) / 2];
}

void learned_weights(const struct supervisor *sup, const struct config *config, uint32_t *weights)
{
	uint32_t known = 0, unknown, ms;

	/* the known ones side by side, to be sorted; then each in its place */
	for (unsigned pass = 0; pass < 2; pass++) {
		unknown = pass ? median(weights, known) : 0;
		for (uint32_t i = 0; i < config->count; i++) {
			const struct duration *found =
				durations_find(&sup->learned, config->services[i].name);

			ms = found ? duration_typical(found, 0) : DURATIONS_NONE;
			if (pass)
				weights[i] = (ms == DURATIONS_NONE ? unknown : ms) + 1;
			else if (ms != DURATIONS_NONE)
				weights[known++] = ms;
		}
	}
}

/* ---- writing ---- */

/* Under another name first: a reader finds the old or the new, never half of it. */
static int write_at(int dirfd, const struct supervisor *sup)
{
	int fd, error;

	unlinkat(dirfd, TEMPORARY, 0);
	fd = openat(dirfd, TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = durations_write(fd, &sup->page, &sup->learned);
	close(fd);
	if (!error && renameat(dirfd, TEMPORARY, dirfd, DURATIONS_FILE) < 0)
		error = -errno;
	if (error)
		unlinkat(dirfd, TEMPORARY, 0);
	return error;
}

static void write_apart(struct supervisor *sup)
{
	int content = memfd_create(DURATIONS_FILE, MFD_CLOEXEC);

	if (content < 0 || durations_write(content, &sup->page, &sup->learned) < 0 ||
	    lseek(content, 0, SEEK_SET) < 0)
		log_warning("no memory for the durations of this start-up");
	else
		writer_start_once(sup, DURATIONS_WRITER_OPTION, sup->config->state_dir, content,
				  CHILD_LEARNED);
	if (content >= 0)
		close(content);
}

void learned_write(struct supervisor *sup)
{
	int error = sup->run_fd < 0 ? 0 : write_at(sup->run_fd, sup);

	if (error)
		log_warning("%s/" DURATIONS_FILE ": cannot be written: %s", sup->run_dir,
			    strerror(-error));
	if (sup->config->state_dir)
		write_apart(sup);
}

/* ---- the writer ---- */

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
	if (snprintf(new, sizeof(new), "%s/" TEMPORARY, dir) >= (int)sizeof(new))
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
