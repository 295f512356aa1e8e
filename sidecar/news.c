/* SPDX-License-Identifier: MIT */
#include "news.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "feed.h"
#include "loop.h"
#include "mem.h"
#include "reach.h"
#include "snapshot.h"
#include "values.h"
#include "wire.h"

#define BATCH 64 /* packets before others have their turn */

struct news {
	struct loop *loop;
	struct feed *feed;
	struct snapshot *snapshot;
	const char *dir;
	int fd; /* < 0: not subscribed */
	struct loop_timer retry;
	struct loop_timer linger;
};

/* ---- what comes ---- */

static bool is_internal(struct news *news, const struct wire_event *event)
{
	const struct view *view = snapshot_refresh(news->snapshot);

	return view->present && event->service < view->header.record_count &&
	       strcmp(view->records[event->service].name, event->name) == 0 &&
	       !view_is_shown(view, event->service);
}

static void publish_address(struct feed *feed, const struct wire_event *event)
{
	feed_publish_value(feed, "address",
			   json_pack("{s:o, s:o, s:o}", "address", value_text(event->name), "place",
				     *event->reason ? value_text(event->reason) : json_null(),
				     "time", value_time(event->time_realtime)));
}

static void take_event(struct news *news, const struct wire_event *sent)
{
	struct wire_event event = *sent;

	event.name[sizeof(event.name) - 1] = '\0';
	event.reason[sizeof(event.reason) - 1] = '\0';
	if (event.service == WIRE_EVENT_SYSTEM)
		feed_publish_phase(news->feed, event.state, event.time_realtime);
	else if (event.service == WIRE_EVENT_ADDRESS)
		publish_address(news->feed, &event);
	else if (!is_internal(news, &event))
		feed_publish_state(news->feed, event.name, event.state, event.reason,
				   event.time_realtime);
}

/* False: this is no init that we understand. */
static bool take_packet(struct news *news, const void *packet, size_t len)
{
	const void *body;
	size_t size;

	switch (wire_decode(packet, len, &body, &size)) {
	case WIRE_DONE:
		/* from here on nothing is missed, but what came before is not known */
		feed_publish_gap(news->feed, "what came before was not followed");
		return true;
	case WIRE_EVENT:
		if (size < sizeof(struct wire_event))
			return false;
		take_event(news, body);
		return true;
	case WIRE_LOST:
		feed_publish_gap(news->feed, "events came too fast");
		return true;
	default:
		return false;
	}
}

/* ---- the subscription ---- */

static void hang_up(struct news *news)
{
	if (news->fd < 0)
		return;
	loop_forget(news->loop, news->fd);
	close(news->fd);
	news->fd = -1;
}

static void try_later(struct news *news)
{
	hang_up(news);
	loop_arm(news->loop, &news->retry,
		 loop_now(news->loop) + NEWS_RETRY_SECONDS * NSEC_PER_SEC);
}

static void news_ready(void *data, int fd, uint32_t events)
{
	union {
		struct wire_header header; /* for its alignment */
		char bytes[sizeof(struct wire_header) + WIRE_BODY_MAX];
	} packet;
	struct news *news = data;

	(void)events;
	for (int i = 0; i < BATCH; i++) {
		ssize_t len = recv(fd, &packet, sizeof(packet), MSG_DONTWAIT);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len <= 0 || !take_packet(news, &packet, (size_t)len)) {
			try_later(news);
			return;
		}
	}
}

static void subscribe(struct news *news)
{
	char packet[sizeof(struct wire_header) + WIRE_BODY_MAX];
	size_t len = wire_encode(packet, WIRE_EVENTS, NULL, 0, NULL, 0);

	news->fd = reach_connect(news->dir);
	if (news->fd < 0 || send(news->fd, packet, len, MSG_NOSIGNAL) != (ssize_t)len ||
	    loop_watch(news->loop, news->fd, EPOLLIN, news_ready, news) < 0)
		try_later(news);
}

static void retry_due(void *data, uint64_t now)
{
	(void)now;
	subscribe(data);
}

/* Nobody has come again. */
static void linger_over(void *data, uint64_t now)
{
	struct news *news = data;

	(void)now;
	hang_up(news);
}

static void followed(void *data, bool is_followed)
{
	struct news *news = data;

	if (is_followed) {
		loop_disarm(news->loop, &news->linger);
		if (news->fd < 0)
			subscribe(news);
		return;
	}
	loop_disarm(news->loop, &news->retry);
	if (news->fd >= 0)
		loop_arm(news->loop, &news->linger,
			 loop_now(news->loop) + NEWS_LINGER_SECONDS * NSEC_PER_SEC);
}

struct news *news_create(struct loop *loop, struct feed *feed, struct snapshot *snapshot,
			 const char *dir)
{
	struct news *news = mem_alloc(sizeof(*news));

	news->loop = loop;
	news->feed = feed;
	news->snapshot = snapshot;
	news->dir = dir;
	news->fd = -1;
	news->retry.call = retry_due;
	news->retry.data = news;
	news->linger.call = linger_over;
	news->linger.data = news;
	feed_on_followed(feed, followed, news);
	return news;
}

void news_destroy(struct news *news)
{
	feed_on_followed(news->feed, NULL, NULL);
	hang_up(news);
	loop_disarm(news->loop, &news->retry);
	loop_disarm(news->loop, &news->linger);
	free(news);
}
