/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_ONCE_CHECK_H
#define SIDECAR_ONCE_CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "once.h"
#include "probe.h"

/*
 * The checks of the daemon in a program that runs once: the same resolver, prober and addresses,
 * and a function that is told of each outcome.
 */
struct checks;
typedef void checks_report(void *data, unsigned number, const struct probe *probe);

struct checks {
	const struct once_options *options;
	checks_report *report;
	void *data;
	uint32_t period_ms, timeout_ms; /* of each check */
	struct text *body;              /* gets the beginning of bodies; NULL */
	/* the rest is once_check.c's, but for the loop, which the caller may stop */
	struct loop *loop;
	struct resolver *resolver;
	struct prober *prober;
	struct live *live;
	struct config *config; /* NULL: no address:NAME among the targets */
};

/*
 * Checks all targets, tcp://..., http://..., grpc://..., HOST:PORT or address:NAME, and runs until
 * the loop is stopped, which it is after `limit_ms` with code 4; 0: never. Returns the loop's code;
 * 2, 3 or 78 when a target cannot be understood, an address is not there, or the configuration is
 * bad; that has been said then.
 */
int checks_run(struct checks *checks, const char *const *targets, unsigned count,
	       uint32_t limit_ms);

#endif
