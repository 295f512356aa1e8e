/* SPDX-License-Identifier: MIT */
#include "args.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "log.h"
#include "str.h"
#include "version.h"

#define COMMON_COUNT 5

struct parser {
	struct ctl *ctl;
	char **next; /* what follows the option that is looked at */
	const struct arg_option *options;
	size_t count;
	struct arg_option common[COMMON_COUNT];
	bool help, version, no_colour;
};

static void print_usage(FILE *out, const struct verb *verb)
{
	fprintf(out, "usage: musterctl %s%s%s%s%s\n", verb->name, *verb->arguments ? " " : "",
		verb->arguments, *verb->options ? " " : "", verb->options);
}

static void print_verb_help(const struct verb *verb)
{
	print_usage(stdout, verb);
	printf("%s\n", verb->help);
}

int args_wrong(const struct ctl *ctl, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_error("%s", text);
	if (ctl->verb)
		print_usage(stderr, ctl->verb);
	fputs("`musterctl --help` lists all verbs and options\n", stderr);
	return CTL_USAGE;
}

static void parser_init(struct parser *parser, struct ctl *ctl, const struct arg_option *options,
			size_t count)
{
	const struct arg_option common[COMMON_COUNT] = {
		{"run-dir", 0, ARG_TEXT, &ctl->run_dir},
		{"config", 'c', ARG_CONFIG, ctl},
		{"no-color", 0, ARG_FLAG, &parser->no_colour},
		{"help", 'h', ARG_FLAG, &parser->help},
		{"version", 'V', ARG_FLAG, &parser->version},
	};

	*parser = (struct parser){.ctl = ctl, .options = options, .count = count};
	memcpy(parser->common, common, sizeof(common));
}

/* By its letter, or by the first `len` bytes of its name. */
static const struct arg_option *find_in(const struct arg_option *options, size_t count, char letter,
					const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (letter ? options[i].letter == letter
			   : strlen(options[i].name) == len &&
				     strncmp(options[i].name, name, len) == 0)
			return &options[i];
	return NULL;
}

static const struct arg_option *find(const struct parser *parser, char letter, const char *name,
				     size_t len)
{
	const struct arg_option *option =
		find_in(parser->options, parser->count, letter, name, len);

	return option ? option : find_in(parser->common, COMMON_COUNT, letter, name, len);
}

static bool config_add(struct ctl *ctl, const char *file)
{
	if (ctl->config_count == CTL_CONFIGS_MAX)
		return false;
	ctl->configs[ctl->config_count++] = file;
	return true;
}

static bool list_add(struct arg_list *list, const char *text)
{
	if (list->count == ARG_LIST_MAX)
		return false;
	list->texts[list->count++] = text;
	return true;
}

/* Stores a value. Returns NULL, or the form in which it would be accepted. */
static const char *store(const struct arg_option *option, const char *text)
{
	uint64_t number;

	switch (option->kind) {
	case ARG_FLAG:
		*(bool *)option->value = true;
		return NULL;
	case ARG_TEXT:
		*(const char **)option->value = text;
		return NULL;
	case ARG_DURATION:
		return parse_duration(text, option->value) ? NULL : FORM_DURATION;
	case ARG_COUNT:
		if (!parse_uint(text, UINT32_MAX, &number))
			return "a number";
		*(uint32_t *)option->value = (uint32_t)number;
		return NULL;
	case ARG_LIST:
		return list_add(option->value, text) ? NULL : "no more than 100 times it";
	case ARG_CONFIG:
		return config_add(option->value, text) ? NULL : "at most 32 files";
	}
	return "something else";
}

/* Stores the value of the option as written (`shown`): what is attached to it, else what follows.
 */
static bool take_value(struct parser *parser, const struct arg_option *option, const char *shown,
		       const char *attached)
{
	const char *form;

	if (!attached) {
		attached = *parser->next;
		if (!attached) {
			args_wrong(parser->ctl, "%s needs a value", shown);
			return false;
		}
		parser->next++;
	}
	form = store(option, attached);
	if (form)
		args_wrong(parser->ctl, "%s: '%s' is not accepted: %s is needed", shown, attached,
			   form);
	return !form;
}

static bool take_long(struct parser *parser, const char *text)
{
	size_t len = strcspn(text + 2, "=");
	const char *attached = text[2 + len] ? text + 2 + len + 1 : NULL;
	const struct arg_option *option = find(parser, 0, text + 2, len);
	char shown[64];

	snprintf(shown, sizeof(shown), "%.*s", (int)(2 + len), text);
	if (!option) {
		args_wrong(parser->ctl, "unknown option %s", shown);
		return false;
	}
	if (option->kind != ARG_FLAG)
		return take_value(parser, option, shown, attached);
	if (attached) {
		args_wrong(parser->ctl, "%s takes no value", shown);
		return false;
	}
	return !store(option, NULL);
}

/* One or more letters: -f, -fn5, -n 5. */
static bool take_letters(struct parser *parser, const char *text)
{
	const struct arg_option *option;
	char shown[3] = "-";

	for (text++; *text; text++) {
		shown[1] = *text;
		option = find(parser, *text, "", 0);
		if (!option) {
			args_wrong(parser->ctl, "unknown option %s", shown);
			return false;
		}
		if (option->kind != ARG_FLAG)
			return take_value(parser, option, shown, text[1] ? text + 1 : NULL);
		store(option, NULL);
	}
	return true;
}

/* What --help, --version and --no-color do. Returns false when nothing is left to do. */
static bool conclude(struct parser *parser)
{
	const struct verb *verb = parser->ctl->verb;

	if (parser->no_colour)
		parser->ctl->colour = false;
	if (parser->version) {
		puts("musterctl " MUSTER_VERSION);
		return false;
	}
	if (!parser->help)
		return true;
	if (verb)
		print_verb_help(verb);
	else
		ctl_print_help();
	return false;
}

/* Goes through argv. Returns the number of other arguments, moved to its front, or, with
 * `leading`, the index of the first of them; -1: *exit_code is to be returned. */
static int parse(struct parser *parser, char **argv, bool leading, int *exit_code)
{
	int rest = 0;
	bool options_over = false, good;

	for (parser->next = argv; *parser->next;) {
		char *text = *parser->next++;

		if (!options_over && strcmp(text, "--") == 0) {
			options_over = true;
			continue;
		}
		if (options_over || text[0] != '-' || !text[1]) {
			if (leading) {
				parser->next--;
				break;
			}
			argv[rest++] = text;
			continue;
		}
		good = text[1] == '-' ? take_long(parser, text) : take_letters(parser, text);
		if (!good) {
			*exit_code = CTL_USAGE;
			return -1;
		}
	}
	if (!conclude(parser)) {
		*exit_code = CTL_DONE;
		return -1;
	}
	if (leading)
		return (int)(parser->next - argv);
	argv[rest] = NULL;
	return rest;
}

int args_parse(struct ctl *ctl, char **argv, const struct arg_option *options, size_t count,
	       int *exit_code)
{
	struct parser parser;

	parser_init(&parser, ctl, options, count);
	return parse(&parser, argv, false, exit_code);
}

int args_parse_leading(struct ctl *ctl, char **argv, int *exit_code)
{
	struct parser parser;

	parser_init(&parser, ctl, NULL, 0);
	return parse(&parser, argv, true, exit_code);
}
