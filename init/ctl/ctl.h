/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CTL_H
#define MUSTER_CTL_H

#include <stdbool.h>
#include <stddef.h>

/* What all verbs of musterctl share: the options before and after the verb, the exit codes. */
enum ctl_exit {
	CTL_DONE = 0,
	CTL_FALSE = 1, /* not healthy, the condition does not hold, it did not work */
	CTL_USAGE = 2,
	CTL_NOT_FOUND = 3,
	CTL_TIMED_OUT = 4,
	CTL_REFUSED = 5,
	CTL_UNREACHABLE = 6
};

#define CTL_CONFIGS_MAX 32

struct ctl {
	const struct verb *verb;
	const char *run_dir;
	const char *configs[CTL_CONFIGS_MAX + 1]; /* -c; NULL-ended */
	unsigned config_count;
	bool out_is_terminal; /* stdout: data */
	bool err_is_terminal; /* stderr: progress */
	bool colour;          /* on stdout */
};

/* A verb gets its arguments, NULL-ended, without its own name. Returns an enum ctl_exit. */
typedef int verb_function(struct ctl *ctl, char **argv);

struct verb {
	const char *name;
	verb_function *run;
	const char *arguments;
	const char *options;
	const char *help; /* one line */
};

/* The one screen of --help. */
void ctl_print_help(void);

verb_function verb_status, verb_top;                            /* status.c, top.c */
verb_function verb_start, verb_stop, verb_restart, verb_signal; /* action.c */
verb_function verb_shutdown, verb_reload;                       /* action.c, reload.c */
verb_function verb_wait, verb_health;                           /* wait.c, health.c */
verb_function verb_logs, verb_events;                           /* stream.c */
verb_function verb_check, verb_resolve;                         /* check.c, resolve.c */
verb_function verb_convert;                                     /* convert.c */
verb_function verb_scan;                                        /* scan.c */
verb_function verb_security;                                    /* security.c */
verb_function verb_graph, verb_timeline;                        /* graph.c, timeline.c */

#endif
