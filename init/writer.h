/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WRITER_H
#define MUSTER_WRITER_H

#include <sys/types.h>

#include "children.h"

/*
 * A disk may stall, and PID 1 may not: what is to be written to one is written by a short-lived
 * process of our own program, from a file in memory that is its standard input.
 */
struct supervisor;

/* `muster-init OPTION PATH` with `content` as standard input, a child of this kind. Its pid, or -1:
 * that was said. */
pid_t writer_start(struct supervisor *sup, const char *option, const char *path, int content,
		   enum child_kind kind);

#endif
