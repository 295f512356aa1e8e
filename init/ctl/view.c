/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "clock.h"
#include "ctl.h"
#include "fd.h"
#include "log.h"
#include "probe_link.h"
#include "process_stat.h"

#define INIT_NAME "muster-init"

#define LOOK_MS   50   /* without events: how often the page is looked at */
#define EVENTS_MS 500  /* with them: in case one got lost */
#define ALIVE_MS  1000 /* without events: how often it is asked whether init is still there */

/* ---- the copy ---- */

/* Which file lies in place now. 0 or -errno. */
static int file_in_place(const char *dir, struct stat *st)
{
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int error;

	if (dirfd < 0)
		return -errno;
	error = fstatat(dirfd, STATUS_FILE, st, 0) < 0 ? -errno : 0;
	close(dirfd);
	return error;
}

/* The edges never change while a page lives. */
static int read_graph(const struct status_page *page, struct graph *graph, struct arena *arena)
{
	struct status_header header;
	struct status_edge edge;
	struct graph_edge *edges;
	uint32_t i, count = 0;
	int error = status_read_header(page, &header);

	if (error)
		return error;
	if (header.record_count > UINT16_MAX)
		return -EPROTO;
	edges = arena_array(arena, header.edge_count, sizeof(*edges));
	if (!edges)
		return -ENOMEM;
	for (i = 0; i < header.edge_count; i++)
		if (status_read_edge(page, i, &edge) == 0 && edge.from < header.record_count &&
		    edge.to < header.record_count)
			edges[count++] = (struct graph_edge){.from = edge.from,
							     .to = edge.to,
							     .condition = edge.condition,
							     .optional = edge.optional,
							     .restart = edge.restart};
	return graph_build(graph, arena, header.record_count, edges, count) ? 0 : -ENOMEM;
}

static int map_page(struct view *view)
{
	struct stat st;
	struct status_page page = {0};
	struct graph graph;
	struct arena *arena;
	int error = file_in_place(view->dir, &st);

	/* looked at first: a page put in place meanwhile is noticed at the next refresh */
	if (!error)
		error = status_page_open(&page, view->dir);
	if (error)
		return error;
	arena = arena_create();
	error = arena ? read_graph(&page, &graph, arena) : -ENOMEM;
	if (error) {
		status_page_close(&page);
		arena_destroy(arena);
		return error;
	}
	status_page_close(&view->page);
	arena_destroy(view->arena);
	view->page = page;
	view->graph = graph;
	view->arena = arena;
	view->device = st.st_dev;
	view->inode = st.st_ino;
	view->fresh = true;
	return 0;
}

/* What was there goes: a page with another number of records is another page. */
static int make_room(struct view *view, uint32_t count)
{
	if (count <= view->room)
		return 0;
	free(view->records);
	view->records = calloc(count, sizeof(*view->records));
	view->room = view->records ? count : 0;
	if (view->records)
		return 0;
	view->header.record_count = 0;
	return -ENOMEM;
}

/* Copies the records. A record whose writer stays inside keeps its old copy, if there is one. */
static int copy_records(struct view *view)
{
	struct status_record record;
	uint32_t i;
	int error, result = 0;

	for (i = 0; i < view->header.record_count; i++) {
		error = status_read_record(&view->page, i, &record);
		if (error && view->fresh)
			return error;
		if (error) {
			result = error;
			continue;
		}
		record.name[sizeof(record.name) - 1] = '\0';
		record.reason[sizeof(record.reason) - 1] = '\0';
		view->records[i] = record;
	}
	return result;
}

/* Copies the page when it has changed. 1, 0, -errno. */
static int copy_page(struct view *view)
{
	struct status_header header;
	uint32_t seen = view->header.changes;
	int error = status_read_header(&view->page, &header);

	if (error)
		return error;
	if (!view->fresh && header.changes == seen)
		return 0;
	error = make_room(view, header.record_count);
	if (error)
		return error;
	view->header = header;
	view->header.host[sizeof(header.host) - 1] = '\0';
	view->header.mode[sizeof(header.mode) - 1] = '\0';
	error = copy_records(view);
	if (error && view->fresh)
		return error;
	if (error)
		view->header.changes = header.changes - 1; /* once more at the next refresh */
	view->fresh = false;
	return 1;
}

int view_open(struct view *view, const char *dir)
{
	int error;

	*view = (struct view){.dir = dir};
	error = map_page(view);
	if (!error)
		error = copy_page(view);
	if (error < 0)
		view_close(view);
	return error < 0 ? error : 0;
}

void view_close(struct view *view)
{
	status_page_close(&view->page);
	arena_destroy(view->arena);
	view->arena = NULL;
	free(view->records);
	view->records = NULL;
	view->room = 0;
}

static int complain(const struct ctl *ctl, int error)
{
	switch (error) {
	case -ENOENT:
	case -ENOTDIR:
		log_error("no muster-init here: there is no %s/" STATUS_FILE
			  " (--run-dir or MUSTER_RUN_DIR names another directory)",
			  ctl->run_dir);
		return CTL_UNREACHABLE;
	case -ESTALE:
		log_error("muster-init is gone; only its page is left in %s", ctl->run_dir);
		return CTL_UNREACHABLE;
	case -EACCES:
		log_error("%s/" STATUS_FILE ": permission denied", ctl->run_dir);
		return CTL_REFUSED;
	case -EPROTO:
		log_error("%s/" STATUS_FILE " is no status page of version %d", ctl->run_dir,
			  STATUS_VERSION);
		return CTL_UNREACHABLE;
	case -EAGAIN:
		log_error("%s/" STATUS_FILE ": its writer has stopped in the middle of a change",
			  ctl->run_dir);
		return CTL_UNREACHABLE;
	default:
		log_error("%s/" STATUS_FILE ": %s", ctl->run_dir, strerror(-error));
		return CTL_UNREACHABLE;
	}
}

int view_open_for(struct view *view, const struct ctl *ctl)
{
	int error = view_open(view, ctl->run_dir);

	return error ? complain(ctl, error) : CTL_DONE;
}

/* -ESTALE: there is a page, but its writer has ended. */
static int open_alive(struct view *view, const char *dir)
{
	int error = view_open(view, dir);

	if (error || view_alive(view) != 0)
		return error;
	view_close(view);
	return -ESTALE;
}

int view_open_until(struct view *view, const struct ctl *ctl, uint64_t deadline)
{
	int error = open_alive(view, ctl->run_dir);

	while ((error == -ENOENT || error == -ESTALE) && clock_monotonic() < deadline) {
		poll(NULL, 0, LOOK_MS);
		error = open_alive(view, ctl->run_dir);
	}
	return error ? complain(ctl, error) : CTL_DONE;
}

int view_refresh(struct view *view)
{
	struct stat st;
	int result = file_in_place(view->dir, &st);

	if (result) {
		copy_page(view); /* what it said last is still mapped */
		return result;
	}
	if (st.st_dev != view->device || st.st_ino != view->inode) {
		result = map_page(view);
		if (result)
			return result;
	}
	result = copy_page(view);
	return result == -EAGAIN ? 0 : result;
}

int view_find(const struct view *view, const char *name)
{
	uint32_t i;

	for (i = 0; i < view->header.record_count; i++)
		if (strcmp(view->records[i].name, name) == 0)
			return (int)i;
	return -1;
}

bool view_counts(const struct status_record *record)
{
	return !(record->flags & STATUS_INTERNAL);
}

bool view_is_good(const struct status_record *record)
{
	return state_is_ready(record->state) || record->state == STATE_COMPLETED;
}

const struct status_record *view_cause(const struct view *view, const struct status_record *record)
{
	if (!(record->flags & STATUS_DEP_CAUSE) || record->cause >= view->header.record_count)
		return NULL;
	return &view->records[record->cause];
}

const struct status_record *view_root(const struct view *view, const struct status_record *record)
{
	const struct status_record *root = view_cause(view, record), *next;
	uint32_t i;

	/* no chain is longer than there are services, whatever a page says */
	for (i = 0; root && i < view->header.record_count; i++) {
		next = view_cause(view, root);
		if (!next)
			break;
		root = next;
	}
	return root;
}

struct view_counts view_count(const struct view *view)
{
	struct view_counts counts = {0};
	const struct status_record *record;
	uint32_t i;

	for (i = 0; i < view->header.record_count; i++) {
		record = &view->records[i];
		if (!view_counts(record) || !(record->flags & (STATUS_AUTO | STATUS_WANTED)))
			continue;
		counts.total++;
		counts.good += view_is_good(record);
		counts.failed += record->state == STATE_FAILED;
		counts.essential_bad += !view_is_good(record) && record->flags & STATUS_ESSENTIAL;
	}
	return counts;
}

bool view_all_ready(const struct view *view)
{
	if (view->header.phase == PHASE_DEGRADED)
		return view_count(view).essential_bad == 0;
	return view->header.phase == PHASE_READY;
}

uint64_t view_silence(const struct view *view)
{
	uint64_t beat = view->header.beat, now = clock_monotonic();

	if (!view->header.sidecar || !beat || now < beat + msec(LINK_BEAT_MS))
		return 0;
	return now - beat;
}

bool view_sees_init(const struct view *view)
{
	char path[40], text[512];
	struct process_stat init;

	if (view->header.pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", view->header.pid);
	/* one that has ended and was not waited for keeps its name */
	return fd_read_file(path, text, sizeof(text)) > 0 && process_stat_read(&init, text) &&
	       init.name_len == strlen(INIT_NAME) &&
	       memcmp(init.name, INIT_NAME, init.name_len) == 0 && !strchr("ZX", init.state);
}

int view_alive(const struct view *view)
{
	struct client client;
	int error;

	if (view_sees_init(view))
		return 1;
	error = client_connect(&client, view->dir, clock_monotonic() + msec(CLIENT_PATIENCE_MS));
	client_close(&client);
	if (!error)
		return 1;
	return error == -ENOENT || error == -ECONNREFUSED ? 0 : -1;
}

/* ---- following changes ---- */

void follow_begin(struct follow *follow, struct view *view)
{
	uint64_t deadline = clock_monotonic() + msec(CLIENT_PATIENCE_MS);
	struct message message;
	int error;

	*follow = (struct follow){.view = view, .checked = clock_monotonic()};
	error = client_connect(&follow->client, view->dir, deadline);
	if (!error)
		error = client_send(&follow->client, WIRE_EVENTS, NULL, 0, NULL, 0, deadline);
	if (!error)
		error = client_receive(&follow->client, &message, deadline);
	if (error || message.type != WIRE_DONE)
		client_close(&follow->client);
}

void follow_end(struct follow *follow)
{
	client_close(&follow->client);
}

/* Without events: has init ended? */
static bool look_for_init(struct follow *follow, uint64_t now)
{
	if (now - follow->checked < msec(ALIVE_MS))
		return true;
	follow->checked = now;
	return view_alive(follow->view) != 0;
}

/* An init that stops at once may have removed its page before it could be looked at. */
static void note_event(struct follow *follow, const struct message *message)
{
	struct wire_event event;

	if (message->type != WIRE_EVENT || message->size < sizeof(event))
		return;
	memcpy(&event, message->body, sizeof(event));
	if (event.service == WIRE_EVENT_SYSTEM && event.state >= PHASE_DRAINING)
		follow->leaving = true;
}

/* Waits for an event, or a little while. 0 or -errno. */
static int wait_a_little(struct follow *follow, uint64_t until)
{
	uint64_t now = clock_monotonic();
	uint64_t soon = now + msec(follow->client.fd < 0 ? LOOK_MS : EVENTS_MS);
	struct message message;
	int error;

	if (until > soon)
		until = soon;
	if (follow->client.fd < 0) {
		poll(NULL, 0, until > now ? (int)((until - now) / NSEC_PER_MSEC) + 1 : 0);
		return look_for_init(follow, clock_monotonic()) ? 0 : -ECONNRESET;
	}
	error = client_receive(&follow->client, &message, until);
	/* a burst of events is one change */
	while (!error) {
		note_event(follow, &message);
		error = client_receive(&follow->client, &message, 0);
	}
	return error == -ETIMEDOUT ? 0 : error;
}

int follow_wait(struct follow *follow, uint32_t tick_ms, uint64_t deadline)
{
	uint64_t tick = clock_monotonic() + msec(tick_ms);
	uint64_t until = tick < deadline ? tick : deadline;
	int changed;

	if (follow->gone)
		return -ECONNRESET;
	do {
		/* the end of the connection is noted, what the page says last comes first */
		follow->gone = wait_a_little(follow, until) != 0;
		changed = view_refresh(follow->view);
		if (follow->view->header.phase >= PHASE_DRAINING)
			follow->leaving = true;
		if (changed > 0)
			return 1;
		if (changed < 0 || follow->gone) {
			follow->gone = true;
			return -ECONNRESET;
		}
	} while (clock_monotonic() < until);
	return until == deadline ? -ETIMEDOUT : 0;
}
