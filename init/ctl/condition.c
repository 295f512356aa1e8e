/* SPDX-License-Identifier: MIT */
#include "condition.h"

#include <stdio.h>
#include <string.h>

#include "config.h"

static bool find_state(const char *word, enum service_state *state)
{
	unsigned i;

	for (i = 0; i < STATE_COUNT; i++) {
		if (strcmp(state_name(i), word) == 0) {
			*state = (enum service_state)i;
			return true;
		}
	}
	return false;
}

static bool parse_word(struct condition *condition, const char *word)
{
	if (strcmp(word, "healthy") == 0 || strcmp(word, "ready") == 0)
		condition->kind = UNTIL_GOOD;
	else if (strcmp(word, "started") == 0 || strcmp(word, "running") == 0)
		condition->kind = UNTIL_STARTED;
	else if (strcmp(word, "completed") == 0)
		condition->kind = UNTIL_COMPLETED;
	else if (find_state(word, &condition->state))
		condition->kind = UNTIL_STATE;
	else
		return false;
	return true;
}

const char *condition_parse(struct condition *condition, const char *text)
{
	size_t prefix = strncmp(text, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0
				? strlen(ADDRESS_PREFIX)
				: 0;
	/* a condition is part of the name there: PEER/NAME:started */
	size_t len = strchr(text, '/') ? strlen(text) : prefix + strcspn(text + prefix, ":");

	*condition = (struct condition){.kind = UNTIL_GOOD};
	if (!len)
		return "the name of a service is missing";
	if (len >= sizeof(condition->name))
		return "the name is longer than 63 characters";
	memcpy(condition->name, text, len);
	if (text[len] && !parse_word(condition, text + len + 1))
		return "unknown condition";
	return NULL;
}

static bool is_good(const struct status_record *record)
{
	return state_is_ready(record->state) ||
	       (record->state == STATE_COMPLETED && record->type == TYPE_ONESHOT);
}

/* Its program has been started, and has not failed since. */
static bool is_started(const struct status_record *record)
{
	switch ((enum service_state)record->state) {
	case STATE_STARTING:
		return record->pid != 0;
	case STATE_RUNNING:
	case STATE_READY:
	case STATE_UNHEALTHY:
	case STATE_COMPLETED:
		return true;
	default:
		return false;
	}
}

static bool is_down(const struct status_record *record)
{
	return record->state == STATE_INACTIVE || record->state == STATE_COMPLETED ||
	       record->state == STATE_FAILED;
}

static bool holds(const struct condition *condition, const struct status_record *record)
{
	switch (condition->kind) {
	case UNTIL_GOOD:
		return is_good(record);
	case UNTIL_STARTED:
		return is_started(record);
	case UNTIL_COMPLETED:
		return record->state == STATE_COMPLETED;
	case UNTIL_STATE:
		return record->state == condition->state;
	case UNTIL_DOWN:
		return is_down(record);
	}
	return false;
}

/* A service that has failed for good, or ended for good, stays so. */
static bool has_ended(const struct condition *condition, const struct status_record *record)
{
	if (record->state == STATE_FAILED)
		return true;
	return record->state == STATE_COMPLETED && condition->kind != UNTIL_STARTED;
}

/* On the way out nothing is started any more. */
static bool needs_a_start(const struct condition *condition)
{
	switch (condition->kind) {
	case UNTIL_GOOD:
	case UNTIL_STARTED:
		return true;
	case UNTIL_STATE:
		return condition->state == STATE_WAITING || condition->state == STATE_STARTING ||
		       condition->state == STATE_UNHEALTHY || condition->state == STATE_BACKOFF;
	case UNTIL_COMPLETED:
	case UNTIL_DOWN:
		break;
	}
	return false;
}

enum verdict condition_check(const struct condition *condition, const struct status_record *record,
			     unsigned phase)
{
	if (holds(condition, record))
		return VERDICT_TRUE;
	if (has_ended(condition, record))
		return VERDICT_NEVER;
	if ((phase == PHASE_DRAINING || phase == PHASE_STOPPING) && needs_a_start(condition))
		return VERDICT_NEVER;
	return VERDICT_NOT_YET;
}

char *condition_describe(char *buffer, size_t size, const struct status_record *record,
			 const struct status_record *cause)
{
	const char *state = state_name(record->state);

	if (cause && record->state == STATE_WAITING)
		snprintf(buffer, size, "%s for %s", state, cause->name);
	else if (record->reason[0])
		snprintf(buffer, size, "%s: %s", state, record->reason);
	else if (cause)
		snprintf(buffer, size, "%s because of %s", state, cause->name);
	else if ((record->state == STATE_FAILED || record->state == STATE_BACKOFF) &&
		 record->last_exit > 128)
		snprintf(buffer, size, "%s: ended by signal %d", state, record->last_exit - 128);
	else if ((record->state == STATE_FAILED || record->state == STATE_BACKOFF) &&
		 record->last_exit >= 0)
		snprintf(buffer, size, "%s: exit code %d", state, record->last_exit);
	else
		snprintf(buffer, size, "%s", state);
	return buffer;
}
