/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "client.h"
#include "ctl.h"
#include "json_out.h"
#include "log.h"
#include "str.h"
#include "text.h"
#include "waiting.h"

/* A new configuration is read from disk and applied before the answer comes. */
#define RELOAD_PATIENCE_MS 60000

/* ---- what would be done ---- */

/* The actions of WIRE_PREVIEW, as they are shown, and what is said where no key is named. */
static const struct action {
	const char *name, *shown, *remark;
	enum colour colour;
} actions[] = {
	{"restart", "restart", "", COLOUR_YELLOW},
	{"follow", "restart", "", COLOUR_YELLOW},
	{"start", "start", "", COLOUR_GREEN},
	{"stop", "stop", "not configured any more", COLOUR_RED},
	{"change", "change", "stays down", COLOUR_NONE},
	{"add", "add", "does not start by itself", COLOUR_NONE},
	{"remove", "remove", "not configured any more, and down", COLOUR_NONE},
	{"keep", "keep", "", COLOUR_DIM},
};
#define ACTIONS (sizeof(actions) / sizeof(actions[0]))

struct step {
	struct action action;
	char *name;
	char *keys; /* that changed, with commas between them; NULL: none */
	char *with; /* the service that it restarts with; NULL */
};

static char *cut(char **text, char end)
{
	char *word = *text, *at = strchr(word, end);

	*text = at ? at + 1 : word + strlen(word);
	if (at)
		*at = '\0';
	return word;
}

/* The next line of init's answer, which is taken apart; false: that was all. */
static bool next_step(char **text, struct step *step)
{
	char *line, *word;

	if (!**text)
		return false;
	line = cut(text, '\n');
	word = cut(&line, ' ');
	*step = (struct step){.action = {word, word, "", COLOUR_NONE}, .name = cut(&line, ' ')};
	for (size_t i = 0; i < ACTIONS; i++)
		if (strcmp(word, actions[i].name) == 0)
			step->action = actions[i];
	if (*line && strcmp(word, "follow") == 0)
		step->with = line;
	else if (*line)
		step->keys = line;
	return true;
}

static bool is_change(const struct step *step)
{
	return strcmp(step->action.name, "keep") != 0;
}

static void print_step(struct grid *grid, const struct step *step)
{
	char name[STATUS_NAME_MAX];

	grid_add(grid, COLOUR_NONE, "%s", text_name(name, step->name));
	grid_add(grid, step->action.colour, "%s", step->action.shown);
	if (step->with)
		grid_add(grid, COLOUR_NONE, "with %s", step->with);
	else
		grid_add(grid, COLOUR_NONE, "%s%s%s", step->keys ? step->keys : "",
			 step->keys && *step->action.remark ? ": " : "", step->action.remark);
}

static void print_text(const struct ctl *ctl, char *text)
{
	struct step step;
	struct grid grid;
	unsigned changes = 0;

	grid_begin(&grid, 3, 0);
	while (next_step(&text, &step)) {
		print_step(&grid, &step);
		changes += is_change(&step);
	}
	grid_print(&grid, stdout, ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0,
		   ctl->colour);
	if (!changes)
		puts("nothing would change");
}

static void json_keys(struct json_out *json, char *keys)
{
	json_array_begin(json, "keys");
	while (keys && *keys)
		json_text(json, NULL, cut(&keys, ','));
	json_array_end(json);
}

static void print_json(char *text)
{
	struct json_out json;
	struct step step;
	unsigned changes = 0;

	json_begin(&json, stdout, true);
	json_object_begin(&json, NULL);
	json_uint(&json, "schema", 1);
	json_array_begin(&json, "services");
	while (next_step(&text, &step)) {
		json_object_begin(&json, NULL);
		json_text(&json, "name", step.name);
		json_text(&json, "action", step.action.shown);
		json_keys(&json, step.keys);
		json_text(&json, "with", step.with);
		json_object_end(&json);
		changes += is_change(&step);
	}
	json_array_end(&json);
	json_uint(&json, "changes", changes);
	json_object_end(&json);
	json_end(&json);
}

/* Gets all pages of the answer. An enum ctl_exit. */
static int ask(const struct ctl *ctl, uint64_t deadline, FILE *out)
{
	struct message message;
	uint32_t skip = 0, lines;
	int result;

	do {
		result = client_request(ctl, WIRE_PREVIEW, &skip, sizeof(skip), deadline, &message);
		if (result)
			return result;
		fputs(message.body, out);
		lines = count_lines(message.body, strlen(message.body));
		skip += lines;
	} while (message.type == WIRE_PART && lines);
	return CTL_DONE;
}

static int preview(const struct ctl *ctl, uint64_t deadline, bool json)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int result = out ? ask(ctl, deadline, out) : CTL_FALSE;
	bool failed = !text_close(out, &text);

	if (failed)
		log_error("no memory");
	else if (result == CTL_DONE && json)
		print_json(text);
	else if (result == CTL_DONE)
		print_text(ctl, text);
	free(text);
	return failed ? CTL_FALSE : result;
}

/* ---- the verb ---- */

static int reload(const struct ctl *ctl, uint64_t deadline)
{
	struct message message;
	int result = client_request(ctl, WIRE_RELOAD, NULL, 0, deadline, &message);

	if (result == CTL_DONE && message.size)
		printf("%s%s", message.body, message.body[message.size - 1] == '\n' ? "" : "\n");
	return result;
}

int verb_reload(struct ctl *ctl, char **argv)
{
	uint32_t timeout = RELOAD_PATIENCE_MS;
	bool dry = false, json = false;
	const struct arg_option options[] = {{"timeout", 0, ARG_DURATION, &timeout},
					     {"dry-run", 'n', ARG_FLAG, &dry},
					     {"json", 0, ARG_FLAG, &json}};
	int exit_code, count = args_parse(ctl, argv, options, 3, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': reload takes no names", argv[0]);
	if (json && !dry)
		return args_wrong(ctl, "--json belongs to --dry-run");
	return dry ? preview(ctl, waiting_deadline(timeout), json)
		   : reload(ctl, waiting_deadline(timeout));
}
