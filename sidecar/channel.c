/* SPDX-License-Identifier: MIT */
#include "channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "book.h"
#include "clock.h"
#include "config.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "peers.h"
#include "probe.h"
#include "probe_link.h"
#include "snapshot.h"
#include "str.h"

#define BEAT_EVERY msec(LINK_BEAT_MS - 2000) /* 2 s for a busy machine */
#define BATCH      64                        /* messages taken before others have their turn */

struct channel {
	struct loop *loop;
	struct prober *prober;
	struct live *live;
	struct peers *peers;
	struct book_draft *draft;
	struct address_book *book; /* in force in `live` */
	struct snapshot *snapshot;
	channel_lost *lost;
	void *lost_data;
	int fd; /* -1: init is not there */
	struct loop_timer beat;
	uint64_t sent; /* when init was last told anything */
	bool stalled;  /* init's end is full: room is awaited */
};

int channel_descriptor(void)
{
	const char *text = getenv(LINK_VARIABLE);
	socklen_t size = sizeof(int);
	uint64_t number;
	int type;

	if (!text || !*text)
		return -ENOENT;
	if (!parse_uint(text, 65535, &number) ||
	    getsockopt((int)number, SOL_SOCKET, SO_TYPE, &type, &size) < 0 ||
	    type != SOCK_SEQPACKET || fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
		return -EINVAL;
	return (int)number;
}

static void listen_for(struct channel *channel, uint32_t events);

/* ---- to init ---- */

static bool channel_send(struct channel *channel, const void *message, size_t size)
{
	ssize_t n = send(channel->fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n >= 0) {
		channel->sent = loop_now(channel->loop);
		loop_arm(channel->loop, &channel->beat, channel->sent + BEAT_EVERY);
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
		channel->stalled = true;
		listen_for(channel, EPOLLIN | EPOLLOUT);
		return false;
	}
	/* init is gone; that is seen again when it is read, where probes may be dropped */
	if (!channel->lost)
		loop_stop(channel->loop, 0);
	return true;
}

static void send_beat(struct channel *channel)
{
	struct link_beat beat = {.type = LINK_BEAT};

	channel_send(channel, &beat, sizeof(beat));
}

/* When init's end is full the beat is not sent; another follows as soon as there is room. */
static void beat_due(void *data, uint64_t now)
{
	(void)now;
	send_beat(data);
}

/* Whether init wants to hear of it: failures always, successes up to the threshold. */
static bool is_news(const struct probe *probe)
{
	return !probe->last.ok || probe->streak <= probe->spec.success_threshold;
}

bool channel_report(void *data, struct probe *probe)
{
	struct channel *channel = data;
	struct link_result result = {
		.type = LINK_RESULT,
		.serial = probe->spec.serial,
		.probe = probe->spec.slot,
		.ok = probe->last.ok,
	};
	uint64_t micro = probe->last.latency / 1000;

	if (channel->fd < 0)
		return true;
	if (!is_news(probe)) {
		/* awake anyway: a beat now saves waking up for it */
		if (loop_now(channel->loop) - channel->sent > BEAT_EVERY / 2 && !channel->stalled)
			send_beat(channel);
		return true;
	}
	if (channel->stalled)
		return false;
	result.latency_us = micro > UINT32_MAX ? UINT32_MAX : (uint32_t)micro;
	memcpy(result.reason, probe->last.reason, sizeof(result.reason));
	return channel_send(channel, &result, sizeof(result));
}

/* ---- from init ---- */

static void take_watch(struct channel *channel, const struct link_watch *watch)
{
	struct probe_spec spec = {
		.serial = watch->serial,
		.slot = watch->probe,
		.service = watch->service,
		.role = watch->role,
		.kind = watch->kind,
		.period_ms = watch->period_ms,
		.timeout_ms = watch->timeout_ms ? watch->timeout_ms : 1,
		.initial_delay_ms = watch->initial_delay_ms,
		.success_threshold = watch->success_threshold ? watch->success_threshold : 1,
		.failure_threshold = watch->failure_threshold,
	};
	const struct view *view = snapshot_refresh(channel->snapshot);
	char url[sizeof(watch->target)];

	if (view->present && watch->service < view->header.record_count)
		memcpy(spec.name, view->records[watch->service].name, sizeof(spec.name));
	memcpy(url, watch->target, sizeof(url));
	url[sizeof(url) - 1] = '\0';
	if (strncmp(url, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0) {
		live_watch(channel->live, &spec, url + strlen(ADDRESS_PREFIX), channel_report,
			   channel);
		return;
	}
	if (strncmp(url, PEER_PREFIX, strlen(PEER_PREFIX)) == 0) {
		peers_watch(channel->peers, &spec, url + strlen(PEER_PREFIX), channel_report,
			    channel);
		return;
	}
	prober_watch(channel->prober, &spec, url);
}

/* ---- addresses ---- */

bool channel_answer(void *data, const struct link_answer *answer)
{
	struct channel *channel = data;

	if (channel->fd < 0)
		return true; /* told again with the next book */
	return !channel->stalled && channel_send(channel, answer, sizeof(*answer));
}

static void take_book(struct channel *channel, const struct link_book *end)
{
	struct address_book *book = book_finish(&channel->draft, end), *old = channel->book;

	if (!book) {
		log_warning("the address book from muster-init is not complete");
		return;
	}
	channel->book = book;
	live_set_book(channel->live, book, end->serial, false);
	book_free(old);
}

static void take_drop(struct channel *channel, const struct link_drop *drop)
{
	if (!live_drop(channel->live, drop->probe, drop->serial) &&
	    !peers_drop(channel->peers, drop->probe, drop->serial))
		prober_drop(channel->prober, drop->probe, drop->serial);
}

/* A message of an unknown type or size is from another version of init: passed over. */
static void take_message(struct channel *channel, const void *message, size_t size)
{
	uint32_t type;

	if (size < sizeof(type))
		return;
	memcpy(&type, message, sizeof(type));
	if (type == LINK_WATCH && size == sizeof(struct link_watch))
		take_watch(channel, message);
	else if (type == LINK_DROP && size == sizeof(struct link_drop))
		take_drop(channel, message);
	else if (type == LINK_STEP && size == sizeof(struct link_step))
		book_take_step(&channel->draft, message);
	else if (type == LINK_BOOK && size == sizeof(struct link_book))
		take_book(channel, message);
	else
		log_warning("message of type %u and %zu bytes from muster-init is not understood",
			    type, size);
}

static void hang_up(struct channel *channel)
{
	loop_disarm(channel->loop, &channel->beat);
	if (channel->fd < 0)
		return;
	loop_forget(channel->loop, channel->fd);
	close(channel->fd);
	channel->fd = -1;
	book_draft_free(&channel->draft);
}

/* The next init orders anew. The book stays: things still are where they were. */
static void lose(struct channel *channel)
{
	if (!channel->lost) {
		loop_stop(channel->loop, 0);
		return;
	}
	hang_up(channel);
	prober_drop_all(channel->prober);
	live_drop_all(channel->live);
	peers_drop_all(channel->peers);
	channel->lost(channel->lost_data);
}

static void take_messages(struct channel *channel)
{
	_Alignas(8) char message[sizeof(struct link_watch) + 8];

	for (int i = 0; i < BATCH; i++) {
		ssize_t n = recv(channel->fd, message, sizeof(message), MSG_DONTWAIT);

		if (n > 0) {
			take_message(channel, message, (size_t)n);
			continue;
		}
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
			return;
		log_debug("muster-init has closed the channel");
		lose(channel);
		return;
	}
}

static void channel_ready(void *data, int fd, uint32_t events)
{
	struct channel *channel = data;

	(void)fd;
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		take_messages(channel);
	if (events & EPOLLOUT && channel->fd >= 0 && channel->stalled) {
		channel->stalled = false;
		listen_for(channel, EPOLLIN);
		prober_resume(channel->prober);
		live_resume(channel->live);
		peers_resume(channel->peers);
		if (!channel->stalled)
			send_beat(channel);
	}
}

static void listen_for(struct channel *channel, uint32_t events)
{
	loop_watch(channel->loop, channel->fd, events, channel_ready, channel);
}

struct channel *channel_create(struct loop *loop, struct snapshot *snapshot)
{
	struct channel *channel = mem_alloc(sizeof(*channel));

	channel->loop = loop;
	channel->fd = -1;
	channel->snapshot = snapshot;
	channel->beat.call = beat_due;
	channel->beat.data = channel;
	return channel;
}

void channel_start(struct channel *channel, struct prober *prober, struct live *live,
		   struct peers *peers)
{
	channel->prober = prober;
	channel->live = live;
	channel->peers = peers;
}

void channel_open(struct channel *channel, int fd, channel_lost *lost, void *data)
{
	channel->fd = fd;
	channel->lost = lost;
	channel->lost_data = data;
	channel->stalled = false;
	listen_for(channel, EPOLLIN);
	send_beat(channel);
}

void channel_destroy(struct channel *channel)
{
	hang_up(channel);
	book_draft_free(&channel->draft);
	book_free(channel->book);
	free(channel);
}
