/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "config.h"
#include "log.h"
#include "str.h"
#include "text.h"

#define WAITS "[--timeout D] [--no-wait]"
static const struct verb verbs[] = {
	{"status", verb_status, "[NAME...]", "[--json] [--watch]", "what the services do"},
	{"start", verb_start, "NAME...", WAITS, "start, wait until ready"},
	{"stop", verb_stop, "NAME...", WAITS, "stop, wait until down"},
	{"restart", verb_restart, "NAME...", WAITS, "stop and start, wait until ready"},
	{"signal", verb_signal, "NAME [SIGNAL]", "", "send a signal, default TERM"},
	{"reload", verb_reload, "", "[-n, --dry-run [--json]] [--timeout D]",
	 "read the configuration, apply what changed"},
	{"shutdown", verb_shutdown, "", WAITS, "stop all in order, wait until init is gone"},
	{"wait", verb_wait, "[NAME[:CONDITION]...]", "[--timeout D]",
	 "wait until all is ready, or until these are"},
	{"health", verb_health, "", "[--ready|--live|--startup]",
	 "exit code 0 or 1 and one line, for checks"},
	{"logs", verb_logs, "[NAME...]",
	 "[-f, --follow] [-n, --lines N] [--since D] [-t, --timestamps]", "what services printed"},
	{"events", verb_events, "[NAME...]", "[--json]", "changes of state as they happen"},
	{"top", verb_top, "", "[--once] [--interval D]", "processor time and memory"},
	{"security", verb_security, "[NAME]", "[--json]", "what services could do, and were to"},
	{"timeline", verb_timeline, "", "[--format text|json|svg] [--compare]",
	 "the start-up and its critical path"},
	{"graph", verb_graph, "", "[--format text|dot|mermaid]", "what depends on what"},
	{"check", verb_check, "[FILE...]", "[--strict]", "is the configuration right?"},
	{"convert", verb_convert, "FILE", "[--from FORMAT] [-o, --output FILE]",
	 "from supervisord, Procfile or Compose"},
	{"resolve", verb_resolve, "[NAME]", "[--mode M] [--json] [--explain]",
	 "where addresses lead"},
	{"scan", verb_scan, "PATH...", "[--fix] [--yes] [--json] [--all] [--ignore PATTERN]",
	 "find hard-coded addresses"},
};
#define VERBS (sizeof(verbs) / sizeof(verbs[0]))

void ctl_print_help(void)
{
	size_t i;

	puts("usage: musterctl [OPTION...] VERB [ARGUMENT...]");
	for (i = 0; i < VERBS; i++)
		printf("  %-8s  %-21s  %s\n", verbs[i].name, verbs[i].arguments, verbs[i].help);
	puts("--run-dir DIR [$MUSTER_RUN_DIR, " RUN_DIR_DEFAULT
	     "]; -c, --config FILE; --no-color;\n"
	     "-h, --help: behind a verb its options; -V, --version; all: man musterctl\n"
	     "exit codes: 0 done, 1 not so, 2 wrong use, 3 not found, 4 timed out, 5 refused,\n"
	     "            6 init unreachable");
}

static const struct verb *find_verb(const char *name)
{
	size_t i;

	for (i = 0; i < VERBS; i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

static int unknown_verb(const char *name)
{
	unsigned best = 3, distance;
	const char *meant = NULL;
	size_t i;

	for (i = 0; i < VERBS; i++) {
		distance = str_distance(name, verbs[i].name, 2);
		if (distance < best) {
			best = distance;
			meant = verbs[i].name;
		}
	}
	if (meant)
		log_error("unknown verb '%s', did you mean '%s'?", name, meant);
	else
		log_error("unknown verb '%s' (musterctl --help lists them)", name);
	return CTL_USAGE;
}

static const char *nonempty_env(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static void ctl_init(struct ctl *ctl)
{
	const char *dir = nonempty_env("MUSTER_RUN_DIR");
	const char *terminal = nonempty_env("TERM");

	*ctl = (struct ctl){.run_dir = dir ? dir : RUN_DIR_DEFAULT};
	ctl->out_is_terminal = isatty(STDOUT_FILENO);
	ctl->err_is_terminal = isatty(STDERR_FILENO);
	ctl->colour = ctl->out_is_terminal && !nonempty_env("NO_COLOR") &&
		      (!terminal || strcmp(terminal, "dumb") != 0);
}

/*
 * A closed 0, 1 or 2 becomes one that cannot be written, so that no socket or file that is opened
 * later gets what is printed.
 */
static void hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			open("/dev/null", O_RDONLY); /* the lowest free number */
}

/* Data that could not be written is no success. */
static int close_output(int exit_code)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		log_error("cannot write the output: %s", strerror(errno));
	else if (!grid_complete())
		log_error("no memory for all of it");
	else
		return exit_code;
	return exit_code ? exit_code : CTL_FALSE;
}

int main(int argc, char **argv)
{
	struct ctl ctl;
	int first, exit_code;

	hold_standard();
	log_open("musterctl", LOG_INFO);
	ctl_init(&ctl);
	first = args_parse_leading(&ctl, argv + (argc > 0), &exit_code);
	if (first < 0)
		return close_output(exit_code);
	argv += first + (argc > 0);
	if (!*argv)
		return args_wrong(&ctl, "a verb is needed");
	if (strcmp(*argv, "help") == 0) {
		ctl.verb = argv[1] ? find_verb(argv[1]) : NULL;
		if (argv[1] && argv[1][0] != '-' && !ctl.verb)
			return unknown_verb(argv[1]);
		argv[0] = (char[]){"--help"};
		argv[1] = NULL;
		args_parse(&ctl, argv, NULL, 0, &exit_code);
		return close_output(exit_code);
	}
	ctl.verb = find_verb(*argv);
	if (!ctl.verb)
		return unknown_verb(*argv);
	return close_output(ctl.verb->run(&ctl, argv + 1));
}
