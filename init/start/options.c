/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "capability.h"
#include "seccomp_profile.h"
#include "sig.h"
#include "signals.h"
#include "str.h"
#include "voice.h"

/*
 * One row per option. Strings are arrays so that the table needs no relocation: the pages of a
 * program that is only to wrap another stay untouched.
 */
enum {
	OPT_GRACE = 256,
	OPT_USER,
	OPT_GROUPS,
	OPT_CAP_ADD,
	OPT_CAP_DROP,
	OPT_NO_NEW_PRIVILEGES,
	OPT_SECCOMP,
	OPT_RLIMIT,
	OPT_UMASK,
	OPT_CHDIR,
	OPT_ENV_FILE,
	OPT_SECRETS,
	OPT_STRICT
};

struct row {
	short id; /* its letter, or OPT_... */
	bool wrap_only;
	char name[20];
	char argument[13]; /* "": takes none */
	char help[56];     /* "": not shown */
};

static const struct row rows[] = {
	{'c', false, "config", "FILE", "supervise the services of FILE; repeatable"},
	{'n', false, "check", "", "all errors or `ok`; --strict: warnings are, too"},
	{OPT_STRICT, false, "strict", "", ""},
	{'s', false, "subreaper", "", "adopt orphans when not PID 1, or fail"},
	{'g', true, "group", "", "signal the program's whole process group"},
	{'e', true, "remap-exit", "CODE", "exit 0 when the program exits with CODE"},
	{'p', true, "parent-death-signal", "SIG", "get SIG when the parent dies"},
	{'r', true, "rewrite", "A:B", "forward signal A as B, 0 drops it; repeatable"},
	{'w', true, "warn-reaped", "", "say so for each adopted process that is reaped"},
	{'v', false, "verbose", "", "say what happens"},
	{OPT_GRACE, true, "grace", "DURATION", "between TERM and KILL for what is left; 5s"},
	{OPT_USER, true, "user", "USER[:GROUP]", "become this user"},
	{OPT_GROUPS, true, "groups", "GROUP,...", "have these groups, too"},
	{OPT_CAP_ADD, true, "cap-add", "CAP,...", ""},
	{OPT_CAP_DROP, true, "cap-drop", "CAP,...",
	 "ALL or these, but what --cap-add CAP,... keeps"},
	{OPT_NO_NEW_PRIVILEGES, true, "no-new-privileges", "", "no setuid programs, for good"},
	{OPT_SECCOMP, true, "seccomp", "PROFILE", "system calls: default, audit, /profile.json"},
	{OPT_RLIMIT, true, "rlimit", "NAME=S[:H]", "limit such as nofile=1024; repeatable"},
	{OPT_UMASK, true, "umask", "MODE", "octal"},
	{OPT_CHDIR, true, "chdir", "DIR", "working directory"},
	{OPT_ENV_FILE, true, "env-file", "FILE", "environment from FILE; repeatable"},
	{OPT_SECRETS, true, "secrets", "DIR", "a variable for each file in DIR; repeatable"},
	{'h', false, "help", "", "this page; -V, --version: the version"},
	{'V', false, "version", "", ""},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

struct parser {
	struct options *options;
	char *error;
	size_t size;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct parser *parser,
							 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(parser->error, parser->size, format, args);
	va_end(args);
	return false;
}

/* ---- one value each ---- */

static bool add_file(const struct parser *p, const char **files, unsigned *count, const char *file)
{
	if (file[0] == '\0')
		return refuse(p, "the name of a file or folder is empty");
	if (*count == OPTIONS_FILES_MAX)
		return refuse(p, "more than %d files of one kind", OPTIONS_FILES_MAX);
	files[(*count)++] = file;
	return true;
}

static bool read_exit_code(const struct parser *p, const char *text)
{
	uint64_t code;

	if (!parse_uint(text, 255, &code))
		return refuse(p, "-e takes an exit code, 0 to 255, not \"%s\"", text);
	p->options->wrap.remapped[code / 8] |= (uint8_t)(1U << (code % 8));
	return true;
}

static bool read_death_signal(const struct parser *p, const char *text)
{
	int signo = sig_parse(text);

	if (signo < 0)
		return refuse(p, "-p takes a signal such as TERM or 15, not \"%s\"", text);
	p->options->wrap.death_signal = (uint8_t)signo;
	return true;
}

static bool read_rewrite(const struct parser *p, const char *text)
{
	const char *colon = strchr(text, ':');
	char first[16];
	int from = -1, to = -1;

	if (colon && (size_t)(colon - text) < sizeof(first)) {
		memcpy(first, text, (size_t)(colon - text));
		first[colon - text] = '\0';
		from = sig_parse(first);
		to = strcmp(colon + 1, "0") == 0 ? WRAP_DROP : sig_parse(colon + 1);
	}
	if (from < 0 || to < 0)
		return refuse(p,
			      "-r takes two signals such as TERM:QUIT or 15:3, or TERM:0, not "
			      "\"%s\"",
			      text);
	if (from == SIGKILL || from == SIGSTOP || from == SIGCHLD)
		return refuse(p, "-r %s: this signal is never forwarded", text);
	p->options->wrap.forward[from] = (uint8_t)to;
	return true;
}

static bool read_grace(const struct parser *p, const char *text)
{
	if (!parse_duration(text, &p->options->wrap.grace))
		return refuse(p, "--grace takes " FORM_DURATION ", not \"%s\"", text);
	return true;
}

static bool read_limit(const struct parser *p, const char *text)
{
	char why[256];

	if (!identity_add_limit(&p->options->identity, text, why, sizeof(why)))
		return refuse(p, "--rlimit: \"%s\" %s", text, why);
	return true;
}

static bool read_capabilities(const struct parser *p, const struct row *row, uint64_t *set,
			      const char *text)
{
	char why[256];

	if (!identity_add_capabilities(&p->options->identity, text, set, why, sizeof(why)))
		return refuse(p, "--%s: %s", row->name, why);
	return true;
}

/* Without no_new_privileges the kernel takes a filter from hardly anybody. */
static bool read_seccomp(const struct parser *p, const char *text)
{
	struct identity_config *config = &p->options->identity.config;

	if (!seccomp_parse(text, &config->seccomp))
		return refuse(p, "--seccomp takes " FORM_SECCOMP ", not \"%s\"", text);
	if (config->seccomp.mode != SECCOMP_UNCONFINED)
		config->no_new_privileges = true;
	return true;
}

static bool read_umask(const struct parser *p, const char *text)
{
	unsigned mask;

	if (!parse_octal(text, &mask))
		return refuse(p, "--umask takes octal digits such as 027, not \"%s\"", text);
	p->options->identity.config.umask = (mode_t)mask;
	p->options->identity.config.has_umask = true;
	return true;
}

static bool read_text(const struct parser *p, const char *name, const char **field,
		      const char *text)
{
	if (text[0] == '\0')
		return refuse(p, "--%s takes a value that is not empty", name);
	*field = text;
	return true;
}

/* ---- the command line ---- */

static bool take_option(const struct parser *p, const struct row *row, const char *text)
{
	struct options *o = p->options;

	if (row->wrap_only)
		o->wrap_only = row->name;
	switch (row->id) {
	case 'c':
		return add_file(p, o->config_files, &o->config_count, text);
	case 'n':
		o->action = ACTION_CHECK;
		return true;
	case OPT_STRICT:
		o->strict = true;
		return true;
	case 's':
		o->wrap.subreaper = SUBREAPER_MUST;
		return true;
	case 'g':
		o->wrap.group = true;
		return true;
	case 'e':
		return read_exit_code(p, text);
	case 'p':
		return read_death_signal(p, text);
	case 'r':
		return read_rewrite(p, text);
	case 'w':
		o->wrap.says |= VOICE_ADOPTED;
		return true;
	case 'v':
		o->verbose = true;
		o->wrap.says |= VOICE_ALL & ~VOICE_ADOPTED;
		return true;
	case OPT_GRACE:
		return read_grace(p, text);
	case OPT_USER:
		return read_text(p, row->name, &o->identity.user, text);
	case OPT_GROUPS:
		return read_text(p, row->name, &o->identity.groups, text);
	case OPT_CAP_ADD:
		return read_capabilities(p, row, &o->identity.config.cap_add, text);
	case OPT_CAP_DROP:
		return read_capabilities(p, row, &o->identity.config.cap_drop, text);
	case OPT_NO_NEW_PRIVILEGES:
		o->identity.config.no_new_privileges = true;
		return true;
	case OPT_SECCOMP:
		return read_seccomp(p, text);
	case OPT_RLIMIT:
		return read_limit(p, text);
	case OPT_UMASK:
		return read_umask(p, text);
	case OPT_CHDIR:
		return read_text(p, row->name, &o->identity.config.working_dir, text);
	case OPT_ENV_FILE:
		return add_file(p, o->env_files, &o->env_count, text);
	case OPT_SECRETS:
		return add_file(p, o->secrets, &o->secrets_count, text);
	case 'h':
		o->action = ACTION_HELP;
		return true;
	case 'V':
		o->action = ACTION_VERSION;
		return true;
	default:
		return refuse(p, "--%s is no option", row->name);
	}
}

/* What getopt_long takes, made from the rows: letters in `letters`, and long names whose value is
 * the row's number behind the letters' range. */
static void make_tables(char *letters, struct option *names)
{
	*letters++ = '+'; /* options end at the first word that is none */
	*letters++ = ':';
	for (size_t i = 0; i < ROWS; i++) {
		names[i] = (struct option){.name = rows[i].name,
					   .has_arg = rows[i].argument[0] ? required_argument
									  : no_argument,
					   .val = 256 + (int)i};
		if (rows[i].id >= 256)
			continue;
		*letters++ = (char)rows[i].id;
		if (rows[i].argument[0])
			*letters++ = ':';
	}
	names[ROWS] = (struct option){0};
	*letters = '\0';
}

static const struct row *row_of(int value)
{
	if (value >= 256)
		return &rows[value - 256];
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].id == value)
			return &rows[i];
	return NULL;
}

/* optopt is the letter, or for a long option 0 or its value. */
static bool refuse_option(const struct parser *p, int result, char **argv)
{
	const char *what = result == ':' ? "needs a value" : "is no option";
	const char *word = argv[optind - 1];

	if (optopt > 0 && optopt < 256)
		return refuse(p, "-%c %s", optopt, what);
	if (optopt >= 256 && result != ':')
		return refuse(p, "--%s takes no value", row_of(optopt)->name);
	return refuse(p, "%s %s", word, what);
}

static bool decide(const struct parser *p)
{
	struct options *o = p->options;
	bool supervises = o->action == ACTION_CHECK || o->config_count > 0;

	if (o->action == ACTION_HELP || o->action == ACTION_VERSION)
		return true;
	if (o->identity.config.cap_add == CAPABILITY_ALL &&
	    o->identity.config.cap_drop == CAPABILITY_ALL)
		return refuse(p, "ALL is given to --cap-add and to --cap-drop");
	if (supervises && o->wrap_only)
		return refuse(p, "--%s is for wrapping one program, not for use with %s",
			      o->wrap_only, o->config_count ? "-c" : "--check");
	if (o->strict && o->action != ACTION_CHECK)
		return refuse(p, "--strict belongs to --check");
	if (o->action == ACTION_WRAP && supervises)
		o->action = ACTION_SUPERVISE;
	return true;
}

/* The usual `muster-init -- PROGRAM` needs no tables. Where PROGRAM is, or 0: there are options. */
static int find_program(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] != '-')
		return 1;
	return strcmp(argv[1], "--") == 0 ? 2 : 0;
}

static bool parse_words(const struct parser *p, int argc, char **argv)
{
	struct option names[ROWS + 1];
	char letters[2 * ROWS + 3];
	int value;

	make_tables(letters, names);
	opterr = 0;
	while ((value = getopt_long(argc, argv, letters, names, NULL)) != -1) {
		if (value == '?' || value == ':')
			return refuse_option(p, value, argv);
		if (!take_option(p, row_of(value), optarg))
			return false;
	}
	p->options->wrap.argv = argv + optind;
	return decide(p);
}

bool options_parse(struct options *options, int argc, char **argv, char *error, size_t size)
{
	const struct parser parser = {options, error, size};
	int program = find_program(argc, argv);

	options->wrap.grace = WRAP_GRACE_MS;
	options->wrap.says = VOICE_ERRORS;
	if (program == 0)
		return parse_words(&parser, argc, argv);
	options->wrap.argv = argv + (program < argc ? program : argc);
	return true;
}

void options_print_help(void)
{
	printf("usage: muster-init [OPTIONS] [--] PROGRAM [ARG...]\n"
	       "       muster-init [OPTIONS] -c FILE [PROGRAM [ARG...]]\n");
	for (size_t i = 0; i < ROWS; i++) {
		char letter[8] = "    ";
		char name[40];

		if (rows[i].help[0] == '\0')
			continue;
		if (rows[i].id < 256)
			snprintf(letter, sizeof(letter), "-%c, ", rows[i].id);
		snprintf(name, sizeof(name), "--%s%s%s", rows[i].name,
			 rows[i].argument[0] ? " " : "", rows[i].argument);
		printf("  %s%-26s %s\n", letter, name, rows[i].help);
	}
	printf("muster-init(8) has the rest.\n");
}
