/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "clock.h"
#include "ctl.h"
#include "log.h"
#include "names.h"
#include "sig.h"
#include "waiting.h"

/* Verbs that change something: ask init, then wait for the effect. */

static uint64_t patience(void)
{
	return clock_monotonic() + msec(CLIENT_PATIENCE_MS);
}

/* Asks for something about one service. */
static int request_service(const struct ctl *ctl, enum wire_type type, const char *name, int number,
			   struct message *message)
{
	struct wire_service body = {.number = number};
	size_t len = strlen(name);

	if (!len || len >= sizeof(body.name)) {
		log_error("there is no service '%s'", name);
		return CTL_NOT_FOUND;
	}
	memcpy(body.name, name, len);
	return client_request(ctl, type, &body, sizeof(body), patience(), message);
}

/* ---- start, stop, restart ---- */

struct action {
	enum wire_type type;
	enum condition_kind effect;
	bool no_wait;
	uint64_t deadline;
	struct condition *conditions; /* of the services that init took the request for */
	uint32_t count;
};

/* Asks for each service. The first failure is what the verb returns in the end. */
static int request_all(const struct ctl *ctl, struct action *action, char **names)
{
	struct condition *condition;
	struct message message;
	int result = CTL_DONE, one;

	for (; *names; names++) {
		one = request_service(ctl, action->type, *names, 0, &message);
		if (one && !result)
			result = one;
		if (one == CTL_REFUSED || one == CTL_UNREACHABLE)
			break; /* the others will fare no better */
		if (one)
			continue;
		condition = &action->conditions[action->count++];
		condition->kind = action->effect;
		snprintf(condition->name, sizeof(condition->name), "%s", *names);
		if (action->no_wait)
			printf("%s: %s\n", *names, message.body);
	}
	return result;
}

static void print_states(const struct view *view, const struct action *action)
{
	uint32_t i;
	int index;

	for (i = 0; i < action->count; i++) {
		index = view_find(view, action->conditions[i].name);
		if (index >= 0)
			printf("%s: %s\n", action->conditions[i].name,
			       state_name(view->records[index].state));
	}
}

/* The events are subscribed to before the request, so that none is missed. */
static int request_and_wait(const struct ctl *ctl, struct action *action, char **names)
{
	struct follow follow;
	struct view view;
	int result, waited = CTL_DONE;

	result = view_open_for(&view, ctl);
	if (result)
		return result;
	follow_begin(&follow, &view);
	result = request_all(ctl, action, names);
	if (action->count) {
		/* init writes the page before it answers */
		view_refresh(&view);
		waited = waiting_run(ctl, &follow, action->conditions, action->count,
				     action->deadline);
		if (waited == CTL_DONE)
			print_states(&view, action);
	}
	follow_end(&follow);
	view_close(&view);
	return result ? result : waited;
}

/* Replicas are restarted one after the other, so that there is always one that answers. */
static int request_in_turn(const struct ctl *ctl, struct action *action, char **names)
{
	int result = CTL_DONE;

	for (; *names && result == CTL_DONE; names++) {
		action->count = 0;
		result = request_and_wait(ctl, action, (char *[]){*names, NULL});
	}
	return result;
}

static int run_action(struct ctl *ctl, char **argv, enum wire_type type, enum condition_kind effect)
{
	struct action action = {.type = type, .effect = effect};
	uint32_t timeout = 0;
	const struct arg_option options[] = {{"timeout", 0, ARG_DURATION, &timeout},
					     {"no-wait", 0, ARG_FLAG, &action.no_wait}};
	int exit_code, given, count = args_parse(ctl, argv, options, 2, &exit_code);

	if (count < 0)
		return exit_code;
	if (!count)
		return args_wrong(ctl, "the name of a service is needed");
	given = count;
	argv = names_look_up(ctl, argv, &count);
	action.deadline = waiting_deadline(timeout);
	action.conditions = calloc((size_t)count, sizeof(*action.conditions));
	if (!action.conditions) {
		log_error("no memory");
		return CTL_FALSE;
	}
	if (action.no_wait)
		exit_code = request_all(ctl, &action, argv);
	else if (type == WIRE_RESTART && count > given)
		exit_code = request_in_turn(ctl, &action, argv);
	else
		exit_code = request_and_wait(ctl, &action, argv);
	free(action.conditions);
	return exit_code;
}

int verb_start(struct ctl *ctl, char **argv)
{
	return run_action(ctl, argv, WIRE_START, UNTIL_GOOD);
}

int verb_stop(struct ctl *ctl, char **argv)
{
	return run_action(ctl, argv, WIRE_STOP, UNTIL_DOWN);
}

int verb_restart(struct ctl *ctl, char **argv)
{
	return run_action(ctl, argv, WIRE_RESTART, UNTIL_GOOD);
}

/* ---- signal, shutdown ---- */

int verb_signal(struct ctl *ctl, char **argv)
{
	const char *word;
	struct message message;
	int exit_code = CTL_DONE, number, count = args_parse(ctl, argv, NULL, 0, &exit_code);

	if (count < 0)
		return exit_code;
	if (count < 1 || count > 2)
		return args_wrong(ctl, "the name of a service and at most one signal are needed");
	word = count == 2 ? argv[1] : "TERM";
	number = sig_parse(word);
	if (number < 0)
		return args_wrong(ctl, "'%s' is no signal (such as HUP, SIGUSR1, RTMIN+3, 15)",
				  word);
	argv[1] = NULL;
	count = 1;
	for (argv = names_look_up(ctl, argv, &count); *argv && exit_code == CTL_DONE; argv++) {
		exit_code = request_service(ctl, WIRE_SIGNAL, *argv, number, &message);
		if (exit_code == CTL_DONE && message.size)
			printf("%s: %s\n", *argv, message.body);
	}
	return exit_code;
}

static int shutdown_and_wait(const struct ctl *ctl, uint64_t deadline)
{
	struct message message;
	struct follow follow;
	struct view view;
	int result = view_open_for(&view, ctl);

	if (result)
		return result;
	follow_begin(&follow, &view);
	result = client_request(ctl, WIRE_SHUTDOWN, NULL, 0, patience(), &message);
	if (result == CTL_DONE)
		result = waiting_for_end(ctl, &follow, deadline);
	follow_end(&follow);
	view_close(&view);
	return result;
}

int verb_shutdown(struct ctl *ctl, char **argv)
{
	uint32_t timeout = 0;
	bool no_wait = false;
	const struct arg_option options[] = {{"timeout", 0, ARG_DURATION, &timeout},
					     {"no-wait", 0, ARG_FLAG, &no_wait}};
	struct message message;
	int exit_code, count = args_parse(ctl, argv, options, 2, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': shutdown takes no names (stop does)", argv[0]);
	if (no_wait)
		return client_request(ctl, WIRE_SHUTDOWN, NULL, 0, patience(), &message);
	return shutdown_and_wait(ctl, waiting_deadline(timeout));
}
