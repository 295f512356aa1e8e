/* SPDX-License-Identifier: MIT */
#include "learning.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "durations.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"
#include "writers.h"

static int fill(int fd, const void *data)
{
	const struct supervisor *sup = data;

	return durations_write(fd, &sup->page, &sup->learned);
}

static void write_apart(struct supervisor *sup)
{
	int content = memfd_create(DURATIONS_FILE, MFD_CLOEXEC);

	if (content < 0 || fill(content, sup) < 0 || lseek(content, 0, SEEK_SET) < 0)
		log_warning("no memory for the durations of this start-up");
	else
		writer_start_once(sup, DURATIONS_WRITER_OPTION, sup->config->state_dir, content,
				  CHILD_LEARNED);
	if (content >= 0)
		close(content);
}

void learning_write(struct supervisor *sup)
{
	int error = sup->run_fd < 0 ? 0 : durations_replace(sup->run_fd, fill, sup);

	if (error)
		log_warning("%s/" DURATIONS_FILE ": cannot be written: %s", sup->run_dir,
			    strerror(-error));
	if (sup->config->state_dir)
		write_apart(sup);
}
