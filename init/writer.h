/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WRITER_H
#define MUSTER_WRITER_H

#include <stdint.h>
#include <sys/types.h>

#include "children.h"

/*
 * A disk may stall, and PID 1 may not: what is to be written to one is written by a process of our
 * own program, which takes it from its standard input.
 */
struct supervisor;

/*
 * `muster-init OPTION ARG...` (argv, with "muster-init" first and a NULL at the end) with these
 * descriptors as standard input and output, a child of this kind for this slot. Its pid, or -errno.
 */
pid_t writer_start(struct supervisor *sup, const char *const *argv, int input, int output,
		   enum child_kind kind, uint16_t slot);

/* The same, with PATH as only argument and `content` as input; what hinders it is said: -1. */
pid_t writer_start_once(struct supervisor *sup, const char *option, const char *path, int content,
			enum child_kind kind);

#endif
