/* SPDX-License-Identifier: MIT */
#include "stall.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"
#include "feed.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "pressure.h"
#include "values.h"

struct stall {
	struct loop *loop;
	struct feed *feed; /* NULL: nobody is to be told */
	uint32_t *revision;
	struct loop_timer timer; /* armed while it warns: when that ends */
	uint64_t hold;
	int fd;
	struct stall_state state;
};

/* ---- the trigger ---- */

/* What we write is an order to the kernel: it is not to become the content of another file. */
static bool is_kernels(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && ((uint32_t)fs.f_type == PROC_SUPER_MAGIC ||
					 (uint32_t)fs.f_type == CGROUP2_SUPER_MAGIC);
}

/* The descriptor, or -errno. */
static int open_trigger(const char *dir, const char *file)
{
	char path[PATH_MAX], order[64];
	int fd, len, rc = 0;

	if (snprintf(path, sizeof(path), "%s/%s", dir, file) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	len = snprintf(order, sizeof(order), "some %d %d", STALL_SHARE_MS * 1000,
		       STALL_WINDOW_MS * 1000);
	if (!is_kernels(fd))
		rc = -EOPNOTSUPP;
	else if (write(fd, order, (size_t)len + 1) < 0)
		rc = -errno;
	if (rc < 0)
		close(fd);
	return rc < 0 ? rc : fd;
}

/* ---- what it says ---- */

static const char *place_of(const struct stall *stall)
{
	return stall->state.own ? "container" : "machine";
}

static void tell(struct stall *stall)
{
	const struct stall_state *state = &stall->state;

	++*stall->revision;
	if (stall->feed)
		feed_publish_value(stall->feed, "warn",
				   json_pack("{s:s, s:b, s:s, s:o}", "warning", "memory_stall",
					     "active", (int)state->warns, "scope", place_of(stall),
					     "time", value_time(state->since)));
	if (state->warns)
		log_warning("processes wait for memory (%s)", place_of(stall));
	else
		log_info("processes do not wait for memory any more (%s)", place_of(stall));
}

static void turn(struct stall *stall, bool warns)
{
	stall->state.warns = warns;
	stall->state.since = clock_realtime();
	stall->state.times += warns;
	tell(stall);
}

static void hold_over(void *data, uint64_t now)
{
	(void)now;
	turn(data, false);
}

static void forget(struct stall *stall)
{
	loop_forget(stall->loop, stall->fd);
	close(stall->fd);
	stall->fd = -1;
	stall->state.watched = false;
}

/* A trigger of who has no privilege goes off once for all that was lost before it was made (Linux
 * 6.18): so it is asked whether it was just now. Without an answer it is believed. */
static bool is_stale(int fd)
{
	struct pressure pressure;
	char text[512];
	ssize_t len = pread(fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	pressure_parse(&pressure, text);
	return pressure.some.known && pressure.some.avg10 < STALL_AVG10;
}

static void stalled(void *data, int fd, uint32_t events)
{
	struct stall *stall = data;

	if (events & EPOLLERR) { /* the cgroup is gone */
		forget(stall);
		return;
	}
	if (is_stale(fd))
		return;
	loop_arm(stall->loop, &stall->timer, loop_now(stall->loop) + stall->hold);
	if (!stall->state.warns)
		turn(stall, true);
}

/* ---- from beginning to end ---- */

struct stall *stall_create_on(struct loop *loop, struct feed *feed, uint32_t *revision, int fd,
			      bool own, uint64_t hold)
{
	struct stall *stall = mem_alloc(sizeof(*stall));

	stall->loop = loop;
	stall->feed = feed;
	stall->revision = revision;
	stall->fd = fd;
	stall->hold = hold;
	stall->timer.call = hold_over;
	stall->timer.data = stall;
	stall->state.own = own;
	stall->state.watched = fd >= 0;
	if (fd >= 0 && loop_watch(loop, fd, EPOLLPRI | EPOLLET, stalled, stall) < 0)
		forget(stall);
	return stall;
}

struct stall *stall_create(struct loop *loop, struct feed *feed, uint32_t *revision,
			   const char *proc_root, const char *cgroup_dir)
{
	int fd = cgroup_dir ? open_trigger(cgroup_dir, "memory.pressure") : -ENOENT;
	bool own = fd >= 0;

	if (fd < 0)
		fd = open_trigger(proc_root, "pressure/memory");
	if (fd < 0)
		log_debug("the kernel does not say when processes wait for memory: %s",
			  strerror(-fd));
	return stall_create_on(loop, feed, revision, fd < 0 ? -1 : fd, own, msec(STALL_HOLD_MS));
}

void stall_destroy(struct stall *stall)
{
	if (stall->fd >= 0)
		forget(stall);
	loop_disarm(stall->loop, &stall->timer);
	free(stall);
}

struct stall_state stall_state(const struct stall *stall)
{
	return stall->state;
}
