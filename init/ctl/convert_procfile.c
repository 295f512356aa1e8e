/* SPDX-License-Identifier: MIT */
#include "draft.h"

#include <ctype.h>
#include <string.h>

#include "config.h"

/*
 * A Procfile: `name: command` a line, run by a shell. `release` runs once before the others, as
 * those who read Procfiles agree.
 */

static bool needs_shell(const char *command)
{
	return command[strcspn(command, "$`\"'\\|&;<>()*?[]#~{}!")] || strchr(command, '=');
}

static char *trimmed(char *text)
{
	size_t len;

	while (isspace((unsigned char)*text))
		text++;
	len = strlen(text);
	while (len && isspace((unsigned char)text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* `exec` takes one simple command: of a list it would run the first only, and no assignment. */
static bool takes_exec(const char *command)
{
	size_t first = strcspn(command, " \t");

	return !command[strcspn(command, "|&;<>(){}")] && !memchr(command, '=', first);
}

static void write_service(struct draft *draft, const char *name, char *command, bool released)
{
	bool release = strcmp(name, "release") == 0;
	bool exec = strncmp(command, "exec", 4) == 0 && isblank((unsigned char)command[4]);
	char *bare = exec ? trimmed(command + 4) : command;

	draft_service(draft, name);
	if (release)
		draft_set(draft, "type", "oneshot");
	if (!needs_shell(bare)) {
		draft_set(draft, "command", "%s", bare);
	} else {
		if (takes_exec(bare))
			command = draft_format(draft, "exec %s", bare);
		draft_set(draft, "command", "sh -c %s", draft_word(draft, command, false));
	}
	if (released && !release)
		draft_set(draft, "depends_on", "release");
}

bool convert_procfile(struct draft *draft, struct convert_source *source)
{
	bool released = strncmp(source->text, "release:", 8) == 0 ||
			strstr(source->text, "\nrelease:") != NULL;
	char *rest = source->text, *line;
	bool port = strstr(source->text, "PORT") != NULL;
	unsigned number = 0;

	if (port)
		draft_note(draft, 0,
			   "those who run Procfiles set PORT, from 5000 upwards in steps of 100; "
			   "here it is what the container's environment or `environment` says");
	while ((line = strsep(&rest, "\n"))) {
		char *text = trimmed(line), *colon = strchr(text, ':');

		number++;
		if (*text == '\0' || *text == '#')
			continue;
		if (!colon || colon == text ||
		    strspn(text, CONFIG_NAME_CHARS) < (size_t)(colon - text) ||
		    !*trimmed(colon + 1)) {
			snprintf(source->why, sizeof(source->why),
				 "line %u: \"%.100s\" is not `name: command`", number, text);
			return false;
		}
		*colon = '\0';
		write_service(draft, text, trimmed(colon + 1), released);
	}
	if (draft->services == 0)
		snprintf(source->why, sizeof(source->why), "no line is `name: command`");
	return draft->services > 0;
}
