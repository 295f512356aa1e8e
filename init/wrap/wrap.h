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
struct sock_fprog;
struct voice;

#define WRAP_DROP 255 /* in `forward` */

enum wrap_subreaper { SUBREAPER_TRY, SUBREAPER_MUST, SUBREAPER_NEVER };

enum wrap_session {
	SESSION_AS_TERMINAL, /* a new one, or a group of init's own where that has a terminal */
	SESSION_NEW,
	SESSION_GROUP, /* init's own, in a new group */
	SESSION_SAME,  /* init's own, its group, too */
};

/* What happens to what the program leaves behind. */
enum wrap_ending {
	ENDING_ALL,     /* TERM, grace, KILL */
	ENDING_AS_PID1, /* that, but only where it would end with init anyway */
	ENDING_GROUP,   /* TERM to the program's group, and init ends at once */
	ENDING_NONE,
};

/* Zero is the plain behaviour, apart from argv, envp, grace and says. */
struct wrap_options {
	char **argv; /* of the program; with or_shell argv[-1] may be overwritten */
	char **envp; /* its LISTEN_PID is rewritten in place */
	const struct identity_config *identity; /* NULL: nothing changes */
	const struct sock_fprog *filter;        /* of system calls; NULL: none */
	const struct voice *voice;              /* NULL: muster-init's own */
	uint64_t says;                          /* bit set of enum voice_event */
	uint32_t grace;                         /* ms for what is left when the program has ended */
	uint8_t death_signal;                   /* for init itself when its parent dies; 0: none */
	uint8_t subreaper;                      /* enum wrap_subreaper */
	uint8_t session;                        /* enum wrap_session */
	uint8_t ending;                         /* enum wrap_ending */
	uint8_t exit_missing;                   /* exit codes where exec fails with ENOENT, */
	uint8_t exit_denied;                    /* EACCES, */
	uint8_t exit_failed;  /* else; 0: those of muster-init for all that fails at the start */
	bool group;           /* signals go to the program's process group */
	bool keep_signals;    /* the program gets the mask and the dispositions that init got */
	bool stops_itself;    /* behind TSTP, TTIN and TTOU */
	bool to_root;         /* init's own working directory becomes / */
	bool closes;          /* init's own descriptors from 3 up */
	bool or_shell;        /* a program in no known format is run by /bin/sh */
	bool pause;           /* there is no program: adopt and reap until TERM or INT */
	uint8_t forward[65];  /* what to send in a signal's place; 0: itself; WRAP_DROP: nothing */
	uint8_t remapped[32]; /* bit set of exit codes that become 0 */
};

#define WRAP_GRACE_MS 5000

/* Runs the program to its end; returns the exit code for init. */
int wrap_run(const struct wrap_options *options);

#endif
