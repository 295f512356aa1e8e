/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WRAP_H
#define MUSTER_WRAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Wrap mode: run one program, pass signals on, reap, return its exit code. No event loop, no
 * allocation, few pages touched: this is what most containers pay for.
 */
struct identity_config;

#define WRAP_DROP 255 /* in `forward` */

/* Zero is the plain behaviour, apart from argv, envp and grace. */
struct wrap_options {
	char *const *argv;
	char **envp;                            /* its LISTEN_PID is rewritten in place */
	const struct identity_config *identity; /* NULL: nothing changes */
	uint32_t grace;                         /* ms for what is left when the program has ended */
	uint8_t verbose;                        /* 1: start, signals, end */
	uint8_t death_signal;                   /* for init itself when its parent dies; 0: none */
	bool group;                             /* signals go to the program's process group */
	bool need_subreaper;                    /* failing to become one is an error */
	bool warn_reaped;
	uint8_t forward[65];  /* what to send in a signal's place; 0: itself; WRAP_DROP: nothing */
	uint8_t remapped[32]; /* bit set of exit codes that become 0 */
};

#define WRAP_GRACE_MS 5000

/* Runs the program to its end; returns the exit code for init. */
int wrap_run(const struct wrap_options *options);

#endif
