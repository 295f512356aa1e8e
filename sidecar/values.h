/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_VALUES_H
#define SIDECAR_VALUES_H

#include <jansson.h>
#include <stdint.h>

#include "routes.h"

/* Values as all JSON answers write them. */

/* Seconds, to the microsecond. */
json_t *value_seconds(uint64_t ns);
/* A time of CLOCK_REALTIME as RFC 3339 in UTC with milliseconds; null for 0. */
json_t *value_time(uint64_t ns);
/* A text that may have bytes that are not UTF-8: those become '?'. */
json_t *value_text(const char *text);

#define JSON_SCHEMA 1 /* of our own answers; grows when a field changes its meaning */

/* Makes it the body of the reply; takes the reference. */
void reply_json(struct reply *reply, const char *type, json_t *value);
/* 503, for when there is nothing to tell from. */
void reply_no_page(struct reply *reply);

/* Names of the services on the critical path of the start-up, in the order in which they began. */
struct timeline;
json_t *startup_path(const struct timeline *timeline);

/* What there is to tell of the peers, a list. */
struct peers;
json_t *peers_value(struct peers *peers);

/* This host's name. */
struct sidecar;
const char *sidecar_host(const struct sidecar *sidecar, const struct view *view);

#endif
