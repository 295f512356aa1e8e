/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_TIMELINE_COMPARE_H
#define MUSTER_TIMELINE_COMPARE_H

#include <stdint.h>
#include <stdio.h>

/*
 * This start-up beside earlier ones (common/durations.h): each service against the median of the
 * earlier runs, slower or faster beyond 10 % and 5 ms.
 */
struct json_out;
struct durations;
struct timeline;

/* `boot` is that of the page that the timeline is of: what the file has of this run is no earlier
 * one. */
void compare_text(FILE *out, const struct timeline *timeline, const struct durations *durations,
		  uint64_t boot);
/* A member `compare` of the open object. */
void compare_json(struct json_out *json, const struct timeline *timeline,
		  const struct durations *durations, uint64_t boot);

#endif
