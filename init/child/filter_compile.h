/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FILTER_COMPILE_H
#define MUSTER_FILTER_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "config.h"
#include "filter.h"

/*
 * Profiles of system calls are read and compiled by a child process, so that neither their text nor
 * the compiler's memory is ever init's.
 */
#define FILTERS_MAX      4096 /* different ones */
#define FILTERS_CODE_MAX (1U << 19)

/* What a configuration and capabilities come to. */
struct filter {
	struct seccomp_config config;
	uint64_t capabilities;
	struct sock_fprog program;
};

static inline bool filter_is_profile(const struct filter *filter)
{
	return filter->config.mode == SECCOMP_PROFILE;
}

/* What the child writes and init reads when it has ended. */
struct filter_exchange {
	bool done;
	bool failed;
	uint32_t text_len, used;
	char text[32768];             /* lines, each behind a letter: an Error, or for Debugging */
	uint32_t length[FILTERS_MAX]; /* by index in the list */
	struct sock_filter code[FILTERS_CODE_MAX];
};

/* In the child: compiles all of the list that are profiles, and returns. */
void filter_compile_all(struct filter_exchange *e, const struct filter *list, uint32_t count);

#endif
