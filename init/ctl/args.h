/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ARGS_H
#define MUSTER_ARGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Options: `--name value`, `--name=value`, `-l value`, `-lvalue`; before, behind and between the
 * other arguments, up to `--`. Those that every verb takes (--run-dir, -c, --no-color, -h, -V) go
 * into struct ctl.
 */
struct ctl;

enum arg_kind {
	ARG_FLAG,     /* bool */
	ARG_TEXT,     /* const char * */
	ARG_DURATION, /* uint32_t, ms */
	ARG_COUNT,    /* uint32_t */
	ARG_LIST,     /* struct arg_list: one more text */
	ARG_CONFIG    /* struct ctl: one more configuration file */
};

#define ARG_LIST_MAX 100

struct arg_list {
	const char *texts[ARG_LIST_MAX];
	uint32_t count;
};

struct arg_option {
	const char *name; /* without its -- */
	char letter;      /* 0: none */
	enum arg_kind kind;
	void *value; /* where it goes */
};

/*
 * Takes the options of a verb out of argv and leaves its other arguments, NULL-ended. Returns how
 * many these are, or -1 when there is nothing more to do but return *exit_code: help was printed,
 * or an option was wrong and that was said.
 */
int args_parse(struct ctl *ctl, char **argv, const struct arg_option *options, size_t count,
	       int *exit_code);
/* As args_parse for the options before the verb: stops there and returns its index. */
int args_parse_leading(struct ctl *ctl, char **argv, int *exit_code);

/* Says what is wrong and how the verb is used; returns CTL_USAGE. */
int args_wrong(const struct ctl *ctl, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
