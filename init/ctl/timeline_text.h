/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TIMELINE_TEXT_H
#define MUSTER_TIMELINE_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* The start-up drawn in characters, and what can be learned from it. */
struct config;
struct timeline;

struct timeline_style {
	uint64_t until; /* ns after boot: where bars of services that are not ready end */
	unsigned width; /* columns; 0: 100 */
	bool colour;
	const struct config *config; /* of the services; NULL: not known */
};

void timeline_text(FILE *out, const struct timeline *timeline, const struct timeline_style *style);

/* How long nobody looks whether the service is ready (ns): the initial delay of its readiness
 * probes. 0 also when that is not known. */
uint64_t timeline_delay(const struct config *config, const char *name);

#endif
