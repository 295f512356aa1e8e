/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_OUTPUT_H
#define MUSTER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"
#include "sink.h"
#include "tail.h"

/*
 * What services print, line by line to init's stdout and stderr, and the last of it kept for
 * `musterctl logs`. Nothing here can block init: a reader of our stdout that is slow makes services
 * wait, for a second at most; one that stalls costs lines, which are counted.
 */
struct supervisor;
struct service;

#define LINE_MAX_BYTES TAIL_LINE_MAX /* a longer line is passed on in pieces */

struct output {
	struct sink sinks[2]; /* stdout, stderr */
	struct tail tail;
	uint64_t files_dropped; /* lines that could not be written to log files */
	uint64_t published;     /* lines dropped, as the status page has it */
	uint32_t name_width;
	bool progress; /* a status line of progress stands on the terminal: erase it first */
};

/* One of the two pipes of a service. */
struct stream {
	struct loop_source source; /* our end */
	int write_end;             /* the service's end, kept across restarts; -1: not open */
	struct service *service;
	struct tail_share share; /* its last lines */
	uint8_t which;           /* 1 stdout, 2 stderr */
	bool held;               /* not read, as the sink is full */
	uint32_t used;           /* bytes in `partial` */
	char *partial;           /* LINE_MAX_BYTES of reserved, untouched memory */
};

/* Prepares stdout and stderr. */
void output_open(struct supervisor *sup);
/* Writes what is queued as far as the readers take it; once a turn. */
void output_flush(struct supervisor *sup);
/* As output_flush, and waits up to `ms` for slow readers: the last thing before exit. */
void output_drain(struct supervisor *sup, int ms);
/* A line of init's own (a log_sink). */
void output_own_line(const char *line, size_t len);

/* Opens the pipes of a service when they are not open. False: no descriptors. */
bool stream_open(struct supervisor *sup, struct service *service);
void stream_close(struct supervisor *sup, struct service *service);
/* Passes on a last line that has no newline: the service is down. */
void stream_finish(struct supervisor *sup, struct service *service);
/* Its lines are no longer kept: the service is no more. */
void stream_forget(struct supervisor *sup, struct service *service);

#endif
