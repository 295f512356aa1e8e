/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_EXEC_H
#define MUSTER_EXEC_H

#include <sys/types.h>

#include "signals.h"

/* The child that spawn makes, from its first step to the program: on a stack of its own in init's
 * memory, so by system calls only. */
struct spawn_error;
struct spawn_request;

struct exec_order {
	const struct spawn_request *request;
	struct spawn_error *error; /* written only when there is one: init looks as soon as exec
				    * has succeeded */
	pid_t parent;              /* to die with; 0: none */
	sigword ignored;           /* signals to be set to their defaults */
};

/* With a struct exec_order; returns only when the program could not be executed. */
int exec_child(void *argument);

#endif
