/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TIMELINE_SVG_H
#define MUSTER_TIMELINE_SVG_H

#include <stdint.h>
#include <stdio.h>

/*
 * The start-up as a picture: one bar a service, waiting, starting and ready, the critical path in a
 * colour of its own. A complete SVG document without outside resources or scripts; what does not
 * fit into a label is in the tooltip.
 */
struct timeline;

/* `until` is where bars of services that are not ready end (ns after boot). `host` is the title. */
void timeline_svg(FILE *out, const struct timeline *timeline, uint64_t until, const char *host);

#endif
