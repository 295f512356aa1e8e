/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_NEWS_H
#define SIDECAR_NEWS_H

/*
 * Where the events of services come from beside a muster-init: its control socket, to which this
 * subscribes while somebody follows the feed, and for a while longer, so that one who was cut off
 * can go on. Where init is not there it is tried again; whatever may have been missed is told as a
 * gap.
 */
struct feed;
struct loop;
struct news;
struct snapshot;

#define NEWS_LINGER_SECONDS 15
#define NEWS_RETRY_SECONDS  1

/* `dir`: the runtime directory, borrowed. The snapshot tells which services are muster's own. */
struct news *news_create(struct loop *loop, struct feed *feed, struct snapshot *snapshot,
			 const char *dir);
void news_destroy(struct news *news);

#endif
