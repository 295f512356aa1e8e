/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TAIL_H
#define MUSTER_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The last lines of all services, for `musterctl logs`, in one bounded memory of small blocks. A
 * stream (stdout or stderr of one service) has as many blocks as its lines need; when none is free,
 * the stream with the most gives up its oldest lines. So one that talks alone is kept far back,
 * many that talk share, and one that talks a lot never pushes out what another has said. All lines
 * are in one list as well, in the order in which they came. Zeroed memory is an empty tail.
 */
#define TAIL_SIZE     ((size_t)1 << 20) /* of which only what is used is ever touched */
#define TAIL_BLOCK    ((size_t)256)
#define TAIL_LINE_MAX ((size_t)16 * 1024)

/* A line. Places are offsets in the pool; 0: none. The text follows, from block to block. */
struct tail_entry {
	uint64_t time_realtime;
	uint32_t earlier, later; /* in the order of all */
	uint32_t number;         /* of all lines ever, and round again */
	uint16_t slot;           /* of the service */
	uint16_t size_stream;    /* size, and TAIL_STDERR */
};
#define TAIL_STDERR 0x8000

/* What a stream has of the pool. */
struct tail_share {
	struct tail_share *next, *previous; /* of those that have something; round */
	uint32_t first, last, tip;          /* blocks: the oldest, the one in use, the newest */
	uint32_t oldest;                    /* line */
	uint32_t end;                       /* behind the newest line, in block `last` */
	uint32_t blocks;
};

/* A reader, which sees each line once or is told how many it missed. */
struct tail_cursor {
	struct tail_cursor *next;
	const uint16_t *slots; /* services whose lines are wanted ... */
	uint32_t count;        /* ... so many; 0: all */
	uint32_t at;           /* the line to be read next; 0: none is there yet */
	uint32_t number;       /* of that line */
	uint64_t lost; /* wanted lines that went before they were read; the reader zeroes it */
};

struct tail {
	struct tail_share *shares; /* some share that has something */
	struct tail_cursor *cursors;
	uint32_t first, last; /* lines */
	uint32_t number;      /* of the next line */
	uint32_t fresh;       /* blocks before it were in use once */
	uint32_t unused;      /* list of free blocks */
	uint32_t most;        /* no share has more blocks */
	_Alignas(8) char pool[TAIL_SIZE];
};

/* Keeps a line of at most TAIL_LINE_MAX bytes; stream: 1 stdout, 2 stderr. */
void tail_add(struct tail *tail, struct tail_share *share, uint64_t time_realtime, uint16_t slot,
	      unsigned stream, const char *text, size_t size);
/* Drops all lines of a stream that is no more. */
void tail_forget(struct tail *tail, struct tail_share *share);

/* Begins to read with the last `lines` of the lines wanted; slots and count are set. */
void tail_open(struct tail *tail, struct tail_cursor *cursor, uint32_t lines);
void tail_close(struct tail *tail, struct tail_cursor *cursor);
/* The line to be read next; NULL: there is none yet. */
const struct tail_entry *tail_peek(const struct tail *tail, struct tail_cursor *cursor);
/* That line was read. */
void tail_step(const struct tail *tail, struct tail_cursor *cursor);

static inline size_t tail_size(const struct tail_entry *entry)
{
	return entry->size_stream & (TAIL_STDERR - 1U);
}
/* Copies the line's text from `offset` on; returns how many bytes, at most `size`. */
size_t tail_text(const struct tail *tail, const struct tail_entry *entry, size_t offset,
		 char *buffer, size_t size);

#endif
