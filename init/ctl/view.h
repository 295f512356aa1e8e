/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_VIEW_H
#define MUSTER_VIEW_H

#include <stdbool.h>
#include <sys/types.h>

#include "client.h"
#include "graph.h"
#include "status.h"

/*
 * A copy of the status page that is brought up to date on demand, also across a reload or a new
 * init that put another page in its place.
 */
struct ctl;

struct view {
	const char *dir;
	struct status_page page;
	dev_t device; /* of the mapped file */
	ino_t inode;
	bool fresh; /* nothing was copied from this mapping yet */
	struct status_header header;
	struct status_record *records; /* header.record_count of them; names are NUL-terminated */
	uint32_t room;
	struct graph graph; /* of the records' indices; `optional` and `condition` as in the page */
	struct arena *arena;
};

/* 0 or -errno as status_page_open; -EAGAIN: the writer did not leave the page. */
int view_open(struct view *view, const char *dir);
void view_close(struct view *view);
/* view_open for a verb: says what is wrong. Returns an enum ctl_exit. */
int view_open_for(struct view *view, const struct ctl *ctl);
/*
 * As view_open_for, but only the page of an init that runs will do, and one that is not there yet
 * may come until the deadline (0: it must be there).
 */
int view_open_until(struct view *view, const struct ctl *ctl, uint64_t deadline);
/* 1: something changed; 0: nothing; -errno: there is no page any more. Old data stays then. */
int view_refresh(struct view *view);

/* Index of the service, or -1. */
int view_find(const struct view *view, const char *name);
/* Whether it counts: muster's own services do not. */
bool view_counts(const struct status_record *record);
/* Whether nothing more is expected of a service: ready, running or completed. */
bool view_is_good(const struct status_record *record);
/* The service because of which this one is not ready; NULL: it is not because of another. */
const struct status_record *view_cause(const struct view *view, const struct status_record *record);
/* The first of the chain of causes, itself not waiting for another; NULL as above. */
const struct status_record *view_root(const struct view *view, const struct status_record *record);
struct view_counts {
	uint32_t total; /* those that start by themselves or are wanted */
	uint32_t good;
	uint32_t failed;
	uint32_t essential_bad;
};
struct view_counts view_count(const struct view *view);

/* Whether work may be sent here: what is not ready is not essential, and nobody is leaving. */
bool view_all_ready(const struct view *view);

/*
 * How long (ns) muster-init has not heard its sidecar, where that is longer than it should be: what
 * the page says of services with http, tcp and grpc probes is as old. 0: no longer, or there is no
 * sidecar.
 */
uint64_t view_silence(const struct view *view);

/* Whether the page's pid is, in our PID namespace, a muster-init. */
bool view_sees_init(const struct view *view);
/*
 * Whether the init that wrote this page still runs: 1 yes, 0 no, -1 cannot be told. Looks at the
 * page's pid, and where that is not conclusive (another PID namespace) knocks at the socket.
 */
int view_alive(const struct view *view);

/* ---- following changes ---- */

/* Wakes up when something changes: at init's events where the socket is open to us, else by
 * looking at the page now and then. */
struct follow {
	struct view *view;
	struct client client; /* events; fd -1: the page has to do */
	uint64_t checked;     /* when view_alive was asked last */
	bool leaving;         /* init has said that it stops, on the page or by an event */
	bool gone;            /* init has ended */
};

void follow_begin(struct follow *follow, struct view *view);
void follow_end(struct follow *follow);
/*
 * Waits until the view has changed, `tick_ms` have passed, init has gone, or the deadline.
 * Returns 1, 0, -ECONNRESET, -ETIMEDOUT.
 */
int follow_wait(struct follow *follow, uint32_t tick_ms, uint64_t deadline);

#endif
