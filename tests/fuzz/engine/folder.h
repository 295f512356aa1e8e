/* SPDX-License-Identifier: MIT */
#ifndef FUZZ_FOLDER_H
#define FUZZ_FOLDER_H

#include <stdlib.h>
#include <string.h>

#define FOLDER_SIZE sizeof("/dev/shm/muster-fuzz-XXXXXX")

/* A new, empty folder: in memory where there is some, as a disk would take most of the time. */
static inline void folder_make(char path[FOLDER_SIZE])
{
	memcpy(path, "/dev/shm/muster-fuzz-XXXXXX", FOLDER_SIZE);
	if (mkdtemp(path))
		return;
	memcpy(path, "/tmp/muster-fuzz-XXXXXX", sizeof("/tmp/muster-fuzz-XXXXXX"));
	if (!mkdtemp(path))
		abort();
}

#endif
