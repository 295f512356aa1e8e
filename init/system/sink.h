/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SINK_H
#define MUSTER_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "loop.h"

/*
 * Standard output or standard error of init: a queue of lines, written without waiting. A reader
 * that is slow makes services wait as any pipe does (sink_is_full); one that has taken nearly
 * nothing for SINK_PATIENCE_MS has stalled: then lines are dropped until half of the queue is
 * empty. What is dropped, for that reason or because a write failed, is counted to the line and
 * said in its place.
 */
#define SINK_SIZE        ((size_t)1024 * 1024) /* only what is used of it is ever touched */
#define SINK_HOLD        ((size_t)128 * 1024)  /* so much waits before services do */
#define SINK_PATIENCE_MS 1000

struct sink {
	struct loop_source source; /* in the loop only while the reader stalls */
	struct loop_timer patience;
	int fd;
	uint8_t method; /* enum sink_method in sink.c */
	bool dropping;  /* the reader has stalled */
	bool failed;    /* the last write: nothing is tried again before there is a new line */
	bool within;    /* what was written last is not the end of a line */
	bool torn;      /* a line will stay unfinished: the next one begins on a new line */
	bool holding;   /* some service waits */
	size_t head;    /* of the queue */
	size_t used;
	uint64_t written;  /* bytes, in all */
	uint64_t dropped;  /* lines, in all */
	uint64_t unsaid;   /* lines dropped, of which the reader was not told ... */
	uint64_t saying;   /* ... and those of which the queue tells it ... */
	uint64_t said_end; /* ... when so many bytes are written */
	char queue[SINK_SIZE];
};

/* Takes the descriptor, or one of its own that leads to the same. */
void sink_open(struct sink *sink, int fd);
/* Puts a line in the queue, newline and all. One of init's own is dropped only where there is no
 * room at all. */
void sink_line(struct loop *loop, struct sink *sink, const struct iovec *parts, unsigned count,
	       bool own);
/* Whether services should wait before they say more; a deadline for that begins. */
bool sink_is_full(struct loop *loop, struct sink *sink);
/* Whether those that wait may go on: there is room, or no more patience. */
bool sink_may_resume(struct loop *loop, struct sink *sink);
/* Writes what the reader takes. */
void sink_flush(struct loop *loop, struct sink *sink);
/* As sink_flush, and waits for the reader, up to `until` on the monotonic clock. */
void sink_drain(struct sink *sink, uint64_t until);

#endif
