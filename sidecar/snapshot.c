/* SPDX-License-Identifier: MIT */
#include "snapshot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "clock.h"
#include "mem.h"

#define LOOK (NSEC_PER_MSEC / 10) /* between two looks for another file, under load */

struct snapshot {
	const char *dir;         /* NULL: the page is our own */
	struct status_page page; /* mapped from dir */
	dev_t device;            /* of the mapped file */
	ino_t inode;
	uint64_t looked; /* when a file of that name was last looked for */
	const struct status_page *local;
	bool orphaned; /* its init has gone */
	uint32_t room_records, room_edges;
	struct view view;
};

struct snapshot *snapshot_create(const char *dir)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	snapshot->dir = dir;
	return snapshot;
}

struct snapshot *snapshot_create_local(const struct status_page *page)
{
	struct snapshot *snapshot = mem_alloc(sizeof(*snapshot));

	snapshot->local = page;
	return snapshot;
}

void snapshot_destroy(struct snapshot *snapshot)
{
	status_page_close(&snapshot->page);
	free(snapshot->view.records);
	free(snapshot->view.edges);
	free(snapshot);
}

/* ---- the page ---- */

/*
 * A reload marks the old page, but an init that died did not: the file of this name must also be
 * the one that is mapped. A file that comes between stat and open is seen at the next request.
 */
static void map_current(struct snapshot *snapshot)
{
	char path[4096];
	struct stat info;

	if (snprintf(path, sizeof(path), "%s/" STATUS_FILE, snapshot->dir) >= (int)sizeof(path) ||
	    stat(path, &info) < 0)
		return; /* what is mapped is still the best there is */
	if (snapshot->page.map && info.st_dev == snapshot->device && info.st_ino == snapshot->inode)
		return;
	status_page_close(&snapshot->page);
	if (status_page_open(&snapshot->page, snapshot->dir) < 0) {
		snapshot->page.map = NULL;
		return;
	}
	snapshot->device = info.st_dev;
	snapshot->inode = info.st_ino;
	snapshot->view.present = false; /* nothing of the old page is kept */
}

static void make_room(struct snapshot *snapshot, const struct status_header *header)
{
	struct view *view = &snapshot->view;

	if (header->record_count > snapshot->room_records) {
		view->records =
			mem_resize(view->records, header->record_count, sizeof(*view->records));
		snapshot->room_records = header->record_count;
	}
	if (header->edge_count > snapshot->room_edges) {
		view->edges = mem_resize(view->edges, header->edge_count, sizeof(*view->edges));
		snapshot->room_edges = header->edge_count;
	}
}

/* The texts on the page end in NUL, whoever wrote it; and numbers stay in their range. */
static void tame_record(struct status_record *record)
{
	record->name[sizeof(record->name) - 1] = '\0';
	record->reason[sizeof(record->reason) - 1] = '\0';
	if (record->state >= STATE_COUNT)
		record->state = STATE_INACTIVE;
}

static void copy_all(struct snapshot *snapshot, const struct status_page *page)
{
	struct view *view = &snapshot->view;

	for (uint32_t i = 0; i < view->header.record_count; i++) {
		struct status_record record;

		/* a record that is being written for too long keeps its last copy */
		if (status_read_record(page, i, &record) == 0) {
			tame_record(&record);
			view->records[i] = record;
		}
	}
	for (uint32_t i = 0; i < view->header.edge_count; i++)
		if (status_read_edge(page, i, &view->edges[i]) < 0)
			view->edges[i] = (struct status_edge){0};
}

const struct view *snapshot_refresh(struct snapshot *snapshot)
{
	struct view *view = &snapshot->view;
	const struct status_page *page = snapshot->local;
	struct status_header header;
	bool same;

	view->now = clock_monotonic();
	view->now_realtime = clock_realtime();
	if (!page) {
		if (!snapshot->page.map || view->now - snapshot->looked >= LOOK) {
			map_current(snapshot);
			snapshot->looked = view->now;
		}
		page = &snapshot->page;
	}
	if (snapshot->orphaned || !page->map || status_read_header(page, &header) < 0) {
		view->present = false;
		return view;
	}
	header.host[sizeof(header.host) - 1] = '\0';
	header.mode[sizeof(header.mode) - 1] = '\0';
	same = view->present && view->page == page && header.changes == view->header.changes &&
	       header.boot == view->header.boot && header.record_count == view->header.record_count;
	make_room(snapshot, &header);
	if (!same && (!view->present || header.record_count != view->header.record_count))
		memset(view->records, 0, header.record_count * sizeof(*view->records));
	view->header = header;
	view->page = page;
	if (!same) {
		copy_all(snapshot, page);
		/* nothing on it is later than this, whatever was written meanwhile */
		view->now = clock_monotonic();
		view->now_realtime = clock_realtime();
	}
	view->present = true;
	return view;
}

void snapshot_set_orphaned(struct snapshot *snapshot, bool orphaned)
{
	snapshot->orphaned = orphaned;
}

/* ---- what the numbers mean ---- */

bool view_is_shown(const struct view *view, uint32_t index)
{
	return !(view->records[index].flags & STATUS_INTERNAL);
}

bool view_is_counted(const struct view *view, uint32_t index)
{
	return (view->records[index].flags & (STATUS_INTERNAL | STATUS_WANTED)) == STATUS_WANTED;
}

bool view_is_ready(const struct view *view, uint32_t index)
{
	unsigned state = view->records[index].state;

	return state_is_ready(state) || state == STATE_COMPLETED;
}

bool view_all_ready(const struct view *view)
{
	if (!view->present)
		return false;
	if (view->header.phase == PHASE_READY)
		return true;
	if (view->header.phase != PHASE_DEGRADED)
		return false;
	for (uint32_t i = 0; i < view->header.record_count; i++)
		if (view_is_counted(view, i) && view->records[i].flags & STATUS_ESSENTIAL &&
		    !view_is_ready(view, i))
			return false;
	return true;
}

unsigned view_score(const struct view *view, uint32_t index)
{
	const struct status_record *record = &view->records[index];

	switch ((enum service_state)record->state) {
	case STATE_RUNNING:
	case STATE_READY:
		return record->failures ? 75 : 100; /* a probe fails, not yet often enough */
	case STATE_COMPLETED:
		return 100;
	case STATE_STARTING:
	case STATE_WAITING:
		return 50;
	case STATE_UNHEALTHY:
	case STATE_STOPPING:
	case STATE_BACKOFF:
		return 25;
	case STATE_INACTIVE:
	case STATE_FAILED:
	case STATE_COUNT:
		break;
	}
	return 0;
}

/* The mean of what is counted, an essential service twice. */
unsigned view_total_score(const struct view *view)
{
	uint64_t sum = 0, weights = 0;

	if (!view->present)
		return 0;
	for (uint32_t i = 0; i < view->header.record_count; i++) {
		unsigned weight = view->records[i].flags & STATUS_ESSENTIAL ? 2 : 1;

		if (!view_is_counted(view, i))
			continue;
		sum += (uint64_t)weight * view_score(view, i);
		weights += weight;
	}
	return weights ? (unsigned)(sum / weights) : 100;
}

int view_find(const struct view *view, const char *name)
{
	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i) && strcmp(view->records[i].name, name) == 0)
			return (int)i;
	return -1;
}

const char *view_why(const struct view *view, uint32_t index, char buffer[VIEW_WHY])
{
	const struct status_record *record = &view->records[index];

	/* one that failed because of another says more in its reason */
	if (record->flags & STATUS_DEP_CAUSE && record->cause < view->header.record_count &&
	    (record->state != STATE_FAILED || !record->reason[0]))
		snprintf(buffer, VIEW_WHY, "waits for %s", view->records[record->cause].name);
	else
		snprintf(buffer, VIEW_WHY, "%s",
			 record->reason[0] ? record->reason : state_name(record->state));
	return buffer;
}

uint64_t view_realtime(const struct view *view, uint64_t monotonic)
{
	return monotonic ? view->now_realtime - (view->now - monotonic) : 0;
}
