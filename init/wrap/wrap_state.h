/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WRAP_STATE_H
#define MUSTER_WRAP_STATE_H

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/types.h>

#include "fault.h"
#include "signals.h"
#include "terminal.h"
#include "voice.h"
#include "wrap.h"

/* A program being wrapped: what wrap.c runs and wrap_start.c begins. */
struct wrap {
	const struct wrap_options *options;
	struct terminal terminal;
	sigword mask; /* of signals: all but faults */
	pid_t child;
	int code;              /* of the child; EXIT_NONE while it runs */
	int recheck;           /* ms until the next look without a signal; -1: never */
	unsigned reaped;       /* adopted processes */
	sigword owed;          /* signals that could not be passed on */
	int tries;             /* how often that is tried again */
	sigset_t given_mask;   /* that init was started with; its first word counts */
	sigword given_ignored; /* with keep_signals: what init was given to ignore */
	bool is_pid1;
	bool alone; /* no children are left */
};

#define EXIT_NONE (-1)

static inline void wrap_say(const struct wrap *w, enum voice_event event, struct voice_words words)
{
	if (w->options->says & VOICE_BIT(event))
		voice_say(w->options->voice, event, &words);
}

/* The exit code for what should not happen. */
static inline int wrap_internal_code(const struct wrap *w)
{
	return w->options->exit_failed ? EXIT_FAILURE : EXIT_INTERNAL;
}

/* Signals, death signal, adoption of orphans. 0, or an exit code. */
int wrap_prepare(struct wrap *w);
/* Starts the program. 0, or an exit code after the reason has been said. */
int wrap_start(struct wrap *w);
/* Gives up what init keeps of where it was started: `directory` (0: none), and what it is told to.
 */
void wrap_settle(struct wrap *w, int directory);

#endif
