/* SPDX-License-Identifier: MIT */
#include "peers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "address.h"
#include "arena.h"
#include "clock.h"
#include "config.h"
#include "endpoint.h"
#include "expand.h"
#include "live.h"
#include "log.h"
#include "mem.h"
#include "peers_state.h"
#include "str.h"

#define LOOK_MS           1000 /* how often it is looked whether somebody has begun to wait */
#define DEFAULT_PERIOD_MS 10000

static const char state_names[PEER_STATES][8] = {"unknown", "ok", "stale"};

const char *peer_state_name(enum peer_state state)
{
	return state_names[state];
}

/* ---- what is known ---- */

const char *peer_error(const struct peer *peer)
{
	return peer->error[0] ? peer->error : "no answer yet";
}

enum peer_state peer_state_of(const struct peer *peer, uint64_t now)
{
	if (!peer->heard)
		return PEER_UNKNOWN;
	return now - peer->heard > PEER_STALE_PERIODS * msec(peer->period) ? PEER_STALE : PEER_OK;
}

static void tell_change(struct peer *peer)
{
	struct peers *peers = peer->peers;
	struct peer_view view;

	++*peers->revision;
	peers_view(peers, (uint32_t)(peer - peers->list), &view);
	if (peers->changed)
		peers->changed(peers->changed_data, &view);
}

static void note_state(struct peer *peer, uint64_t now)
{
	enum peer_state state = peer_state_of(peer, now);

	if (state == peer->known)
		return;
	if (state == PEER_STALE)
		log_warning("peer %s: not heard for %llu s: %s", peer->name,
			    (unsigned long long)((now - peer->heard) / NSEC_PER_SEC),
			    peer_error(peer));
	else
		log_info("peer %s: answers", peer->name);
	peer->known = (uint8_t)state;
	tell_change(peer);
}

/* ---- when ---- */

static uint64_t random_below(struct peers *peers, uint64_t limit)
{
	peers->random ^= peers->random << 13;
	peers->random ^= peers->random >> 7;
	peers->random ^= peers->random << 17;
	return peers->random % limit;
}

/* From the end of one pull to the begin of the next. */
static uint64_t pause_of(const struct peer *peer, bool awaited)
{
	uint64_t pause = msec(awaited && peer->period > PEER_FAST_MS ? PEER_FAST_MS : peer->period);
	unsigned most = awaited ? PEER_FAST_SLOWER : PEER_SLOWER, times = 1;

	for (unsigned i = 1; i < peer->failing && times < most; i++)
		times *= 2;
	pause *= times;
	return pause - pause / 10 + random_below(peer->peers, pause / 5 + 1);
}

/* The timer comes for the next pull, for becoming stale, or to look whether somebody waits. */
static void arm(struct peer *peer, uint64_t now)
{
	uint64_t at = peer->due;
	uint64_t stale = peer->heard + PEER_STALE_PERIODS * msec(peer->period) + 1;

	if (peer->heard && stale > now && stale < at)
		at = stale;
	if (peer_has_unmet(peer) && at > now + msec(LOOK_MS))
		at = now + msec(LOOK_MS);
	loop_arm(peer->peers->loop, &peer->timer, at);
}

static void plan(struct peer *peer)
{
	uint64_t now = clock_monotonic();

	peer->due = now + pause_of(peer, peer_is_awaited(peer));
	arm(peer, now);
}

void peer_hurry(struct peer *peer)
{
	uint64_t now = clock_monotonic(), soon = now + msec(1);

	if (peer->pulling || peer->queued || !peer->begun)
		return;
	if (soon < peer->due)
		peer->due = soon;
	arm(peer, now);
}

/* ---- where ---- */

struct expansion {
	const struct address_book *book;
	char text[ENDPOINT_SIZE];
};

static const char *no_variable(void *data, const char *name, size_t len)
{
	(void)data;
	(void)name;
	(void)len;
	return NULL;
}

/* NAME, NAME:host or NAME:port. */
static const char *address_now(void *data, const char *text, size_t len, const char **error)
{
	struct expansion *expansion = data;
	char name[CONFIG_NAME_MAX + 1] = "";
	const char *part = memchr(text, ':', len);
	const struct address_entry *entry;
	size_t size = part ? (size_t)(part - text) : len;

	if (size < sizeof(name))
		memcpy(name, text, size);
	entry = expansion->book ? address_find(expansion->book, name) : NULL;
	if (!entry || !entry->now) {
		*error = expansion->book ? "there is no such address"
					 : "the address book is not known yet";
		return NULL;
	}
	endpoint_format(expansion->text, entry->now->host, entry->now->port);
	if (part && part[1] == 'p')
		snprintf(expansion->text, sizeof(expansion->text), "%u", entry->now->port);
	else if (part)
		*strrchr(expansion->text, ':') = '\0'; /* brackets stay: it is a URL */
	return expansion->text;
}

/* The URL to be asked now, in peer->now. NULL, or why there is none. */
static const char *find_url(struct peer *peer)
{
	struct expansion expansion = {.book = live_book(peer->peers->live)};
	const struct expand_source source = {&expansion, no_variable, address_now};
	struct arena *arena = mem_check(arena_create());
	const char *error = "its URL is too long", *url = NULL;

	if (strlen(peer->url) <= PEER_URL_MAX)
		url = expand(arena, peer->url, &source, &error);
	if (url &&
	    snprintf(peer->now, sizeof(peer->now), "%s/status", url) >= (int)sizeof(peer->now)) {
		error = "its URL is too long";
		url = NULL;
	}
	if (!url)
		snprintf(peer->error, sizeof(peer->error), "%s", error);
	arena_destroy(arena);
	return url ? NULL : peer->error;
}

/* ---- what came ---- */

static void pull_failed(struct peer *peer, const char *error)
{
	if (error != peer->error)
		snprintf(peer->error, sizeof(peer->error), "%s", error);
	peer->failing++;
	peer->failures++;
	if (peer->failing == 1)
		log_debug("peer %s: %s", peer->name, peer->error);
}

/* What a peer says is taken as a whole or not at all. */
static const char *take_report(struct peer *peer, const struct pulled *pulled)
{
	const char *error;
	struct peer_report *report = peer_report_read(pulled->body, pulled->len, &error);
	bool same;

	if (!report)
		return error;
	same = peer->report && peer_report_same(peer->report, report);
	peer_report_free(peer->report);
	peer->report = report;
	snprintf(peer->etag, sizeof(peer->etag), "%s", pulled->etag);
	peer->self = strcmp(report->host, peers_host(peer->peers)) == 0;
	if (!same && peer->known == PEER_OK)
		tell_change(peer);
	return NULL;
}

static void take_next(struct peers *peers);

static void pulled_it(void *data, const struct pulled *pulled)
{
	struct peer *peer = data;
	const char *error = pulled->error;

	peer->pulling = false;
	peer->pulls++;
	peer->received += pulled->received;
	if (!error && !pulled->same)
		error = take_report(peer, pulled);
	if (error) {
		pull_failed(peer, error);
	} else {
		peer->failing = 0;
		peer->error[0] = '\0';
		peer->heard = clock_monotonic();
		peer->heard_realtime = clock_realtime();
	}
	note_state(peer, clock_monotonic());
	peer_tell_watches(peer);
	plan(peer);
	take_next(peer->peers);
}

/* ---- asking ---- */

static void begin_pull(struct peer *peer)
{
	const char *error = find_url(peer);

	if (!peer->begun)
		peer->begun = clock_monotonic();
	peer->queued = false;
	if (error) {
		pull_failed(peer, error);
		peer_tell_watches(peer);
		plan(peer);
		return;
	}
	peer->pulling = true;
	peer->due = clock_monotonic() + msec(PULL_TIMEOUT_MS);
	arm(peer, clock_monotonic()); /* it may become stale meanwhile */
	pull_begin(peer->peers->puller, peer->now, peer->report ? peer->etag : "", pulled_it, peer);
}

/* Who did not answer the last time may take its whole time again, and has half of the room only. */
static bool has_room(const struct peers *peers, const struct peer *peer)
{
	unsigned suspects = 0;

	if (!puller_has_room(peers->puller))
		return false;
	for (uint32_t i = 0; peer->failing && i < peers->count; i++)
		suspects += peers->list[i].pulling && peers->list[i].failing;
	return suspects < PULLS_MAX / 2;
}

/* Those for whom there was no room, in turn; first those that somebody waits for. */
static void take_next(struct peers *peers)
{
	if (peers->taking)
		return; /* a pull that is over at once */
	peers->taking = true;
	for (int awaited = 1; awaited >= 0; awaited--)
		for (uint32_t i = 0, first = peers->next; i < peers->count; i++) {
			struct peer *peer = &peers->list[(first + i) % peers->count];

			if (!peer->queued || (awaited && !peer_has_unmet(peer)) ||
			    !has_room(peers, peer))
				continue;
			peers->next = (uint32_t)(peer - peers->list) + 1;
			begin_pull(peer);
		}
	peers->taking = false;
}

static void timer_expired(void *data, uint64_t now)
{
	struct peer *peer = data;

	note_state(peer, now);
	peer_tell_watches(peer);
	if (peer->pulling || peer->queued)
		return;
	if (peer->due > now && peer_is_awaited(peer) &&
	    peer->due > now + msec(PEER_FAST_MS * PEER_FAST_SLOWER))
		peer->due = now;
	if (peer->due > now) {
		arm(peer, now);
		return;
	}
	peer->queued = true;
	take_next(peer->peers);
}

/* ---- for those who ask ---- */

uint32_t peers_count(const struct peers *peers)
{
	return peers->count;
}

static const char *oddity(const struct peer *peer)
{
	static char text[128];

	if (peer->error[0])
		return peer->error;
	if (peer_state_of(peer, clock_monotonic()) != PEER_OK)
		return peer->begun ? peer_error(peer) : "not asked yet";
	if (peer->self)
		return "it has this host's own name: a loop, or two hosts with one name";
	if (strcmp(peer->report->host, peer->name) == 0)
		return NULL;
	snprintf(text, sizeof(text), "it calls itself %s", peer->report->host);
	return text;
}

void peers_view(struct peers *peers, uint32_t index, struct peer_view *view)
{
	const struct peer *peer = &peers->list[index];

	*view = (struct peer_view){
		.name = peer->name,
		.url = peer->now[0] ? peer->now : peer->url,
		.state = peer_state_of(peer, clock_monotonic()),
		.heard = peer->heard,
		.heard_realtime = peer->heard_realtime,
		.report = peer->report,
		.error = oddity(peer),
		.pulls = peer->pulls,
		.failures = peer->failures,
		.received = peer->received,
	};
}

void peers_on_change(struct peers *peers, peers_changed *call, void *data)
{
	peers->changed = call;
	peers->changed_data = data;
}

/* ---- life ---- */

static void add_peer(struct peers *peers, const char *name, const char *url, uint32_t period)
{
	peers->list = mem_resize(peers->list, peers->count + 1, sizeof(*peers->list));
	peers->list[peers->count] = (struct peer){.name = mem_strdup(name),
						  .url = mem_strdup(url),
						  .period = period,
						  .known = PEER_UNKNOWN};
	peers->count++;
}

/* As in [peer:NAME]: without a user, as everybody is told the URL. */
static bool is_url(const char *text)
{
	const char *host = strstr(text, "://");

	if (strncmp(text, "http://", 7) != 0 && strncmp(text, "https://", 8) != 0)
		return false;
	host += 3;
	return !memchr(host, '@', strcspn(host, "/")) && !strpbrk(host, "?#");
}

/* NAME[/PERIOD]=URL */
static bool take_option(struct peers *peers, const char *option)
{
	char *text = mem_strdup(option), *url = strchr(text, '='), *period, shown[URL_SHOWN];
	uint32_t ms = DEFAULT_PERIOD_MS;
	bool good = url && url != text;

	if (good)
		*url++ = '\0';
	period = strchr(text, '/');
	if (good && period) {
		*period++ = '\0';
		good = parse_duration(period, &ms) && ms >= 100;
	}
	good = good && *text && strlen(text) <= CONFIG_NAME_MAX && strlen(url) <= PEER_URL_MAX &&
	       is_url(url);
	for (size_t len = good ? strlen(url) : 0; len && url[len - 1] == '/';)
		url[--len] = '\0';
	if (good && peers->count == PEERS_MAX) {
		log_error("--peer and [peer:...]: there may be %d peers at most", PEERS_MAX);
		good = false;
	} else if (good) {
		add_peer(peers, text, url, ms);
	} else {
		log_error("--peer: \"%s\": expected NAME[/PERIOD]=URL, as in "
			  "pc2/10s=http://pc2:9180",
			  url_mask(shown, sizeof(shown), option));
	}
	free(text);
	return good;
}

struct peers *peers_create(const struct peers_source *source)
{
	struct peers *peers = mem_alloc(sizeof(*peers));
	const struct config *config = source->config;
	bool good = true;

	peers->loop = source->loop;
	peers->live = source->live;
	peers->snapshot = source->snapshot;
	peers->host = source->host;
	peers->revision = source->revision;
	peers->puller = puller_create(source->loop, source->resolver);
	for (uint32_t i = 0; config && i < config->peer_count; i++)
		add_peer(peers, config->peers[i].name, config->peers[i].url,
			 config->peers[i].period);
	for (const char *const *option = source->options; *option && good; option++)
		good = take_option(peers, *option);
	if (getrandom(&peers->random, sizeof(peers->random), 0) != sizeof(peers->random) ||
	    !peers->random)
		peers->random = clock_monotonic() | 1;
	if (good)
		return peers;
	peers_destroy(peers);
	return NULL;
}

void peers_start(struct peers *peers)
{
	for (uint32_t i = 0; i < peers->count; i++) {
		struct peer *peer = &peers->list[i];

		peer->peers = peers;
		peer->timer.call = timer_expired;
		peer->timer.data = peer;
		peer->due = clock_monotonic() + random_below(peers, msec(50));
		loop_arm(peers->loop, &peer->timer, peer->due);
	}
}

void peers_drop_all(struct peers *peers)
{
	watch_drop_all(&peers->watches);
}

void peers_destroy(struct peers *peers)
{
	peers_drop_all(peers);
	for (uint32_t i = 0; i < peers->count; i++) {
		struct peer *peer = &peers->list[i];

		pull_cancel(peers->puller, peer);
		loop_disarm(peers->loop, &peer->timer);
		peer_report_free(peer->report);
		free((void *)(uintptr_t)peer->name);
		free((void *)(uintptr_t)peer->url);
	}
	puller_destroy(peers->puller);
	free(peers->list);
	free(peers);
}
