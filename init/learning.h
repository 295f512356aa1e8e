/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LEARNING_H
#define MUSTER_LEARNING_H

struct supervisor;

/* The start-up is over: what it teaches the next one (common/durations.h) is written, into the
 * runtime directory by init itself, to state_dir by a process of its own. */
void learning_write(struct supervisor *sup);

#endif
