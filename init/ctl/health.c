/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "condition.h"
#include "log.h"
#include "text.h"
#include "view.h"

/*
 * One line and exit code 0 or 1 for Docker's HEALTHCHECK and exec probes. Everything comes from the
 * page; PID 1 is asked only whether it answers (--live), or, where the page may be that of an init
 * long gone, whether its socket is still open.
 */
#define LIVE_PATIENCE_MS 2000

static void print_reason(const struct view *view, const struct status_record *record)
{
	char text[STATUS_REASON_SIZE + STATUS_NAME_MAX + 32], clean[sizeof(text)];
	char name[STATUS_NAME_MAX];

	condition_describe(text, sizeof(text), record, view_cause(view, record));
	text_clean(clean, sizeof(clean), text, 0);
	printf(", %s is %s", text_name(name, record->name), clean);
}

/* The first service in the way that is so by itself, else the first at all. */
static const struct status_record *find_culprit(const struct view *view)
{
	const struct status_record *record, *first = NULL;
	uint32_t i;

	for (i = 0; i < view->header.record_count; i++) {
		record = &view->records[i];
		if (!view_counts(record) || view_is_good(record) ||
		    !(record->flags & (STATUS_AUTO | STATUS_WANTED)))
			continue;
		if (!(record->flags & STATUS_DEP_CAUSE) && record->state != STATE_WAITING)
			return record;
		if (!first)
			first = record;
	}
	return first;
}

/* Ready means that work may be sent here: what is missing is not essential, and nobody is leaving.
 */
static int check_ready(const struct view *view)
{
	struct view_counts counts = view_count(view);
	const struct status_record *culprit = find_culprit(view);
	unsigned phase = view->header.phase;
	bool ready = view_all_ready(view);
	char silence[24];

	printf("%s: %s, %u of %u services ready", ready ? "ready" : "not ready", phase_name(phase),
	       counts.good, counts.total);
	if (culprit)
		print_reason(view, culprit);
	if (view_silence(view))
		printf(", the sidecar was not heard for %s",
		       format_age(silence, sizeof(silence), view_silence(view)));
	putchar('\n');
	return ready ? CTL_DONE : CTL_FALSE;
}

static int check_startup(const struct view *view)
{
	struct view_counts counts = view_count(view);
	bool over = view->header.startup_done != 0;

	printf("%s: %u of %u services ready\n", over ? "started" : "starting", counts.good,
	       counts.total);
	return over ? CTL_DONE : CTL_FALSE;
}

/* Asks init for a sign of life. 0 or -errno. */
static int ping(const struct view *view)
{
	uint64_t deadline = clock_monotonic() + msec(LIVE_PATIENCE_MS);
	struct message message;
	struct client client;
	int error = client_connect(&client, view->dir, deadline);

	if (!error)
		error = client_send(&client, WIRE_PING, NULL, 0, NULL, 0, deadline);
	if (!error)
		error = client_receive(&client, &message, deadline);
	client_close(&client);
	return error;
}

static int check_live(const struct view *view)
{
	int error = ping(view);

	switch (error) {
	case 0:
		printf("live: process %d answers\n", view->header.pid);
		return CTL_DONE;
	case -EACCES:
	case -EPERM:
		/* the page must do; a process of that number in another namespace means nothing */
		printf("live: process %d has left its page, its socket is not for us\n",
		       view->header.pid);
		return CTL_DONE;
	case -ETIMEDOUT:
		printf("not live: process %d does not answer\n", view->header.pid);
		return CTL_FALSE;
	default:
		printf("not live: process %d is gone: %s\n", view->header.pid, strerror(-error));
		return CTL_FALSE;
	}
}

int verb_health(struct ctl *ctl, char **argv)
{
	bool ready = false, live = false, startup = false;
	const struct arg_option options[] = {{"ready", 0, ARG_FLAG, &ready},
					     {"live", 0, ARG_FLAG, &live},
					     {"startup", 0, ARG_FLAG, &startup}};
	struct view view;
	int error, exit_code, count = args_parse(ctl, argv, options, 3, &exit_code);

	if (count < 0)
		return exit_code;
	if (count || ready + live + startup > 1)
		return args_wrong(ctl, "at most one of --ready, --live, --startup is taken");
	error = view_open(&view, ctl->run_dir);
	if (error) {
		printf("not %s: %s/" STATUS_FILE ": %s\n", live ? "live" : "ready", ctl->run_dir,
		       error == -EPROTO ? "no status page of this version" : strerror(-error));
		return CTL_FALSE;
	}
	if (live) {
		exit_code = check_live(&view);
	} else if (view_alive(&view) == 0) {
		puts("not ready: muster-init is gone");
		exit_code = CTL_FALSE;
	} else {
		exit_code = startup ? check_startup(&view) : check_ready(&view);
	}
	view_close(&view);
	return exit_code;
}
