/* SPDX-License-Identifier: MIT */
#include "load.h"

#include <stdio.h>

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

struct config *load_config(const struct ctl *ctl, const char *const *files,
			   char *const *environment, bool lenient)
{
	struct config_source source = {.files = files,
				       .environment = environment,
				       .lenient_users = lenient,
				       .read_profiles = !lenient};
	struct config_errors errors = {0};
	struct config *config;

	if (!files && ctl->config_count)
		source.files = ctl->configs;
	config = config_load(&source, &errors);
	say(&errors);
	config_errors_free(&errors);
	return config;
}
