/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_EVENTS_H
#define SIDECAR_EVENTS_H

/*
 * GET /events: the feed as server-sent events, one stream for each client that stays. A stream with
 * nothing to send rests: it costs a place and no time, but for a comment now and then, by which a
 * network that has lost the client is noticed. A client that goes is seen at once; one that does
 * not read is ended when its next events are gone, or when a piece of its answer is not taken for
 * ANSWER_SECONDS.
 */
struct events;
struct sidecar;

/* Streams in all, and of other hosts than this one (loopback). */
#define STREAMS_MAX        32
#define STREAMS_REMOTE_MAX 24

#define BEAT_SECONDS 15   /* between comments */
#define RETRY_MS     3000 /* when a client that was cut off is to come again */

struct events *events_create(struct sidecar *sidecar);
/* Ends all streams, so that the HTTP server can be stopped; there are none from now on. */
void events_stop(struct events *events);
void events_destroy(struct events *events);

#endif
