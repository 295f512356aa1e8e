/* SPDX-License-Identifier: MIT */
#include "personality.h"

#include <getopt.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sig.h"
#include "signals.h"
#include "version.h"
#include "voice.h"
#include "wrap.h"

/*
 * Strings are arrays and nothing points anywhere, so the tables need no relocation: their pages
 * stay untouched where init is called by its own name.
 */
#define OPTIONS_MAX   9
#define VARIABLES_MAX 3

/* What an option or a variable does. */
enum deed {
	DEED_NONE,
	DEED_HELP,
	DEED_VERSION,
	DEED_LICENSE,
	DEED_LOUDER,
	DEED_LEVEL, /* the value is the level of words */
	DEED_LOUD,  /* all words */
	DEED_SUBREAPER,
	DEED_GROUP,
	DEED_SINGLE, /* no session of its own, no group */
	DEED_WARN_REAPED,
	DEED_REMAP,
	DEED_DEATH_SIGNAL,
	DEED_REWRITE,
	DEED_PAUSE
};

/*
 * Texts are printed with %a for argv[0], %b for its last part, %h for the help, %u for the usage,
 * %v for the version, %i for this process, %l and %w for the letter and the value of an option.
 */
struct personality {
	char names[3][12];
	bool permutes;       /* options are looked for behind the program, too */
	bool version_alone;  /* a long --version counts only where it is the only word */
	bool help_on_stderr; /* where it was asked for; on a mistake it always is */
	bool version_on_stderr;
	bool value_is_missed; /* an option without its value is told as one with a wrong value */
	uint8_t level;        /* of words, at first */

	struct {
		char letter;
		bool has_value;
		uint8_t deed;
		char name[13]; /* "": has no long form */
	} options[OPTIONS_MAX + 1];
	struct {
		uint8_t deed;
		uint8_t event; /* said when it holds; 0: none */
		char name[24];
		char value[2]; /* that it must have; "": any */
	} variables[VARIABLES_MAX + 1];

	uint64_t dropped; /* signals that are never passed on */
	uint8_t exit_missing, exit_denied, exit_failed;
	uint8_t subreaper, session, ending; /* as in struct wrap_options */
	bool group, keep_signals, stops_itself, to_root, closes;
	uint8_t stop_as; /* in the place of TSTP, TTIN and TTOU in a session of its own; 0: they */

	char version[40];
	char usage[64];      /* on a wrong option */
	char missing[96];    /* no program was given */
	char bad_value[160]; /* of an option */
	char help[1280];
	struct voice voice;
};

static const struct personality personalities[] = {
	{
		.names = {"tini", "tini-static", "docker-init"},
		.permutes = true,
		.version_alone = true,
		.level = 1,
		.options =
			{
				{'h', false, DEED_HELP, ""},
				{'s', false, DEED_SUBREAPER, ""},
				{'p', true, DEED_DEATH_SIGNAL, ""},
				{'v', false, DEED_LOUDER, ""},
				{'w', false, DEED_WARN_REAPED, ""},
				{'g', false, DEED_GROUP, ""},
				{'e', true, DEED_REMAP, ""},
				{'l', false, DEED_LICENSE, ""},
			},
		.variables =
			{
				{DEED_SUBREAPER, 0, "TINI_SUBREAPER", ""},
				{DEED_GROUP, 0, "TINI_KILL_PROCESS_GROUP", ""},
				{DEED_LEVEL, 0, "TINI_VERBOSITY", ""},
			},
		.dropped = SIGWORD(SIGTTIN) | SIGWORD(SIGTTOU) | SIGWORD_FAULTS,
		.exit_missing = 127,
		.exit_denied = 126,
		.exit_failed = 1,
		.subreaper = SUBREAPER_NEVER,
		.session = SESSION_GROUP,
		.ending = ENDING_AS_PID1,
		.keep_signals = true,
		.version = "tini version 0.19.0 - muster-init %v\n",
		.usage = "%h",
		.missing = "%h",
		.bad_value = "[FATAL tini (%i)] Not a valid option for -%l: %w\n",
		.help = "%b (tini version 0.19.0 - muster-init %v)\n"
			"Usage: %b [OPTIONS] PROGRAM -- [ARGS] | --version\n\n"
			"Runs PROGRAM under the supervision of a valid init process (%b):\n"
			"muster-init, called by this name.\n\n"
			"Options:\n\n"
			"  --version: the version, as the only argument\n"
			"  -h: this page\n"
			"  -s: be a subreaper, for where this is not PID 1\n"
			"  -p SIGNAL: get SIGNAL when the parent dies, such as \"-p SIGKILL\"\n"
			"  -v: be more verbose; up to three times\n"
			"  -w: warn of each adopted process that is reaped\n"
			"  -g: send signals to the program's whole process group\n"
			"  -e EXIT_CODE: exit 0 in the place of EXIT_CODE (0 to 255); repeatable\n"
			"  -l: the license\n\n"
			"Environment:\n\n"
			"  TINI_SUBREAPER: as -s\n"
			"  TINI_VERBOSITY: how much is said, 0 to 4; 1 without it\n"
			"  TINI_KILL_PROCESS_GROUP: as -g\n\n",
		.voice =
			{
				.stdout_from = 2,
				.prefix = {"[FATAL tini (%i)] ", "[WARN  tini (%i)] ",
					   "[INFO  tini (%i)] ", "[DEBUG tini (%i)] ",
					   "[TRACE tini (%i)] "},
				.lines =
					{
						[VOICE_NO_BLOCKING] = {0,
								       "sigprocmask failed: '%e'"},
						[VOICE_NO_SUBREAPER] =
							{0, "Failed to register as child "
							    "subreaper: %e"},
						[VOICE_NO_DEATH_SIGNAL] =
							{0, "Failed to set up parent death signal"},
						[VOICE_EXEC_FAILED] = {0, "exec %w failed: %e"},
						[VOICE_STEP_FAILED] = {0,
								       "cannot start %w: %d: %e"},
						[VOICE_LOST] = {0, "lost track of %w, process %p"},
						[VOICE_LEFT_FAILED] =
							{0, "cannot end what %w left behind: %e"},
						[VOICE_UNKILLABLE] =
							{0, "something that %w left behind has not "
							    "ended after KILL"},
						[VOICE_ADOPTED_EXITED] =
							{1, "Reaped zombie process with pid=%p"},
						[VOICE_ADOPTED_KILLED] =
							{1, "Reaped zombie process with pid=%p"},
						[VOICE_NOT_REAPER] =
							{1, "not PID 1 and no subreaper (-s, "
							    "TINI_SUBREAPER): zombie reaping won't "
							    "work"},
						[VOICE_STARTED] = {2, "Spawned child process '%w' "
								      "with pid '%p'"},
						[VOICE_CHILD_SIGNAL] = {3, "Received SIGCHLD"},
						[VOICE_PASSING] = {3, "Passing signal: '%k'"},
						[VOICE_SEND_FAILED] =
							{1, "Unexpected error when forwarding "
							    "signal: '%e'"},
						[VOICE_CHILD_EXITED] =
							{3, "Reaped child with pid: '%p'"},
						[VOICE_CHILD_KILLED] =
							{3, "Reaped child with pid: '%p'"},
						[VOICE_MAIN_EXITED] =
							{2, "Main child exited normally (with "
							    "status '%n')"},
						[VOICE_MAIN_KILLED] =
							{2, "Main child exited with signal (with "
							    "signal '%k')"},
						[VOICE_TERM_LEFT] =
							{2, "TERM to what '%w' left behind"},
						[VOICE_KILL_LEFT] =
							{2, "KILL to what '%w' left behind"},
						[VOICE_KILLED] = {2, "KILL to '%w' with pid '%p'"},
						[VOICE_GOODBYE] = {4, "Exiting: child has exited"},
					},
			},
	},
	{
		.names = {"dumb-init"},
		.help_on_stderr = true,
		.version_on_stderr = true,
		.value_is_missed = true,
		.options =
			{
				{'h', false, DEED_HELP, "help"},
				{'c', false, DEED_SINGLE, "single-child"},
				{'r', true, DEED_REWRITE, "rewrite"},
				{'v', false, DEED_LOUDER, "verbose"},
				{'V', false, DEED_VERSION, "version"},
			},
		.variables =
			{
				{DEED_LOUD, VOICE_LOUD, "DUMB_INIT_DEBUG", "1"},
				{DEED_SINGLE, VOICE_SINGLE, "DUMB_INIT_SETSID", "0"},
			},
		.exit_missing = 2,
		.exit_denied = 2,
		.exit_failed = 2,
		.subreaper = SUBREAPER_NEVER,
		.session = SESSION_NEW,
		.ending = ENDING_GROUP,
		.group = true,
		.stops_itself = true,
		.to_root = true,
		.stop_as = SIGSTOP,
		.version = "dumb-init v1.2.5\n",
		.missing = "Usage: %a [option] program [args]\n"
			   "Try %a --help for full usage.\n",
		.bad_value =
			"Usage: -r option takes <signum>:<signum>, where <signum> is between 1 "
			"and 31.\n"
			"This option can be specified multiple times.\n"
			"Use --help for full usage.\n",
		.help = "dumb-init v1.2.5\n"
			"Usage: %a [option] command [[arg] ...]\n"
			"\n"
			"dumb-init is a simple process supervisor that forwards signals to "
			"children.\n"
			"It is designed to run as PID1 in minimal container environments.\n"
			"\n"
			"Optional arguments:\n"
			"   -c, --single-child   Run in single-child mode.\n"
			"                        In this mode, signals are only proxied to the\n"
			"                        direct child and not any of its descendants.\n"
			"   -r, --rewrite s:r    Rewrite received signal s to new signal r before "
			"proxying.\n"
			"                        To ignore (not proxy) a signal, rewrite it to 0.\n"
			"                        This option can be specified multiple times.\n"
			"   -v, --verbose        Print debugging information to stderr.\n"
			"   -h, --help           Print this help message and exit.\n"
			"   -V, --version        Print the current version and exit.\n"
			"\n"
			"Full help is available online at https://github.com/Yelp/dumb-init\n",
		.voice =
			{
				.prefix = {"[dumb-init] ", "[dumb-init] "},
				.lines =
					{
						[VOICE_NO_BLOCKING] = {0,
								       "cannot block signals: %e"},
						[VOICE_EXEC_FAILED] = {0, "%w: %e"},
						[VOICE_STEP_FAILED] = {0, "%w: %d: %e"},
						[VOICE_LOST] = {0, "lost track of %w, process %p"},
						[VOICE_LOUD] = {1, "Running in debug mode."},
						[VOICE_SINGLE] = {1, "Not running in setsid mode."},
						[VOICE_NO_TERMINAL] =
							{1, "Unable to detach from controlling tty "
							    "(errno=%n %e)."},
						[VOICE_DETACHED] =
							{1,
							 "Detached from controlling tty, ignoring "
							 "the first SIGHUP and SIGCONT we "
							 "receive."},
						[VOICE_SESSION] = {1, "setsid complete."},
						[VOICE_STARTED] = {1, "Child spawned with PID %p."},
						[VOICE_CHILD_SIGNAL] = {1, "Received signal %n."},
						[VOICE_RECEIVED] = {1, "Received signal %n."},
						[VOICE_HANDED_OVER] =
							{1, "Ignoring tty hand-off signal %n."},
						[VOICE_TRANSLATED] =
							{1, "Translating signal %n to %o."},
						[VOICE_FORWARDED] =
							{1, "Forwarded signal %o to children."},
						[VOICE_DROPPED] =
							{1, "Not forwarding signal %o to children "
							    "(ignored)."},
						[VOICE_SUSPENDING] =
							{1, "Suspending self due to TTY signal."},
						[VOICE_CHILD_EXITED] =
							{1, "A child with PID %p exited with exit "
							    "status %n."},
						[VOICE_CHILD_KILLED] =
							{1, "A child with PID %p was terminated by "
							    "signal %n."},
						[VOICE_GOODBYE] = {1,
								   "Child exited with status %n. "
								   "Goodbye."},
					},
			},
	},
	{
		.names = {"catatonit"},
		.permutes = true,
		.help_on_stderr = true,
		.options =
			{
				{'g', false, DEED_GROUP, ""},
				{'h', false, DEED_HELP, ""},
				{'L', false, DEED_LICENSE, ""},
				{'P', false, DEED_PAUSE, ""},
				{'V', false, DEED_VERSION, "version"},
			},
		.variables = {{DEED_LOUD, 0, "CATATONIT_DEBUG", ""}},
		.dropped = SIGWORD(SIGTSTP) | SIGWORD(SIGTTIN) | SIGWORD(SIGTTOU) | SIGWORD_FAULTS,
		.exit_missing = 1,
		.exit_denied = 1,
		.exit_failed = 1,
		.subreaper = SUBREAPER_MUST,
		.session = SESSION_GROUP,
		.ending = ENDING_AS_PID1,
		.keep_signals = true,
		.to_root = true,
		.closes = true,
		.version = "tini version 0.2.1_catatonit\n",
		.usage = "usage: catatonit [-ghLPV] [--] <progname> [<arguments>...]\n",
		.missing = "ERROR (catatonit:%i): missing program name\n%u",
		.help = "%u\n"
			"options:\n"
			"  -g              send signals to the program's whole process group\n"
			"  -h              this page\n"
			"  -L              the license\n"
			"  -P              pause: run no program, only reap, until TERM or INT\n"
			"  -V, --version   the version\n\n"
			"This is muster-init %v, called by this name.\n",
		.voice =
			{
				.prefix = {"ERROR (catatonit:%i): ", "DEBUG (catatonit:%i): "},
				.lines =
					{
						[VOICE_NO_BLOCKING] =
							{0, "failed to block all signals: %e"},
						[VOICE_NO_SUBREAPER] = {0, "failed to become a "
									   "subreaper, and not PID "
									   "1: %e"},
						[VOICE_EXEC_FAILED] = {0,
								       "failed to exec pid1: %e"},
						[VOICE_STEP_FAILED] =
							{0, "failed to start %w: %d: %e"},
						[VOICE_LOST] = {0, "lost track of %w, process %p"},
						[VOICE_LEFT_FAILED] =
							{0, "cannot end what %w left behind: %e"},
						[VOICE_UNKILLABLE] =
							{0, "something that %w left behind has not "
							    "ended after KILL"},
						[VOICE_STARTED] = {1, "pid1 (%p) spawned: %w"},
						[VOICE_PASSING] = {1, "signal %s: passed on"},
						[VOICE_DROPPED] = {1, "signal %s: dropped"},
						[VOICE_SEND_FAILED] =
							{1, "cannot send signal %n to %p: %e"},
						[VOICE_CHILD_EXITED] =
							{1, "process %p has ended: code %n"},
						[VOICE_CHILD_KILLED] =
							{1, "process %p has ended: signal %s"},
						[VOICE_TERM_LEFT] = {1,
								     "TERM to what %w left behind"},
						[VOICE_KILL_LEFT] = {1,
								     "KILL to what %w left behind"},
					},
			},
	},
};

/* The license as it lies at the top; paths are those of the directory that make runs in. */
__asm__(".pushsection .rodata\n"
	"personality_license:\n"
	".incbin \"LICENSE\"\n"
	".byte 0\n"
	".popsection\n");
extern const char personality_license[];

struct parser {
	const struct personality *personality;
	struct wrap_options *options;
	char *const *argv;
	unsigned level; /* of words */
	bool warn_reaped;
};

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

/* ---- texts ---- */

static void print(FILE *out, const struct parser *p, const char *text, char letter,
		  const char *value)
{
	for (; *text; text++) {
		if (*text != '%') {
			putc(*text, out);
			continue;
		}
		switch (*++text) {
		case 'a':
			fputs(p->argv[0], out);
			break;
		case 'b':
			fputs(last_part(p->argv[0]), out);
			break;
		case 'h':
			print(out, p, p->personality->help, letter, value);
			break;
		case 'u':
			print(out, p, p->personality->usage, letter, value);
			break;
		case 'v':
			fputs(MUSTER_VERSION, out);
			break;
		case 'i':
			fprintf(out, "%d", (int)getpid());
			break;
		case 'l':
			putc(letter, out);
			break;
		default:
			fputs(value, out);
		}
	}
}

static int print_help(const struct parser *p)
{
	print(p->personality->help_on_stderr ? stderr : stdout, p, p->personality->help, 0, "");
	return EXIT_SUCCESS;
}

static int print_version(const struct parser *p)
{
	print(p->personality->version_on_stderr ? stderr : stdout, p, p->personality->version, 0,
	      "");
	return EXIT_SUCCESS;
}

static int print_license(void)
{
	fputs(personality_license, stdout);
	return EXIT_SUCCESS;
}

/* ---- values ---- */

/* As strtol has it: " 3" and "+3" are 3. */
static bool read_remap(struct wrap_options *options, const char *text)
{
	char *end;
	long code = strtol(text, &end, 10);

	if (*end || code < 0 || code > 255)
		return false;
	options->remapped[code / 8] |= (uint8_t)(1U << (code % 8));
	return true;
}

static bool read_death_signal(struct wrap_options *options, const char *text)
{
	int signo = sig_parse(text);

	if (signo > 0)
		options->death_signal = (uint8_t)signo;
	return signo > 0;
}

/* "15:3": numbers of 1 to 31, the second one of 0, too, which drops it. As sscanf has it, whose
 * "%d:%d" minds neither blanks before a number nor what comes behind both. */
static bool read_rewrite(struct wrap_options *options, const char *text)
{
	char *colon, *end;
	long from = strtol(text, &colon, 10), to;

	if (*colon != ':' || from < 1 || from > 31)
		return false;
	to = strtol(colon + 1, &end, 10);
	if (end == colon + 1 || to < 0 || to > 31)
		return false;
	options->forward[from] = to ? (uint8_t)to : WRAP_DROP;
	return true;
}

/* ---- options and variables ---- */

/* -1: go on; else the exit code. */
static int do_deed(struct parser *p, enum deed deed, char letter, const char *value)
{
	struct wrap_options *o = p->options;
	bool good = true;

	switch (deed) {
	case DEED_HELP:
		return print_help(p);
	case DEED_VERSION:
		return print_version(p);
	case DEED_LICENSE:
		return print_license();
	case DEED_LOUDER:
		p->level++;
		break;
	case DEED_LEVEL:
		p->level = (unsigned)atoi(value); /* as it was: nothing is wrong here */
		break;
	case DEED_LOUD:
		p->level = VOICE_LEVELS;
		break;
	case DEED_SUBREAPER:
		o->subreaper = SUBREAPER_MUST;
		break;
	case DEED_GROUP:
		o->group = true;
		break;
	case DEED_SINGLE:
		o->group = false;
		o->session = SESSION_SAME;
		break;
	case DEED_WARN_REAPED:
		p->warn_reaped = true;
		break;
	case DEED_REMAP:
		good = read_remap(o, value);
		break;
	case DEED_DEATH_SIGNAL:
		good = read_death_signal(o, value);
		break;
	case DEED_REWRITE:
		good = read_rewrite(o, value);
		break;
	case DEED_PAUSE:
		o->pause = true;
		break;
	case DEED_NONE:
		break;
	}
	if (!good)
		print(stderr, p, p->personality->bad_value, letter, value);
	return good ? -1 : EXIT_FAILURE;
}

/* The events to say from now on. */
static void choose_events(const struct parser *p)
{
	p->options->says = voice_events(p->options->voice, p->level);
	if (!p->warn_reaped)
		p->options->says &= ~VOICE_ADOPTED;
}

static void read_variables(struct parser *p)
{
	for (int i = 0; p->personality->variables[i].deed; i++) {
		const char *expected = p->personality->variables[i].value;
		const char *value = getenv(p->personality->variables[i].name);
		uint8_t event = p->personality->variables[i].event;

		if (!value || (expected[0] && strcmp(value, expected) != 0))
			continue;
		do_deed(p, p->personality->variables[i].deed, 0, value);
		choose_events(p);
		if (event && (p->options->says & VOICE_BIT(event)))
			voice_say(p->options->voice, event, &(struct voice_words){0});
	}
}

/* For getopt_long; a long name's value is its letter. */
static void make_tables(const struct personality *personality, char *letters, struct option *names)
{
	/* where a standard asks for it, and with every C library */
	if (!personality->permutes || getenv("POSIXLY_CORRECT"))
		*letters++ = '+';
	*letters++ = ':';
	for (int i = 0; personality->options[i].letter; i++) {
		bool has_value = personality->options[i].has_value;

		*letters++ = personality->options[i].letter;
		if (has_value)
			*letters++ = ':';
		if (personality->options[i].name[0])
			*names++ = (struct option){.name = personality->options[i].name,
						   .has_arg = has_value ? required_argument
									: no_argument,
						   .val = personality->options[i].letter};
	}
	*letters = '\0';
	*names = (struct option){0};
}

/* In the words of glibc, with every C library. */
static int refuse_option(const struct parser *p, int result, bool has_names)
{
	const char *word = p->argv[optind - 1];

	if (result == ':' && p->personality->value_is_missed) {
		print(stderr, p, p->personality->bad_value, (char)optopt, "");
		return EXIT_FAILURE;
	}
	if (result == ':')
		fprintf(stderr, "%s: option requires an argument -- '%c'\n", p->argv[0], optopt);
	else if (optopt == 0 && has_names)
		fprintf(stderr, "%s: unrecognized option '%s'\n", p->argv[0], word);
	else if (optopt != 0 && strncmp(word, "--", 2) == 0)
		fprintf(stderr, "%s: option '%.*s' doesn't allow an argument\n", p->argv[0],
			(int)strcspn(word, "="), word);
	else
		fprintf(stderr, "%s: invalid option -- '%c'\n", p->argv[0], optopt ? optopt : '-');
	print(stderr, p, p->personality->usage, 0, "");
	return EXIT_FAILURE;
}

static enum deed deed_of(const struct personality *personality, int letter)
{
	for (int i = 0; personality->options[i].letter; i++)
		if (personality->options[i].letter == letter)
			return personality->options[i].deed;
	return DEED_NONE;
}

/* -1: go on, words from optind on are the program; else the exit code. */
static int read_options(struct parser *p, int argc, char **argv)
{
	struct option names[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 3];
	int letter, code = -1;

	if (p->personality->version_alone && argc == 2 && strcmp(argv[1], "--version") == 0)
		return print_version(p);
	make_tables(p->personality, letters, names);
	opterr = 0;
	while (code < 0 && (letter = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (letter == '?' || letter == ':')
			return refuse_option(p, letter, names[0].name);
		code = do_deed(p, deed_of(p->personality, letter), (char)letter, optarg);
	}
	return code;
}

/* ---- */

static void take_manner(const struct personality *personality, struct wrap_options *options)
{
	options->voice = &personality->voice;
	options->grace = WRAP_GRACE_MS;
	options->exit_missing = personality->exit_missing;
	options->exit_denied = personality->exit_denied;
	options->exit_failed = personality->exit_failed;
	options->subreaper = personality->subreaper;
	options->session = personality->session;
	options->ending = personality->ending;
	options->group = personality->group;
	options->keep_signals = personality->keep_signals;
	options->stops_itself = personality->stops_itself;
	options->to_root = personality->to_root;
	options->closes = personality->closes;
	options->or_shell = true;
	for (int signo = 1; signo <= SIGNAL_MAX; signo++)
		if (personality->dropped & SIGWORD(signo))
			options->forward[signo] = WRAP_DROP;
}

/* Where a rewrite says nothing else. */
static void choose_stop(const struct personality *personality, struct wrap_options *options)
{
	static const uint8_t stops[] = {SIGTSTP, SIGTTIN, SIGTTOU};

	if (options->session != SESSION_NEW)
		return;
	for (size_t i = 0; i < sizeof(stops); i++)
		if (options->forward[stops[i]] == 0)
			options->forward[stops[i]] = personality->stop_as;
}

const struct personality *personality_find(const char *name)
{
	name = last_part(name);
	for (size_t i = 0; i < sizeof(personalities) / sizeof(personalities[0]); i++)
		for (int j = 0; j < 3 && personalities[i].names[j][0]; j++)
			if (strcmp(personalities[i].names[j], name) == 0)
				return &personalities[i];
	return NULL;
}

int personality_parse(const struct personality *personality, struct wrap_options *options, int argc,
		      char **argv)
{
	struct parser p = {personality, options, argv, personality->level, false};
	int code;

	take_manner(personality, options);
	code = read_options(&p, argc, argv);
	if (code >= 0)
		return code;
	options->argv = argv + optind;
	if (!options->argv[0] && !options->pause) {
		print(stderr, &p, personality->missing, 0, "");
		return EXIT_FAILURE;
	}
	read_variables(&p);
	choose_events(&p);
	choose_stop(personality, options);
	return -1;
}
