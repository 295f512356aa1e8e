/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PUMP_H
#define SIDECAR_PUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One direction of a connection that is passed on: what comes out of one socket goes into another.
 * Little goes through a buffer, for that is quickest; much goes through a pipe, which spares
 * copying it, where one is to be had. What the other side does not take yet waits, and nothing more
 * is read meanwhile.
 */
#define PUMP_BUFFER ((size_t)65536)
#define PUMP_TURN   ((size_t)4 << 20) /* bytes before others have their turn */

struct pipe_pool; /* pipes that are not in use, and the buffer */

struct pipe_pool *pipe_pool_create(void);
void pipe_pool_destroy(struct pipe_pool *pool);

struct pump {
	int from, to;
	int read_end, write_end; /* of its pipe; < 0: it has none */
	char *rest; /* of the buffer, from rest_at on; NULL: what is held is in the pipe */
	size_t rest_at;
	size_t held;    /* bytes that wait */
	uint64_t bytes; /* that went through */
	bool bulk;      /* much is coming */
	bool refused;   /* `to` takes nothing any more */
	bool after_end; /* and that only since its own end, which may not have been read yet: Linux
			 * says EPIPE then, and ECONNRESET of a reset that comes first */
	bool ended;     /* the end of `from` was seen, */
	bool closed;    /* and `to` has been told */
};

void pump_begin(struct pump *pump, int from, int to);
/* Does what can be done now. False: the connection is broken. */
bool pump_run(struct pump *pump, struct pipe_pool *pool);
/* What comes is thrown away from now on, until it ends. */
void pump_refuse(struct pump *pump, struct pipe_pool *pool);
void pump_end(struct pump *pump, struct pipe_pool *pool);

static inline bool pump_wants_in(const struct pump *pump)
{
	return !pump->ended && !pump->held;
}

static inline bool pump_wants_out(const struct pump *pump)
{
	return pump->held != 0;
}

#endif
