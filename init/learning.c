/* SPDX-License-Identifier: MIT */
#include "learning.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "durations.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"
#include "writers.h"

/* Under another name first: a reader finds the old or the new, never half of it. */
static int write_at(int dirfd, const struct supervisor *sup)
{
	int fd, error;

	unlinkat(dirfd, DURATIONS_TEMPORARY, 0);
	fd = openat(dirfd, DURATIONS_TEMPORARY, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = durations_write(fd, &sup->page, &sup->learned);
	close(fd);
	if (!error && renameat(dirfd, DURATIONS_TEMPORARY, dirfd, DURATIONS_FILE) < 0)
		error = -errno;
	if (error)
		unlinkat(dirfd, DURATIONS_TEMPORARY, 0);
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

void learning_write(struct supervisor *sup)
{
	int error = sup->run_fd < 0 ? 0 : write_at(sup->run_fd, sup);

	if (error)
		log_warning("%s/" DURATIONS_FILE ": cannot be written: %s", sup->run_dir,
			    strerror(-error));
	if (sup->config->state_dir)
		write_apart(sup);
}
