/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_FEED_H
#define SIDECAR_FEED_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What has happened, for whoever follows /events. Parts of the sidecar publish, readers are given
 * what they have not had yet. The last events are kept, so that a reader who was away can go on
 * where it stopped; one who was away for too long is told so, by an event `reset`: what it knows
 * may be old, and it is to read /status again.
 *
 * Events are numbered without gaps. The first number is the time at which the sidecar began, in
 * microseconds: a number that a client has from an earlier life is always too old.
 */
struct feed;

/* Events and bytes kept; one event of more bytes than the last is not told but makes a `reset`. */
#define FEED_EVENTS    256
#define FEED_BYTES     65536
#define FEED_EVENT_MAX 8192

struct feed *feed_create(uint64_t begin_realtime);
void feed_destroy(struct feed *feed); /* its readers must have left */

/* ---- to tell something ---- */

/* `event` is a word (peer, warn); `json` an object on one line. Both are copied. */
void feed_publish(struct feed *feed, const char *event, const char *json);
/* The same with a value, whose reference is taken. */
void feed_publish_value(struct feed *feed, const char *event, json_t *value);
/* A service is in another state since `realtime` (ns). An empty reason is told as null. */
void feed_publish_state(struct feed *feed, const char *service, unsigned state, const char *reason,
			uint64_t realtime);
/* The whole is in another phase. */
void feed_publish_phase(struct feed *feed, unsigned phase, uint64_t realtime);
/* Something may have happened that was not told: `reset` for all who read, and for all who want to
 * go on from before. `why` is for people. */
void feed_publish_gap(struct feed *feed, const char *why);

/* ---- to follow ---- */

struct feed_reader {
	struct feed_reader *next, *previous; /* the feed's */
	uint64_t at;                         /* number of the next event */
	size_t offset;                       /* bytes of it that were given */
	/* Called when there is something to read; not to be called back from there. */
	void (*wake)(struct feed_reader *reader);
};

/* `last`: the number of the last event that it has, from an earlier reading; 0: it begins. False:
 * it is too old (or is none of ours), and the reader begins with what comes now. */
bool feed_join(struct feed *feed, struct feed_reader *reader, uint64_t last);
void feed_leave(struct feed *feed, struct feed_reader *reader);
/* Fills the buffer with what comes next, in the form of an event stream. Bytes, 0: nothing for now,
 * -1: the reader is so far behind that its next event is gone. */
ssize_t feed_read(struct feed *feed, struct feed_reader *reader, char *buffer, size_t size);
/* The number of the last event. */
uint64_t feed_last(const struct feed *feed);

/* Told when the first reader comes (true) and when the last one has left (false). There is one. */
typedef void feed_followed(void *data, bool followed);
void feed_on_followed(struct feed *feed, feed_followed *call, void *data);

#endif
