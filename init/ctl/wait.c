/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "ctl.h"
#include "log.h"
#include "names.h"
#include "waiting.h"

/* Reads the conditions and looks their services up. An enum ctl_exit. */
static int parse_conditions(const struct ctl *ctl, const struct view *view, char **argv,
			    struct condition *conditions, uint32_t count)
{
	const char *error;
	uint32_t i;

	for (i = 0; i < count; i++) {
		error = condition_parse(&conditions[i], argv[i]);
		if (error)
			return args_wrong(
				ctl,
				"'%s': %s (accepted: NAME or NAME:CONDITION; " FORM_CONDITION ")",
				argv[i], error);
		if (view_find(view, conditions[i].name) < 0) {
			log_error("there is no service '%s'", conditions[i].name);
			return CTL_NOT_FOUND;
		}
	}
	return CTL_DONE;
}

static int wait_for_all(const struct ctl *ctl, struct view *view, char **argv, uint32_t count,
			uint64_t deadline)
{
	struct condition *conditions = calloc(count + (size_t)1, sizeof(*conditions));
	struct follow follow;
	int result;

	if (!conditions) {
		log_error("no memory");
		return CTL_FALSE;
	}
	result = parse_conditions(ctl, view, argv, conditions, count);
	if (result == CTL_DONE) {
		follow_begin(&follow, view);
		view_refresh(view); /* what happened before the events began to be told */
		result = waiting_run(ctl, &follow, conditions, count, deadline);
		follow_end(&follow);
	}
	free(conditions);
	return result;
}

int verb_wait(struct ctl *ctl, char **argv)
{
	uint32_t timeout = 0;
	const struct arg_option options[] = {{"timeout", 0, ARG_DURATION, &timeout}};
	uint64_t deadline;
	struct view view;
	int exit_code, count;

	count = args_parse(ctl, argv, options, 1, &exit_code);
	if (count < 0)
		return exit_code;
	deadline = waiting_deadline(timeout);
	exit_code = view_open_until(&view, ctl, timeout ? deadline : 0);
	if (exit_code)
		return exit_code;
	argv = names_expand(&view, argv, &count);
	exit_code = wait_for_all(ctl, &view, argv, (uint32_t)count, deadline);
	view_close(&view);
	return exit_code;
}
