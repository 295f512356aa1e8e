/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_LOCAL_H
#define SIDECAR_LOCAL_H

#include <stdbool.h>

/*
 * Without muster-init (-c FILE) the sidecar itself is the source of what it tells: it probes the
 * services of type external, counts towards their thresholds, and writes a status page in memory,
 * which the rest reads as if PID 1 had written it.
 */
struct config;
struct feed;
struct live;
struct peers;
struct local;
struct loop;
struct probe;
struct prober;
struct status_page;

/* Whether the configuration can be served alone; if not, says why in the log, all of it. */
bool local_check(const struct config *config);

/* The configuration is borrowed for as long as the result lives. What changes is told to the feed.
 */
struct local *local_create(struct loop *loop, const struct config *config, struct feed *feed);
void local_start(struct local *local, struct prober *prober, struct live *live,
		 struct peers *peers);
const struct status_page *local_page(const struct local *local);
/* The report function of the prober, with the local as its data. */
bool local_report(void *local, struct probe *probe);
void local_destroy(struct local *local);

#endif
