/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "args.h"
#include "load.h"

/* By the rules of `muster-init --check`, so users and files that it would miss are missed here. */
int verb_check(struct ctl *ctl, char **argv)
{
	bool strict = false;
	const struct arg_option options[] = {{"strict", 0, ARG_FLAG, &strict}};
	int exit_code, count = args_parse(ctl, argv, options, 1, &exit_code);
	struct config *config;

	if (count < 0)
		return exit_code;
	if (count && ctl->config_count)
		return args_wrong(ctl, "either FILE or -c FILE is taken");
	config = load_checked(ctl, count ? (const char *const *)argv : NULL, strict);
	if (!config)
		return CTL_FALSE;
	puts("ok");
	config_free(config);
	return CTL_DONE;
}
