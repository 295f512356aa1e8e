/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LOGWRITER_H
#define MUSTER_LOGWRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"

/*
 * log = file:/path. A disk may stall, and PID 1 may not: a small process of our own program takes
 * the service's output from a pipe and writes it, with rotation by size. The pipe is kept across
 * restarts of service and writer, so no line is lost to either. A line that cannot be written is
 * dropped; the writer tells init how many there were, and why, over a pipe that all writers share.
 */
struct supervisor;
struct service;

struct logger {
	int read_end, write_end; /* -1: not open */
	pid_t pid;               /* of the writer; 0: none */
	bool complained;         /* that there is none; until one stays */
	uint64_t started;
	struct service *service;
	struct loop_timer retry;
};

/* Opens the pipe and starts the writer where one is configured and none runs. */
bool logger_open(struct supervisor *sup, struct service *service);
void logger_close(struct supervisor *sup, struct service *service);
void logger_ended(struct supervisor *sup, struct service *service);

/* The pipe for reports, before the first writer. */
void logger_reports_open(struct supervisor *sup);

#endif
