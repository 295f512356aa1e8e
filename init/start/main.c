/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arena.h"
#include "capability.h"
#include "config.h"
#include "environment.h"
#include "fault.h"
#include "fd.h"
#include "filters.h"
#include "log.h"
#include "options.h"
#include "personality.h"
#include "supervise.h"
#include "version.h"
#include "wrap.h"
#include "writers.h"

#define EXIT_USAGE     2
#define EXIT_PRIVILEGE 77
#define EXIT_CONFIG    78

extern char **environ;

__attribute__((format(printf, 1, 2))) static int usage_error(const char *format, ...)
{
	va_list args;

	fprintf(stderr, "muster-init: ");
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "\nmuster-init --help shows the options\n");
	return EXIT_USAGE;
}

/* ---- wrap mode ---- */

/* Said before anything starts: in the child it would be no more than "not permitted". */
static bool can_add_capabilities(uint64_t asked)
{
	char why[CAPABILITY_WHY_SIZE];

	if (!asked || capability_check(asked, why, sizeof(why)))
		return true;
	fprintf(stderr, "muster-init: --cap-add: %s\n", why);
	return false;
}

/* Not inlined: its text would take a page of every wrapped program. */
__attribute__((noinline)) static bool make_filter(struct options *options)
{
	struct arena *arena = arena_create();
	struct filters *filters;
	char text[FILTERS_TEXT_SIZE];

	if (options->verbose)
		log_open("muster-init", LOG_DEBUG);
	filters = arena ? filters_make(arena, &options->wrap.identity, 1, FILTERS_AT_START, text)
			: NULL;
	if (!filters) {
		fprintf(stderr, "muster-init: --seccomp: %s\n", arena ? text : "out of memory");
		return false;
	}
	options->wrap.filter = filters_find(filters, options->wrap.identity);
	return true;
}

static int wrap_main(struct options *options)
{
	char error[512];

	if (!can_add_capabilities(options->identity.config.cap_add))
		return EXIT_PRIVILEGE;
	if (!identity_resolve(&options->identity, error, sizeof(error)))
		return usage_error("%s", error);
	options->wrap.envp = environ;
	if (options->env_count + options->secrets_count > 0)
		options->wrap.envp = environment_build(environ, options->env_files,
						       options->secrets, error, sizeof(error));
	if (!options->wrap.envp) {
		fprintf(stderr, "muster-init: %s\n", error);
		return EXIT_CONFIG;
	}
	options->wrap.identity = &options->identity.config;
	if (options->identity.config.seccomp.mode != SECCOMP_UNCONFINED && !make_filter(options))
		return EXIT_CONFIG;
	return wrap_run(&options->wrap);
}

/* ---- supervise mode ---- */

static void print_lines(char *const *lines, unsigned count, const char *prefix)
{
	for (unsigned i = 0; i < count; i++)
		fprintf(stderr, "%s%s\n", prefix, lines[i]);
}

/* NULL after all problems have been printed. Warnings are printed, too, and may be problems. */
static struct config *load_config(const struct config_source *source, bool strict)
{
	struct config_errors errors = {0};
	struct config *config = config_load(source, &errors);

	print_lines(errors.warning, errors.warnings, "warning: ");
	print_lines(errors.text, errors.kept, "");
	if (errors.total > errors.kept)
		fprintf(stderr, "... and %u more\n", errors.total - errors.kept);
	if (!config)
		fprintf(stderr, "muster-init: %u error%s in the configuration\n", errors.total,
			errors.total == 1 ? "" : "s");
	else if (!config->count)
		fprintf(stderr, "muster-init: the configuration has no services\n");
	if (config && config->count && strict && errors.warnings)
		fprintf(stderr, "muster-init: %u warning%s in the configuration\n", errors.warnings,
			errors.warnings == 1 ? "" : "s");
	if (config && (!config->count || (strict && errors.warnings))) {
		config_free(config);
		config = NULL;
	}
	config_errors_free(&errors);
	return config;
}

static struct config_source source_of(const struct options *options)
{
	return (struct config_source){
		.files = options->config_count ? options->config_files : NULL,
		.environment = environ,
		.program = options->wrap.argv[0] ? options->wrap.argv : NULL,
	};
}

static int check_main(const struct options *options)
{
	struct config_source source = source_of(options);
	struct config *config;

	source.read_profiles = source.find_dead = true;
	config = load_config(&source, options->strict);
	if (!config)
		return EXIT_CONFIG;
	config_free(config);
	puts("ok");
	return fflush(stdout) == 0 ? 0 : EXIT_FAILURE;
}

static int supervise(const struct options *options)
{
	const struct config_source source = source_of(options);
	struct supervise_options supervised = {.source = &source};

	/* no wish to stop is lost: to a PID 1 that does not block it the kernel gives none */
	signals_set_mask(~fault_catch(false), NULL);
	log_open("muster-init", options->verbose ? LOG_DEBUG : LOG_INFO);
	supervised.config = load_config(&source, false);
	return supervised.config ? supervise_main(&supervised) : EXIT_CONFIG;
}

static bool has_default_config(void)
{
	const char *file = getenv("MUSTER_CONFIG");

	return (file && file[0]) || access(CONFIG_DEFAULT_FILE, F_OK) == 0;
}

/* ---- */

static int run(struct options *options)
{
	switch (options->action) {
	case ACTION_HELP:
		options_print_help();
		return EXIT_SUCCESS;
	case ACTION_VERSION:
		puts("muster-init " MUSTER_VERSION);
		return EXIT_SUCCESS;
	case ACTION_CHECK:
		return check_main(options);
	case ACTION_SUPERVISE:
		return supervise(options);
	case ACTION_WRAP:
		break;
	}
	if (options->wrap.argv[0])
		return wrap_main(options);
	if (!has_default_config())
		return usage_error("neither a PROGRAM to wrap nor a configuration (-c FILE, "
				   "$MUSTER_CONFIG or " CONFIG_DEFAULT_FILE ")");
	if (options->wrap_only)
		return usage_error("--%s needs a PROGRAM to wrap", options->wrap_only);
	return supervise(options);
}

static int run_as(const struct personality *personality, struct options *options, int argc,
		  char **argv)
{
	int code = personality_parse(personality, &options->wrap, argc, argv);

	return code < 0 ? wrap_main(options) : code;
}

/* Called by its own name, init looks at nobody else's. */
static const struct personality *find_personality(const char *name)
{
	size_t len = name ? strlen(name) : 0;
	size_t own = sizeof("muster-init") - 1;

	if (len == 0 || (len >= own && strcmp(name + len - own, "muster-init") == 0))
		return NULL;
	return personality_find(name);
}

int main(int argc, char **argv)
{
	/* not on the stack: behind the initialised data, on a page that is in use anyway */
	static struct options options;
	static char error[512];
	const struct personality *personality;

	fd_open_standard();
	personality = find_personality(argv[0]);
	if (personality)
		return run_as(personality, &options, argc, argv);
	if (argc > 1 && strcmp(argv[1], LOG_WRITER_OPTION) == 0)
		return logwriter_main(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], HOSTS_WRITER_OPTION) == 0)
		return hosts_writer_main(argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], DURATIONS_WRITER_OPTION) == 0)
		return durations_writer_main(argc - 2, argv + 2);
	if (!options_parse(&options, argc, argv, error, sizeof(error)))
		return usage_error("%s", error);
	return run(&options);
}
