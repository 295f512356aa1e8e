/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PROCESS_STAT_H
#define MUSTER_PROCESS_STAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fields of /proc/PID/stat, by their numbers in proc(5). */
enum {
	STAT_PARENT = 4,
	STAT_SESSION = 6,
	STAT_TERMINAL = 7, /* its number; 0: none */
	STAT_FLAGS = 9,
	STAT_USER = 14,
	STAT_SYSTEM = 15,
	STAT_CHILDREN_USER = 16,
	STAT_CHILDREN_SYSTEM = 17,
	STAT_THREADS = 20,
	STAT_BEGIN = 22,
	STAT_PAGES = 24, /* resident */
	STAT_END
};

struct process_stat {
	uint64_t pid;
	const char *name; /* in the text; it may hold anything, brackets and blanks, too */
	size_t name_len;
	char state;               /* its letter */
	uint64_t field[STAT_END]; /* from STAT_PARENT on; what is negative is 0 here */
};

/* False: the text is not what the kernel writes, or ends before field STAT_PAGES does. */
bool process_stat_read(struct process_stat *process, const char *text);

#endif
