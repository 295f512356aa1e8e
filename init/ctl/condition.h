/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CONDITION_H
#define MUSTER_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "status.h"

/* What `musterctl wait` and the verbs that start and stop wait for: pure functions of the page. */
enum condition_kind {
	UNTIL_GOOD, /* ready or running; a oneshot: completed */
	UNTIL_STARTED,
	UNTIL_COMPLETED,
	UNTIL_STATE, /* exactly `state` */
	UNTIL_DOWN   /* nothing of it runs and nothing will start it by itself */
};

struct condition {
	char name[STATUS_NAME_MAX];
	enum condition_kind kind;
	enum service_state state;
};

enum verdict {
	VERDICT_NOT_YET,
	VERDICT_TRUE,
	VERDICT_NEVER /* it can no longer become true by itself */
};

/* Reads NAME or NAME:CONDITION. Returns NULL, or what is wrong with it (static text). */
const char *condition_parse(struct condition *condition, const char *text);
/* The words that condition_parse takes behind the colon, for messages. */
#define FORM_CONDITION                                                                             \
	"started, healthy, completed, or a state: inactive, waiting, starting, running, "          \
	"ready, unhealthy, stopping, backoff, failed"

enum verdict condition_check(const struct condition *condition, const struct status_record *record,
			     unsigned phase);

/*
 * Why a service is as it is, in a few words: "failed: exit code 1", "waiting for db", "ready".
 * `cause` is the record its `cause` field names, or NULL. Returns buffer.
 */
char *condition_describe(char *buffer, size_t size, const struct status_record *record,
			 const struct status_record *cause);

#endif
