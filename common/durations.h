/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_DURATIONS_H
#define MUSTER_DURATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "status.h"

/*
 * How long services took from the beginning of their start to ready, in this run and in earlier
 * ones: a text file, written by muster-init when a start-up is over.
 *
 *     muster-durations 1 BOOT
 *     NAME MS MS ...
 *
 * BOOT is the `boot` of the status page of the newest run. Each column is a run, the newest first;
 * `-` where the service was not ready when the start-up was over.
 */
#define DURATIONS_FILE "durations"
#define DURATIONS_RUNS 5
#define DURATIONS_NONE UINT32_MAX
/* Of the whole file. */
#define DURATIONS_SIZE_MAX ((size_t)4 << 20)

struct duration {
	char name[STATUS_NAME_MAX];
	uint32_t ms[DURATIONS_RUNS]; /* DURATIONS_NONE: not in that run */
};

struct durations {
	struct duration *entries; /* by name; malloc'ed */
	uint32_t count;
	uint64_t boot;
};

/*
 * Reads a regular file; never waits for a FIFO. 0 or -errno: -ENOENT there is none, -EPROTO it is
 * none of ours; *durations is empty then. durations_free in any case.
 */
int durations_read(struct durations *durations, const char *path);
void durations_free(struct durations *durations);

/* NULL: not known. */
const struct duration *durations_find(const struct durations *durations, const char *name);
/* The median of the runs from this column on in which it was ready; DURATIONS_NONE: in none. */
uint32_t duration_typical(const struct duration *duration, unsigned from);

/*
 * Writes what is to be known next: the services of the page in this run, and what was known of
 * them. Allocates nothing. 0 or -errno.
 */
int durations_write(int fd, const struct status_page *page, const struct durations *earlier);

/*
 * Puts a new file in the place of the one in this directory, under another name first: a reader
 * finds the old or the new, never half of it. `fill` writes it. Both return 0 or -errno.
 */
int durations_replace(int dir, int (*fill)(int fd, const void *data), const void *data);

#endif
