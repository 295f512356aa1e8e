/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hosts_file.h"
#include "log.h"
#include "writers.h"

#define LINES_MAX ((size_t)4 << 20)

int hosts_writer_main(int argc, char **argv)
{
	char *lines = malloc(LINES_MAX);
	size_t used = 0;
	ssize_t n = 1;
	int rc;

	if (argc != 1 || !lines)
		return 2;
	while (n > 0 && used < LINES_MAX - 1) {
		n = read(STDIN_FILENO, lines + used, LINES_MAX - 1 - used);
		used += n > 0 ? (size_t)n : 0;
	}
	lines[used] = '\0';
	rc = hosts_write(argv[0], lines);
	free(lines);
	if (rc < 0)
		log_warning("hosts: %s cannot be written: %s; addresses are not put there", argv[0],
			    strerror(-rc));
	return rc < 0;
}
