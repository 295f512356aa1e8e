/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LEARNED_H
#define MUSTER_LEARNED_H

#include <stdint.h>

/*
 * What earlier runs teach about this start-up: how long each service takes (common/durations.h).
 * Read once, before anything starts, as the configuration is; from then on PID 1 touches no disk
 * for it. Written when the start-up is over: into the runtime directory by init itself, to
 * state_dir by a process of its own.
 */
struct config;
struct supervisor;

/* Reads what is there. What cannot be used is said, and nothing is known then. */
void learned_open(struct supervisor *sup, const struct config *config);
/* One weight a service, for graph_remaining: milliseconds, at least 1; for services that nothing is
 * known about the median of the others. */
void learned_weights(const struct supervisor *sup, const struct config *config, uint32_t *weights);
/* The start-up is over. */
void learned_write(struct supervisor *sup);

/* The writer: `muster-init --durations-writer PATH`, the content on standard input. */
#define DURATIONS_WRITER_OPTION "--durations-writer"
int durations_writer_main(int argc, char **argv);

#endif
