/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_OUTPUT_H
#define MUSTER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "loop.h"

/*
 * What services print, line by line to init's stdout and stderr, and the last of it kept for
 * `musterctl logs`. Nothing here can block: a reader of our stdout that stalls costs lines, which
 * are counted, never a service or init itself.
 */
struct supervisor;
struct service;

#define LINE_MAX_BYTES ((size_t)16 * 1024)  /* a longer line is passed on in pieces */
#define SINK_SIZE      ((size_t)128 * 1024) /* waits for a stalled reader */
#define TAIL_SIZE      ((size_t)512 * 1024) /* kept for `musterctl logs` */

/* stdout or stderr of init: a queue of bytes, written without waiting. */
struct sink {
	struct loop_source source; /* in the loop only while the reader stalls */
	int fd;
	uint8_t method; /* enum sink_method in output.c */
	size_t head;    /* of the queue */
	size_t used;
	uint64_t dropped; /* lines since the last word about it */
	char queue[SINK_SIZE];
};

/* The tail: entries one behind another in a ring of bytes, numbered by offset. */
struct tail {
	uint64_t oldest; /* offset of the oldest whole entry */
	uint64_t next;   /* offset behind the newest */
	char ring[TAIL_SIZE];
};

struct tail_entry {
	uint64_t time_realtime;
	uint16_t slot;  /* of the service */
	uint8_t stream; /* 1 stdout, 2 stderr */
	uint8_t pad;
	uint32_t size; /* of the text, which follows */
};

struct output {
	struct sink sinks[2];
	struct tail tail;
	uint64_t dropped;   /* lines, in all */
	uint64_t published; /* of these, shown in the status page */
	uint32_t name_width;
	bool progress; /* a status line of progress stands on the terminal: erase it first */
};

/* One of the two pipes of a service. */
struct stream {
	struct loop_source source; /* our end */
	int write_end;             /* the service's end, kept across restarts; -1: not open */
	struct service *service;
	uint8_t which; /* 1 stdout, 2 stderr */
	uint32_t used; /* bytes in `partial` */
	char *partial; /* LINE_MAX_BYTES of reserved, untouched memory */
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

/*
 * Reads one entry at `offset` (moved up to the oldest when it is gone; *lost says so). Returns the
 * offset of the next entry, or 0 when there is none at or behind `offset`. The text is cut to
 * `size` (entry->size is its whole length).
 */
uint64_t tail_read(const struct tail *tail, uint64_t offset, struct tail_entry *entry, char *text,
		   size_t size, bool *lost);

#endif
