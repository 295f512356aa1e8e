/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <stdio.h>
#include <unistd.h>

#include "ctl.h"
#include "log.h"

static void say(const struct config_errors *errors)
{
	unsigned i;

	for (i = 0; i < errors->warnings; i++)
		fprintf(stderr, "warning: %s\n", errors->warning[i]);
	for (i = 0; i < errors->kept; i++)
		fprintf(stderr, "%s\n", errors->text[i]);
	if (errors->total > errors->kept)
		fprintf(stderr, "... and %u more\n", errors->total - errors->kept);
	if (errors->total)
		log_error("%u error%s in the configuration", errors->total,
			  errors->total == 1 ? "" : "s");
}

static struct config *load(const struct ctl *ctl, struct config_source *source, bool strict)
{
	struct config_errors errors = {0};
	struct config *config;

	if (!source->files && ctl->config_count)
		source->files = ctl->configs;
	config = config_load(source, &errors);
	say(&errors);
	if (config && strict && errors.warnings) {
		log_error("%u warning%s in the configuration", errors.warnings,
			  errors.warnings == 1 ? "" : "s");
		config_free(config);
		config = NULL;
	}
	config_errors_free(&errors);
	return config;
}

struct config *load_config(const struct ctl *ctl, const char *const *files,
			   char *const *environment, bool lenient)
{
	struct config_source source = {.files = files,
				       .environment = environment,
				       .lenient_users = lenient,
				       .read_profiles = !lenient};

	return load(ctl, &source, false);
}

struct config *load_checked(const struct ctl *ctl, const char *const *files, bool strict)
{
	struct config_source source = {
		.files = files, .environment = environ, .read_profiles = true, .find_dead = true};

	return load(ctl, &source, strict);
}
