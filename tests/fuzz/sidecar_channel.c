/* SPDX-License-Identifier: MIT */
/*
 * What goes on at the sidecar's end of its channel, one step after the other: messages from
 * muster-init, right ones and any other, results that are to be reported, time, an init that does
 * not read, one that goes, and the next one. Each order reaches just one of those who carry orders
 * out; what was reported arrives once, in order, and while there is room nothing is turned away;
 * init hears something in time; and when it goes all that it had ordered ends, but for its book.
 */
#include "channel.h"

#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../sidecar/loop.h"
#include "address.h"
#include "clock.h"
#include "config.h"
#include "live.h"
#include "log.h"
#include "peers.h"
#include "probe.h"
#include "probe_link.h"
#include "snapshot.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REPORTS 512

/* Who carries out an order. */
enum party { PARTY_NONE, PARTY_PROBER, PARTY_LIVE, PARTY_PEERS };

static struct {
	struct channel *channel;
	int init, sidecar; /* the ends; -1: there is no init */
	uint64_t now;
	loop_ready *ready;
	void *data;
	uint32_t events;
	struct loop_timer *beat;
	bool lost;
	/* what became of the last message */
	unsigned orders, drops, ended, resumed, books;
	const struct link_watch *watch;
	const struct address_book *book;
	/* reported, and not yet read by init */
	uint32_t reports[REPORTS];
	unsigned first, behind;
} world;

/* ---- the loop, as channel.c sees it ---- */

uint64_t loop_now(const struct loop *loop)
{
	(void)loop;
	return world.now;
}

int loop_watch(struct loop *loop, int fd, uint32_t events, loop_ready *call, void *data)
{
	(void)loop;
	if (fd != world.sidecar)
		abort();
	world.ready = call;
	world.data = data;
	world.events = events;
	return 0;
}

void loop_forget(struct loop *loop, int fd)
{
	(void)loop;
	if (fd != world.sidecar)
		abort();
	world.ready = NULL;
	world.sidecar = -1;
}

void loop_arm(struct loop *loop, struct loop_timer *timer, uint64_t at)
{
	(void)loop;
	world.beat = timer;
	timer->at = at;
}

void loop_disarm(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	if (world.beat && world.beat != timer)
		abort();
	world.beat = NULL;
}

/* Only for a sidecar whose end it is when init goes. */
void loop_stop(struct loop *loop, int code)
{
	(void)loop;
	(void)code;
	abort();
}

const struct view *snapshot_refresh(struct snapshot *snapshot)
{
	static struct status_record records[2] = {{.name = "web"}, {.name = "db"}};
	static const struct view view = {
		.present = true, .header = {.record_count = 2}, .records = records};

	(void)snapshot;
	return &view;
}

/* ---- who carries out orders ---- */

static void order(enum party party, const struct probe_spec *spec, const char *target)
{
	static const char *const prefixes[] = {
		[PARTY_PROBER] = "", [PARTY_LIVE] = ADDRESS_PREFIX, [PARTY_PEERS] = PEER_PREFIX};
	const struct link_watch *watch = world.watch;
	size_t prefix = strlen(prefixes[party]), room = sizeof(watch->target) - 1;

	world.orders++;
	if (!watch || spec->serial != watch->serial || spec->slot != watch->probe ||
	    !spec->timeout_ms || !spec->success_threshold ||
	    strnlen(spec->name, sizeof(spec->name)) == sizeof(spec->name))
		abort();
	if (strcmp(spec->name, watch->service == 0 ? "web" : watch->service == 1 ? "db" : "") != 0)
		abort();
	if (strncmp(watch->target, prefixes[party], prefix) != 0 ||
	    strlen(target) != strnlen(watch->target, room) - prefix ||
	    strncmp(watch->target + prefix, target, room - prefix) != 0)
		abort();
	if (party == PARTY_PROBER &&
	    (strncmp(target, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0 ||
	     strncmp(target, PEER_PREFIX, strlen(PEER_PREFIX)) == 0))
		abort();
}

void prober_watch(struct prober *prober, const struct probe_spec *spec, const char *url)
{
	(void)prober;
	order(PARTY_PROBER, spec, url);
}

void live_watch(struct live *live, const struct probe_spec *spec, const char *name,
		probe_report *report, void *data)
{
	(void)live;
	if (report != channel_report || data != world.channel)
		abort();
	order(PARTY_LIVE, spec, name);
}

void peers_watch(struct peers *peers, const struct probe_spec *spec, const char *name,
		 probe_report *report, void *data)
{
	(void)peers;
	if (report != channel_report || data != world.channel)
		abort();
	order(PARTY_PEERS, spec, name);
}

/* The lowest bits of a serial say whose it is. */
static bool drop(enum party party, uint32_t serial)
{
	bool mine = serial % 4 == party;

	world.drops += mine || party == PARTY_PROBER;
	return mine;
}

void prober_drop(struct prober *prober, uint16_t slot, uint32_t serial)
{
	(void)prober;
	(void)slot;
	if (serial % 4 == PARTY_LIVE || serial % 4 == PARTY_PEERS)
		abort();
	drop(PARTY_PROBER, serial);
}

bool live_drop(struct live *live, uint16_t slot, uint32_t serial)
{
	(void)live;
	(void)slot;
	return drop(PARTY_LIVE, serial);
}

bool peers_drop(struct peers *peers, uint16_t slot, uint32_t serial)
{
	(void)peers;
	(void)slot;
	return drop(PARTY_PEERS, serial);
}

void prober_drop_all(struct prober *prober)
{
	(void)prober;
	world.ended++;
}

void live_drop_all(struct live *live)
{
	(void)live;
	world.ended++;
}

void peers_drop_all(struct peers *peers)
{
	(void)peers;
	world.ended++;
}

void prober_resume(struct prober *prober)
{
	(void)prober;
	world.resumed++;
}

void live_resume(struct live *live)
{
	(void)live;
	world.resumed++;
}

void peers_resume(struct peers *peers)
{
	(void)peers;
	world.resumed++;
}

/* All of the book that is in force can be read, for as long as it is. */
static void look_at(const struct address_book *book)
{
	size_t letters = 0;

	for (uint32_t i = 0; book && i < book->count; i++) {
		const struct address_entry *entry = &book->entries[i];

		letters += strlen(entry->name) + (entry->tried ? strlen(entry->tried) : 0);
		for (uint32_t n = 0; n < entry->count; n++)
			letters += strlen(entry->candidates[n].host);
	}
	if (letters > (1 << 24))
		abort();
}

void live_set_book(struct live *live, const struct address_book *book, uint32_t serial, bool all)
{
	(void)live;
	(void)serial;
	look_at(world.book);
	look_at(book);
	if (all || !book)
		abort();
	world.book = book;
	world.books++;
}

static void lost(void *data)
{
	if (data != &world || world.lost)
		abort();
	world.lost = true;
}

/* ---- muster-init ---- */

static void take_report(uint32_t number)
{
	if (world.first == world.behind || world.reports[world.first++] != number)
		abort();
}

static void read_message(const char *message, size_t size)
{
	struct link_result result;
	struct link_answer answer;
	uint32_t type;

	memcpy(&type, message, sizeof(type));
	if (type == LINK_RESULT && size == sizeof(result)) {
		memcpy(&result, message, sizeof(result));
		if (strnlen(result.reason, sizeof(result.reason)) == sizeof(result.reason))
			abort();
		take_report(result.serial);
	} else if (type == LINK_ANSWER && size == sizeof(answer)) {
		memcpy(&answer, message, sizeof(answer));
		take_report(answer.serial);
	} else if (type != LINK_BEAT || size != sizeof(struct link_beat)) {
		abort();
	}
}

static void init_reads(void)
{
	char message[2048];
	ssize_t n;

	while (world.init >= 0 &&
	       (n = recv(world.init, message, sizeof(message), MSG_DONTWAIT)) > 0)
		read_message(message, (size_t)n);
}

/* What is asked for, and so. */
static void serve(void)
{
	for (int i = 0; world.ready; i++) {
		struct pollfd poller = {.fd = world.sidecar, .events = (short)world.events};

		if (i > 100)
			abort();
		poll(&poller, 1, 0);
		if (!(poller.revents & (int)(world.events | EPOLLHUP | EPOLLERR)))
			return;
		world.ready(world.data, world.sidecar, (uint32_t)poller.revents);
	}
}

static void init_sends(const void *message, size_t size)
{
	world.orders = world.drops = world.books = 0;
	if (world.init < 0)
		return;
	if (send(world.init, message, size, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)size)
		abort();
	serve();
}

static void init_begins(void)
{
	int pair[2], size = 1; /* the least there is */

	if (world.init >= 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	world.init = pair[0];
	world.sidecar = pair[1];
	world.lost = false;
	world.first = world.behind = 0;
	channel_open(world.channel, pair[1], lost, &world);
}

static void init_goes(void)
{
	if (world.init < 0)
		return;
	init_reads();
	close(world.init);
	world.init = -1;
	world.ended = 0;
	serve();
	if (!world.lost || world.ended != 3 || world.ready || world.beat || world.sidecar >= 0)
		abort();
}

/* ---- steps ---- */

static void send_watch(struct take *take)
{
	static const char *const begins[] = {"tcp://h:1", ADDRESS_PREFIX, PEER_PREFIX, ""};
	struct link_watch watch = {.type = LINK_WATCH};
	uint8_t bits = take_byte(take);
	char *text = take_text(take);
	size_t len = (size_t)snprintf(watch.target, sizeof(watch.target), "%s%s", begins[bits & 3],
				      text);

	watch.serial = bits;
	watch.probe = take_byte(take);
	watch.service = bits >> 2 & 3;
	watch.timeout_ms = bits >> 4 & 1;
	watch.success_threshold = bits >> 5 & 1;
	if (bits & 64) /* one that does not end */
		memset(watch.target + (len < 1000 ? len : 0), 'x',
		       sizeof(watch.target) - (len < 1000 ? len : 0));
	free(text);
	world.watch = &watch;
	init_sends(&watch, sizeof(watch));
	world.watch = NULL;
	if (world.init >= 0 && world.orders != 1)
		abort();
}

static void send_drop(struct take *take)
{
	struct link_drop drop_it = {.type = LINK_DROP, .serial = take_byte(take)};

	init_sends(&drop_it, sizeof(drop_it));
	if (world.init >= 0 && world.drops != 1)
		abort();
}

static void send_step(struct take *take)
{
	struct link_step step = {.type = LINK_STEP, .found = true, .host = "host"};
	uint8_t bits = take_byte(take);

	step.address = bits & 7;
	step.serial = bits >> 6;
	step.found = !(bits & 8);
	snprintf(step.name, sizeof(step.name), "n%u", bits & 7);
	init_sends(&step, sizeof(step));
}

static void send_end(struct take *take)
{
	struct link_book end = {.type = LINK_BOOK};
	uint8_t bits = take_byte(take);

	end.addresses = bits & 7;
	end.serial = bits >> 6;
	init_sends(&end, sizeof(end));
	if (world.books > 1)
		abort();
}

/* Of any type and size, but none that is right. */
static void send_other(struct take *take)
{
	char message[1200] = {0};
	uint8_t type = take_byte(take), bits = take_byte(take);
	size_t size = (size_t)bits * 5;
	const size_t right[] = {0, sizeof(struct link_watch), sizeof(struct link_drop), 0,
				0, sizeof(struct link_step),  sizeof(struct link_book)};

	size = size > sizeof(message) ? sizeof(message) : size < 1 ? 1 : size;
	message[0] = (char)type;
	if (type < 7 && size == right[type])
		return;
	init_sends(message, size);
	if (world.orders || world.drops || world.books)
		abort();
}

/* Whether init is to hear of it is known here, too. */
static void report(struct take *take)
{
	uint8_t bits = take_byte(take);
	struct probe probe = {.spec = {.serial = world.behind, .success_threshold = 2},
			      .last = {.ok = bits & 1, .latency = (uint64_t)bits << 40},
			      .streak = bits >> 1 & 3};
	bool news = !probe.last.ok || probe.streak <= 2, stalled = world.events & EPOLLOUT;

	if (world.behind == REPORTS)
		return;
	memset(probe.last.reason, 'r', sizeof(probe.last.reason) - 1);
	if (news && world.init >= 0)
		world.reports[world.behind] = world.behind;
	if (!channel_report(world.channel, &probe)) {
		if (world.init < 0 || !news || !(world.events & EPOLLOUT))
			abort();
	} else if (news && world.init >= 0) {
		if (stalled)
			abort();
		world.behind++;
	}
}

static void tell_address(void)
{
	struct link_answer answer = {.type = LINK_ANSWER, .serial = world.behind};

	if (world.behind == REPORTS)
		return;
	world.reports[world.behind] = world.behind;
	if (channel_answer(world.channel, &answer))
		world.behind += world.init >= 0;
	else if (world.init < 0 || !(world.events & EPOLLOUT))
		abort();
}

static void pass_time(uint8_t how_long)
{
	world.now += (uint64_t)how_long * (NSEC_PER_SEC / 8);
	if (world.beat && world.beat->at <= world.now) {
		struct loop_timer *timer = world.beat;

		world.beat = NULL;
		timer->call(timer->data, world.now);
	}
}

static void step(struct take *take)
{
	uint8_t what = take_byte(take);

	switch (what & 15) {
	case 0:
	case 1:
		send_watch(take);
		break;
	case 2:
		send_drop(take);
		break;
	case 3:
	case 4:
		send_step(take);
		break;
	case 5:
		send_end(take);
		break;
	case 6:
		send_other(take);
		break;
	case 7:
		init_reads();
		world.resumed = 0;
		serve();
		if (world.resumed > 3)
			abort();
		break;
	case 8:
		init_goes();
		break;
	case 9:
		init_begins();
		break;
	case 10:
	case 11:
		pass_time(what >> 4);
		break;
	case 12:
		tell_address();
		break;
	default:
		report(take);
		break;
	}
}

/* Whoever could be told is waited for no longer than the beat. */
static void check_state(void)
{
	bool connected = world.init >= 0;

	if (connected != (world.ready != NULL) || (connected && !(world.events & EPOLLIN)))
		abort();
	if (connected && !(world.events & EPOLLOUT) &&
	    (!world.beat || world.beat->at > world.now + msec(LINK_BEAT_MS)))
		abort();
	look_at(world.book);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};

	log_open("fuzz", LOG_ERROR);
	memset(&world, 0, sizeof(world));
	world.init = world.sidecar = -1;
	world.now = NSEC_PER_SEC;
	world.channel = channel_create(NULL, NULL);
	channel_start(world.channel, NULL, NULL, NULL);
	init_begins();
	while (take_left(&take)) {
		step(&take);
		check_state();
	}
	init_reads();
	serve();
	init_reads();
	if (world.first != world.behind)
		abort();
	channel_destroy(world.channel);
	if (world.ready || world.beat)
		abort();
	if (world.init >= 0)
		close(world.init);
	return 0;
}
