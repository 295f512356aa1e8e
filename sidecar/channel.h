/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_CHANNEL_H
#define SIDECAR_CHANNEL_H

#include <stdbool.h>

/*
 * The sidecar's end of the channel to muster-init (probe_link.h): takes orders to probe, reports
 * what came of it, and lets init know that the loop turns. When init closes its end, all that it
 * had ordered ends.
 */
struct channel;
struct link_answer;
struct live;
struct loop;
struct peers;
struct probe;
struct prober;
struct snapshot;

/*
 * The descriptor that LINK_VARIABLE names: >= 0; -ENOENT: there is no such variable; -EINVAL: it
 * names no socket of the right kind.
 */
int channel_descriptor(void);

/*
 * The prober's report function must be channel_report with this channel as its data. The snapshot
 * tells the names of services: their index in the page, which init sends, may change.
 */
struct channel *channel_create(struct loop *loop, struct snapshot *snapshot);
/* Whom the orders are for. Before channel_open. */
void channel_start(struct channel *channel, struct prober *prober, struct live *live,
		   struct peers *peers);
/* Init is at the other end of fd, which is the channel's from here on. `lost` is called when it is
 * no more; NULL: the loop is stopped then with code 0, as there is nobody left to work for. */
typedef void channel_lost(void *data);
void channel_open(struct channel *channel, int fd, channel_lost *lost, void *data);
bool channel_report(void *channel, struct probe *probe);
/* The report function of the live addresses, likewise. */
bool channel_answer(void *channel, const struct link_answer *answer);
/* The live addresses, which use its book, must be gone. */
void channel_destroy(struct channel *channel);

#endif
