/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_SNAPSHOT_H
#define SIDECAR_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

/*
 * What there is to tell: a copy of the status page, taken when somebody asks. Handlers see only
 * this copy, so each answer is of one piece whatever PID 1 does meanwhile.
 */
struct snapshot;

struct view {
	bool present; /* false: there is no page; all below is zero */
	struct status_header header;
	struct status_record *records; /* header.record_count of them */
	struct status_edge *edges;     /* header.edge_count */
	const struct status_page *page;
	uint64_t now, now_realtime; /* of the last refresh */
};

/* Reads DIR/status (borrowed), which may come, go and be replaced. */
struct snapshot *snapshot_create(const char *dir);
/* Reads a page that this program itself writes (borrowed). */
struct snapshot *snapshot_create_local(const struct status_page *page);
void snapshot_destroy(struct snapshot *snapshot);

/* Its init has gone without taking the page with it: none is shown until it is back. */
void snapshot_set_orphaned(struct snapshot *snapshot, bool orphaned);

/* The page as it is now; valid until the next call. */
const struct view *snapshot_refresh(struct snapshot *snapshot);

/* ---- what the numbers mean ---- */

/* muster's own services are not counted and not shown among the others. */
bool view_is_shown(const struct view *view, uint32_t index);
/* Whether the service has to be ready for the whole to be: wanted, and not muster's own. */
bool view_is_counted(const struct view *view, uint32_t index);
/* Ready, running, or completed. */
bool view_is_ready(const struct view *view, uint32_t index);
/* All is ready, or what is not is not essential and start-up is over. */
bool view_all_ready(const struct view *view);
/* 0 (failed) to 100 (ready), of one service and of all of them; docs/muster-sidecar.8. */
unsigned view_score(const struct view *view, uint32_t index);
unsigned view_total_score(const struct view *view);

/* Index of a shown service, or -1. */
int view_find(const struct view *view, const char *name);

/*
 * Why a service is not ready, in a few words: the service it waits for when that is the cause, else
 * the reason on the page, else its state. Returns `buffer`.
 */
#define VIEW_WHY 160
const char *view_why(const struct view *view, uint32_t index, char buffer[VIEW_WHY]);

/* Nanoseconds of CLOCK_REALTIME for a time on the page. */
uint64_t view_realtime(const struct view *view, uint64_t monotonic);

#endif
