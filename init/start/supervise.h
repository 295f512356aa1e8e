/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SUPERVISE_H
#define MUSTER_SUPERVISE_H

struct config;
struct config_source;

/* Supervise mode: many services by their dependency graph. */
struct supervise_options {
	struct config *config;              /* handed over */
	const struct config_source *source; /* to read it again; must stay valid */
};

/* Runs until everything has ended; returns the exit code. */
int supervise_main(const struct supervise_options *options);

#endif
