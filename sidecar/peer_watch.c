/* SPDX-License-Identifier: MIT */
#include "peers_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "config.h"
#include "mem.h"
#include "snapshot.h"
#include "status.h"

#define WHOLE_MAX 128
#define WHY_SIZE  320 /* cut to OUTCOME_REASON when it is told */

const char *peers_host(const struct peers *peers)
{
	const struct view *view;

	if (peers->host)
		return peers->host;
	view = snapshot_refresh(peers->snapshot);
	return view->present ? view->header.host : "";
}

/* ---- who waits ---- */

static const struct peer_watch *of(const struct watch *watch)
{
	return (const struct peer_watch *)watch;
}

bool peer_has_unmet(const struct peer *peer)
{
	for (const struct watch *at = peer->peers->watches; at; at = at->next)
		if (of(at)->peer == peer && at->told != 1)
			return true;
	return false;
}

/* Index in the view of what stands there for the service of the peer, or -1. */
static int index_of(const struct peer_watch *watch, const struct view *view)
{
	const char *name = watch->watch.probe.spec.name;
	uint32_t index = watch->watch.probe.spec.service;

	if (index < view->header.record_count && strcmp(view->records[index].name, name) == 0)
		return (int)index;
	return *name ? view_find(view, name) : -1;
}

static bool waits_for(const struct view *view, uint32_t index)
{
	for (uint32_t i = 0; i < view->header.edge_count; i++) {
		const struct status_edge *edge = &view->edges[i];

		if (edge->to == index && edge->from < view->header.record_count &&
		    view->records[edge->from].state == STATE_WAITING)
			return true;
	}
	return false;
}

/* Without a page it is not known, and somebody may. */
bool peer_is_awaited(const struct peer *peer)
{
	const struct view *view = NULL;

	for (const struct watch *at = peer->peers->watches; at; at = at->next) {
		const struct peer_watch *watch = of(at);
		int index;

		if (watch->peer != peer || at->told == 1)
			continue;
		if (!view)
			view = snapshot_refresh(peer->peers->snapshot);
		index = view->present ? index_of(watch, view) : -1;
		if (!view->present || index < 0 || waits_for(view, (uint32_t)index))
			return true;
	}
	return false;
}

/* ---- circles ---- */

/* Marks who waits, here, for the one with this index, through others, too. */
static bool *mark_waiting(const struct view *view, uint32_t index)
{
	uint32_t count = view->header.record_count;
	bool *marked = mem_alloc(count + 1);
	bool more = true;

	marked[index] = true;
	while (more) {
		more = false;
		for (uint32_t i = 0; i < view->header.edge_count; i++) {
			const struct status_edge *edge = &view->edges[i];

			if (edge->from >= count || edge->to >= count || !marked[edge->to] ||
			    marked[edge->from] || view->records[edge->from].state != STATE_WAITING)
				continue;
			marked[edge->from] = more = true;
		}
	}
	return marked;
}

/* The name, here, that HOST/NAME[:condition] has there; NULL: it is another host's. */
static const char *name_here(const char *dep, const char *host, char name[WHOLE_MAX])
{
	size_t len = strlen(host);

	if (strncmp(dep, host, len) != 0 || dep[len] != '/')
		return NULL;
	snprintf(name, WHOLE_MAX, "%.*s", (int)strcspn(dep + len + 1, ":"), dep + len + 1);
	return name;
}

/* What a service of the peer waits for, as far as one of ours is among it: that one's index. Those
 * of its own that it waits for are added to the list. */
static int look_at_deps(const struct peer *peer, uint32_t service, const struct view *view,
			const bool *marked, uint32_t *list, uint32_t *count, bool *seen)
{
	const struct peer_report *report = peer->report;
	const struct peer_service *from = &report->services[service];
	char name[WHOLE_MAX];

	for (uint32_t i = 0; i < from->dep_count; i++) {
		const char *dep = report->text + report->deps[from->first_dep + i];
		const char *here = name_here(dep, peers_host(peer->peers), name);
		int index = here ? view_find(view, here) : peer_report_find(report, dep);

		if (here && index >= 0 && marked[index])
			return index;
		if (here || index < 0 || seen[index] ||
		    report->services[index].state != STATE_WAITING)
			continue;
		seen[index] = true;
		list[(*count)++] = (uint32_t)index;
	}
	return -1;
}

/* Whether the service of the peer waits, perhaps through others, for one of ours that waits for it:
 * that one's index, or -1. */
static int find_circle(const struct peer_watch *watch, uint32_t service, const struct view *view)
{
	const struct peer_report *report = watch->peer->report;
	int index = index_of(watch, view), found = -1;
	uint32_t *list, count = 1;
	bool *marked, *seen;

	if (index < 0 || report->services[service].state != STATE_WAITING)
		return -1;
	marked = mark_waiting(view, (uint32_t)index);
	list = mem_resize(NULL, report->service_count, sizeof(*list));
	seen = mem_alloc(report->service_count);
	seen[service] = true;
	list[0] = service;
	for (uint32_t i = 0; i < count && found < 0; i++)
		found = look_at_deps(watch->peer, list[i], view, marked, list, &count, seen);
	free(seen);
	free(list);
	free(marked);
	return found;
}

/* ---- the verdict ---- */

static bool is_met(const struct peer_watch *watch, const struct peer_service *service)
{
	int condition = watch->condition;

	if (condition < 0)
		condition = service->type == TYPE_ONESHOT ? COND_COMPLETED : COND_HEALTHY;
	switch (condition) {
	case COND_COMPLETED:
		return service->state == STATE_COMPLETED;
	case COND_STARTED:
		return service->state == STATE_UNHEALTHY || service->state == STATE_COMPLETED ||
		       (service->state == STATE_STARTING && service->running) ||
		       state_is_ready(service->state);
	default:
		return state_is_ready(service->state);
	}
}

static void say_why(const struct peer_watch *watch, uint32_t service, char *reason)
{
	const struct peer *peer = watch->peer;
	const struct peer_service *of = &peer->report->services[service];
	const struct view *view = snapshot_refresh(peer->peers->snapshot);
	int index = view->present ? find_circle(watch, service, view) : -1;

	if (index >= 0)
		snprintf(reason, WHY_SIZE, "cycle %s -> %s/%s -> %s/%s", view->records[index].name,
			 peer->name, watch->service, peers_host(peer->peers),
			 view->records[index].name);
	else if (of->state < STATE_COUNT)
		snprintf(reason, WHY_SIZE, "it is %s there", state_name(of->state));
	else
		snprintf(reason, WHY_SIZE, "it is in no state that is known here");
}

static bool judge(const struct peer_watch *watch, char *reason)
{
	const struct peer *peer = watch->peer;
	int service = peer_report_find(peer->report, watch->service);

	if (peer->self)
		snprintf(reason, WHY_SIZE, "%s has this host's own name", peer->name);
	else if (service < 0)
		snprintf(reason, WHY_SIZE, "%s has no such service", peer->name);
	else if (is_met(watch, &peer->report->services[service]))
		return true;
	else
		say_why(watch, (uint32_t)service, reason);
	return false;
}

/* What was met is lost in fewer words: muster-init puts some of its own before them. */
static void say_silent(const struct peer_watch *watch, uint64_t now, char *reason)
{
	const struct peer *peer = watch->peer;
	uint64_t since = peer->heard ? peer->heard : peer->begun;
	unsigned long long seconds = (now - since) / NSEC_PER_SEC;

	snprintf(reason, WHY_SIZE, "%.20s %s for %llu %s: %s", peer->name,
		 watch->watch.told == 1 ? "is silent" : "has not answered",
		 seconds < 120 ? seconds : seconds / 60, seconds < 120 ? "s" : "min",
		 peer_error(peer));
}

/* ---- telling ---- */

static void tell(struct watch *watch, bool ok, char *reason, uint64_t now)
{
	reason[OUTCOME_REASON - 1] = '\0';
	if (watch->told != ok || (!ok && strcmp(reason, watch->probe.last.reason) != 0))
		watch_tell(watch, ok, reason, now);
}

/* A peer that is silent for a moment takes nothing back; one that is silent for long does. */
static void tell_watch(struct watch *at)
{
	const struct peer_watch *watch = of(at);
	const struct peer *peer = watch->peer;
	uint64_t now = clock_monotonic(), turn = loop_now(peer->peers->loop);
	enum peer_state state = peer_state_of(peer, now);
	char reason[WHY_SIZE] = "";
	bool ok;

	if (!peer->failing && state == PEER_OK) {
		if (peer->heard < watch->begun)
			return; /* what was heard before does not count */
		ok = judge(watch, reason);
		tell(at, ok, reason, turn);
	} else if (state == PEER_STALE || (peer->failing && at->told != 1)) {
		say_silent(watch, now, reason);
		tell(at, false, reason, turn);
	}
}

void peer_tell_watches(struct peer *peer)
{
	for (struct watch *at = peer->peers->watches; at; at = at->next)
		if (of(at)->peer == peer)
			tell_watch(at);
}

void peers_resume(struct peers *peers)
{
	for (struct watch *at = peers->watches; at; at = at->next)
		if (of(at)->peer && at->told < 0)
			tell_watch(at);
}

/* ---- watches ---- */

/* PEER/NAME[:condition] taken apart; the peer, or NULL. */
static struct peer *find_peer(struct peers *peers, struct peer_watch *watch, const char *text)
{
	const char *slash = strchr(text, '/'), *colon;

	if (!slash)
		return NULL;
	colon = strchr(slash, ':');
	watch->condition = -1;
	for (unsigned i = 0; colon && i < COND_COUNT; i++)
		if (strcmp(colon + 1, condition_name(i)) == 0)
			watch->condition = (int)i;
	snprintf(watch->service, sizeof(watch->service), "%.*s", (int)strcspn(slash + 1, ":"),
		 slash + 1);
	for (uint32_t i = 0; i < peers->count; i++)
		if (strlen(peers->list[i].name) == (size_t)(slash - text) &&
		    strncmp(peers->list[i].name, text, (size_t)(slash - text)) == 0)
			return &peers->list[i];
	return NULL;
}

void peers_watch(struct peers *peers, const struct probe_spec *spec, const char *name,
		 probe_report *report, void *data)
{
	struct peer_watch *watch = mem_alloc(sizeof(*watch));

	watch_drop(&peers->watches, spec->slot, 0);
	watch->peer = find_peer(peers, watch, name);
	watch->begun = clock_monotonic();
	if (!watch->peer) { /* init's configuration and ours are not the same: it never is met */
		free(watch);
		return;
	}
	watch_add(&peers->watches, &watch->watch, spec, report, data);
	tell_watch(&watch->watch);
	peer_hurry(watch->peer);
}

bool peers_drop(struct peers *peers, uint16_t slot, uint32_t serial)
{
	return watch_drop(&peers->watches, slot, serial);
}
