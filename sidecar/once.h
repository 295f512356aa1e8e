/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_ONCE_H
#define SIDECAR_ONCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What muster-sidecar does once and then ends, with the code of the daemon: resolve, probe, wait,
 * health. None of them needs a muster-init.
 */
struct config;

struct once_options {
	const char *const *configs; /* NULL-ended; NULL: where muster-init would look */
	const char *const *words;   /* behind the command */
	unsigned word_count;
	char *const *command; /* behind --; NULL: none */
	bool json, explain;
	const char *question; /* of health: livez, readyz or startupz; NULL: not said */
	uint32_t timeout_ms;  /* 0: not said */
	uint32_t interval_ms; /* 0: not said */
};

/* Codes to exit with; those that musterctl has, too, mean the same there. */
enum once_code {
	ONCE_UNHEALTHY = 1, /* it answers, and says no */
	ONCE_USAGE = 2,
	ONCE_NOT_FOUND = 3, /* no such address or name, or one that nothing is connected to */
	ONCE_TIMED_OUT = 4,
	ONCE_UNREACHABLE = 6, /* connection refused, no way there */
	ONCE_TLS = 7,
	ONCE_NO_ANSWER = 8, /* none in this protocol, or not all of it */
	ONCE_FAULT = 70,
	ONCE_CONFIG = 78,
	ONCE_NOT_EXECUTABLE = 126,
	ONCE_NO_PROGRAM = 127
};

/* NULL: it is bad, and that has been said. */
struct config *once_read_config(const struct once_options *options);

/* [NAME]: looks at every place of the address (of all without a name), and tells which one is to be
 * used. 0: all answer, 1: one does not. */
int once_resolve(const struct once_options *options);
/* TARGET: one check, with its steps and their times. 0, or what was wrong. */
int once_probe(const struct once_options *options);
/* TARGET...: until all of them answer; then the command, if there is one. */
int once_wait(const struct once_options *options);
/* [URL]: asks a sidecar. 0 or 1. */
int once_health(const struct once_options *options);

#endif
