/* SPDX-License-Identifier: MIT */
#include "waiting.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "log.h"
#include "str.h"
#include "text.h"

#define TICK_MS       100 /* of the progress line */
#define QUIET_TICK_MS 1000
#define NAMED_MAX     6 /* services named in the progress line */

uint64_t waiting_deadline(uint32_t timeout_ms)
{
	return timeout_ms ? clock_monotonic() + msec(timeout_ms) : NEVER;
}

/* ---- progress ---- */

/* Text that grows inside a buffer of fixed size. */
struct line {
	char *at;
	size_t left;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line, const char *format,
							   ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line->at, line->left, format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= line->left)
		len = (int)line->left - 1;
	line->at += len;
	line->left -= (size_t)len;
}

static void add_service(struct line *line, const struct view *view,
			const struct status_record *record, uint64_t now)
{
	const struct status_record *cause = view_cause(view, record);
	char took[24];

	if (record->state == STATE_WAITING) {
		line_add(line, "%s waits", record->name);
		if (cause)
			line_add(line, " for %s", cause->name);
		return;
	}
	format_duration(took, sizeof(took), now > record->since ? now - record->since : 0);
	line_add(line, "%s %s %s", record->name, state_name(record->state), took);
}

/* One line of progress: "3/12 ready, starting: api 1.2s, web waits for api". Returns buffer. */
static char *waiting_progress(char *buffer, size_t size, const struct view *view, uint64_t now)
{
	/* what moves comes first */
	static const uint8_t order[] = {STATE_STARTING,  STATE_STOPPING, STATE_BACKOFF,
					STATE_UNHEALTHY, STATE_FAILED,   STATE_WAITING};
	struct view_counts counts = view_count(view);
	struct line line = {.at = buffer, .left = size};
	unsigned named = 0;
	uint32_t i, rank;

	line_add(&line, "%s: %u/%u ready", phase_name(view->header.phase), counts.good,
		 counts.total);
	for (rank = 0; rank < sizeof(order); rank++) {
		for (i = 0; i < view->header.record_count && named < NAMED_MAX; i++) {
			if (view->records[i].state != order[rank] ||
			    !view_counts(&view->records[i]))
				continue;
			line_add(&line, "%s", named++ ? ", " : "; ");
			add_service(&line, view, &view->records[i], now);
		}
	}
	return buffer;
}

static void show_progress(const struct ctl *ctl, const struct view *view)
{
	char text[1024], clean[1024];
	unsigned width = terminal_width(STDERR_FILENO);

	if (!ctl->err_is_terminal)
		return;
	waiting_progress(text, sizeof(text), view, clock_monotonic());
	/* the last column stays free: some terminals wrap there */
	text_clean(clean, sizeof(clean), text, width > 1 ? width - 1 : 79);
	fprintf(stderr, "\r%s\033[K", clean);
}

static void end_progress(const struct ctl *ctl)
{
	if (ctl->err_is_terminal)
		fputs("\r\033[K", stderr);
}

/* ---- waiting ---- */

static enum verdict check_all(const struct view *view)
{
	struct view_counts counts = view_count(view);

	switch ((enum system_phase)view->header.phase) {
	case PHASE_READY:
		return VERDICT_TRUE;
	case PHASE_DRAINING:
	case PHASE_STOPPING:
		return VERDICT_NEVER;
	case PHASE_DEGRADED:
		return counts.failed ? VERDICT_NEVER : VERDICT_NOT_YET;
	case PHASE_STARTING:
	case PHASE_COUNT:
		break;
	}
	return VERDICT_NOT_YET;
}

static enum verdict check_one(const struct view *view, const struct condition *condition)
{
	int index = view_find(view, condition->name);

	if (index < 0)
		return VERDICT_NEVER; /* a reload removed it */
	return condition_check(condition, &view->records[index], view->header.phase);
}

/* All of them hold, one of them never will, or neither. */
static enum verdict check(const struct view *view, const struct condition *conditions,
			  uint32_t count)
{
	enum verdict all = VERDICT_TRUE, one;
	uint32_t i;

	if (!count)
		return check_all(view);
	for (i = 0; i < count; i++) {
		one = check_one(view, &conditions[i]);
		if (one == VERDICT_NEVER)
			return VERDICT_NEVER;
		if (one == VERDICT_NOT_YET)
			all = VERDICT_NOT_YET;
	}
	return all;
}

static void say_service(const struct view *view, const struct status_record *record)
{
	char text[STATUS_REASON_SIZE + 64], clean[sizeof(text)];
	char name[STATUS_NAME_MAX];

	condition_describe(text, sizeof(text), record, view_cause(view, record));
	text_clean(clean, sizeof(clean), text, 0);
	log_error("%s: %s", text_name(name, record->name), clean);
}

/* Names the services that are in the way. */
static void say_obstacles(const struct view *view, const struct condition *conditions,
			  uint32_t count)
{
	const struct status_record *record;
	unsigned said = 0;
	uint32_t i;
	int index;

	for (i = 0; i < count; i++) {
		index = view_find(view, conditions[i].name);
		if (index < 0)
			log_error("%s: a reload removed it", conditions[i].name);
		else if (check_one(view, &conditions[i]) != VERDICT_TRUE)
			say_service(view, &view->records[index]);
	}
	for (i = 0; !count && i < view->header.record_count && said < NAMED_MAX; i++) {
		record = &view->records[i];
		if (!view_counts(record) || view_is_good(record) ||
		    !(record->flags & (STATUS_AUTO | STATUS_WANTED)))
			continue;
		say_service(view, record);
		said++;
	}
}

static int conclude(const struct follow *follow, const struct condition *conditions, uint32_t count,
		    int outcome)
{
	unsigned phase = follow->view->header.phase;

	say_obstacles(follow->view, conditions, count);
	if (outcome == -ETIMEDOUT) {
		log_error("timed out");
		return CTL_TIMED_OUT;
	}
	if (outcome == -ECONNRESET)
		log_error("muster-init has ended");
	else if (phase >= PHASE_DRAINING)
		log_error("muster-init is %s", phase_name(phase));
	/* that an init ends which said so is an answer */
	return outcome == -ECONNRESET && !follow->leaving ? CTL_UNREACHABLE : CTL_FALSE;
}

int waiting_run(const struct ctl *ctl, struct follow *follow, const struct condition *conditions,
		uint32_t count, uint64_t deadline)
{
	uint32_t tick = ctl->err_is_terminal ? TICK_MS : QUIET_TICK_MS;
	enum verdict verdict;
	int outcome = 0;

	for (;;) {
		verdict = check(follow->view, conditions, count);
		if (verdict != VERDICT_NOT_YET || outcome < 0)
			break;
		show_progress(ctl, follow->view);
		outcome = follow_wait(follow, tick, deadline);
	}
	end_progress(ctl);
	if (verdict == VERDICT_TRUE)
		return CTL_DONE;
	return conclude(follow, conditions, count, verdict == VERDICT_NEVER ? 0 : outcome);
}

/* A descriptor that becomes readable when init has ended; -1: it cannot be had. */
static int open_init(const struct view *view)
{
	return view_sees_init(view) ? (int)syscall(SYS_pidfd_open, view->header.pid, 0) : -1;
}

/* Init closes its socket shortly before it is gone. */
static int wait_for_exit(int pidfd, uint64_t deadline)
{
	return pidfd < 0 || client_poll(pidfd, POLLIN, deadline) == 0 ? -ECONNRESET : -ETIMEDOUT;
}

int waiting_for_end(const struct ctl *ctl, struct follow *follow, uint64_t deadline)
{
	uint32_t tick = ctl->err_is_terminal ? TICK_MS : QUIET_TICK_MS;
	int pidfd = open_init(follow->view);
	int outcome;

	do {
		show_progress(ctl, follow->view);
		outcome = follow_wait(follow, tick, deadline);
	} while (outcome >= 0);
	end_progress(ctl);
	if (outcome == -ECONNRESET)
		outcome = wait_for_exit(pidfd, deadline);
	if (pidfd >= 0)
		close(pidfd);
	if (outcome == -ECONNRESET)
		return CTL_DONE;
	log_error("timed out; muster-init is still there");
	return CTL_TIMED_OUT;
}
