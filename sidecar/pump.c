/* SPDX-License-Identifier: MIT */
#include "pump.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mem.h"

#define PIPE_SIZE (1 << 19) /* asked for; what root has not allowed is less */
#define POOL_SIZE 16
#define FEW       ((size_t)16384) /* in one go: not much is coming any more */

struct pipe_pool {
	int ends[POOL_SIZE][2];
	int count;
	char buffer[PUMP_BUFFER];
};

struct pipe_pool *pipe_pool_create(void)
{
	return mem_alloc(sizeof(struct pipe_pool));
}

void pipe_pool_destroy(struct pipe_pool *pool)
{
	while (pool->count--) {
		close(pool->ends[pool->count][0]);
		close(pool->ends[pool->count][1]);
	}
	free(pool);
}

/* ---- pipes ---- */

/* One that is worth it. False: there is none to be had, and the buffer must do. */
static bool take_pipe(struct pump *pump, struct pipe_pool *pool)
{
	int ends[2];

	if (pump->read_end >= 0)
		return true;
	if (pool->count) {
		pool->count--;
		pump->read_end = pool->ends[pool->count][0];
		pump->write_end = pool->ends[pool->count][1];
		return true;
	}
	if (pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
		return false;
	if (fcntl(ends[1], F_SETPIPE_SZ, PIPE_SIZE) < 0 &&
	    fcntl(ends[1], F_GETPIPE_SZ) < (int)PUMP_BUFFER) {
		close(ends[0]);
		close(ends[1]);
		return false;
	}
	pump->read_end = ends[0];
	pump->write_end = ends[1];
	return true;
}

static void drop_pipe(struct pump *pump, struct pipe_pool *pool)
{
	if (pump->read_end < 0)
		return;
	if (pump->held || pool->count == POOL_SIZE) {
		close(pump->read_end);
		close(pump->write_end);
	} else {
		pool->ends[pool->count][0] = pump->read_end;
		pool->ends[pool->count++][1] = pump->write_end;
	}
	pump->read_end = pump->write_end = -1;
	pump->held = 0;
}

/* ---- moving bytes ---- */

static bool is_pause(ssize_t n)
{
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* `n` bytes, or -1, went to the other side. False: it is gone. */
static bool is_taken(struct pump *pump, ssize_t n)
{
	pump->refused = n < 0 && !is_pause(n);
	if (pump->refused)
		pump->after_end = errno == EPIPE;
	return !pump->refused;
}

/* Sets aside what the buffer holds and the other side does not take yet. Not in a pipe: a user who
 * has many of them is given none that is large enough (pipe(7), pipe-user-pages-soft). */
static void keep_rest(struct pump *pump, const char *rest, size_t size)
{
	pump->rest = mem_resize(NULL, size, 1);
	pump->rest_at = 0;
	memcpy(pump->rest, rest, size);
	pump->held = size;
}

static void drop_rest(struct pump *pump)
{
	free(pump->rest);
	pump->rest = NULL;
}

static ssize_t send_held(const struct pump *pump)
{
	if (pump->rest)
		return send(pump->to, pump->rest + pump->rest_at, pump->held,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
	return splice(pump->read_end, NULL, pump->to, NULL, pump->held,
		      SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

/* What is held. False: the other side is gone. */
static bool flush(struct pump *pump)
{
	while (pump->held) {
		ssize_t n = send_held(pump);

		if (n <= 0)
			return is_taken(pump, n);
		pump->held -= (size_t)n;
		pump->rest_at += (size_t)n;
	}
	drop_rest(pump);
	return true;
}

/* Through the buffer. Returns how many bytes were read, 0: for now or for good there are no more;
 * -1: broken. */
static ssize_t move_few(struct pump *pump, struct pipe_pool *pool)
{
	ssize_t n = recv(pump->from, pool->buffer, sizeof(pool->buffer), MSG_DONTWAIT), sent;

	if (n == 0)
		pump->ended = true;
	if (n <= 0)
		return n == 0 || is_pause(n) ? 0 : -1;
	if (pump->refused)
		return n;
	sent = send(pump->to, pool->buffer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!is_taken(pump, sent))
		return -1;
	sent = sent < 0 ? 0 : sent;
	pump->bulk = (size_t)n == sizeof(pool->buffer);
	if (sent < n)
		keep_rest(pump, pool->buffer + sent, (size_t)(n - sent));
	return n;
}

/* Through the pipe, likewise. */
static ssize_t move_much(struct pump *pump)
{
	ssize_t n = splice(pump->from, NULL, pump->write_end, NULL, PIPE_SIZE,
			   SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	if (n == 0)
		pump->ended = true;
	if (n <= 0)
		return n == 0 || is_pause(n) ? 0 : -1;
	pump->bulk = (size_t)n >= FEW;
	pump->held = (size_t)n;
	return flush(pump) ? n : -1;
}

/* Tells the other side of the end, once all before it has been passed on. */
static void pass_end(struct pump *pump)
{
	if (!pump->ended || pump->held || pump->closed)
		return;
	shutdown(pump->to, SHUT_WR);
	pump->closed = true;
}

void pump_begin(struct pump *pump, int from, int to)
{
	*pump = (struct pump){.from = from, .to = to, .read_end = -1, .write_end = -1};
}

bool pump_run(struct pump *pump, struct pipe_pool *pool)
{
	size_t moved = 0;
	ssize_t n = 1;

	if (!flush(pump))
		return false;
	while (n > 0 && !pump->held && !pump->ended && moved < PUMP_TURN) {
		bool much = pump->bulk && take_pipe(pump, pool);

		n = much ? move_much(pump) : move_few(pump, pool);
		if (n < 0)
			return false;
		moved += (size_t)n;
		if (!pump->bulk)
			break; /* nothing more is there, most likely */
	}
	if (!pump->refused)
		pump->bytes += moved;
	if (!pump->held && !pump->bulk)
		drop_pipe(pump, pool);
	pass_end(pump);
	return true;
}

void pump_refuse(struct pump *pump, struct pipe_pool *pool)
{
	pump_end(pump, pool);
	pump->held = 0;
	pump->bulk = false;
	pump->refused = true;
}

void pump_end(struct pump *pump, struct pipe_pool *pool)
{
	drop_pipe(pump, pool);
	drop_rest(pump);
}
