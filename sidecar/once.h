/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_ONCE_H
#define SIDECAR_ONCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * muster-sidecar resolve [NAME]: reads the configuration, looks at every place of the address (of
 * all without a name), and tells which one is to be used. Needs no muster-init.
 */
struct once_options {
	const char *const *configs; /* NULL-ended; NULL: where muster-init would look */
	const char *name;           /* NULL: all */
	bool json, explain;
	uint32_t timeout_ms; /* what is not known by then stays unknown */
};

/* The code to exit with: 0 all answer, 1 one does not, 3 there is no such address, 78 a bad
 * configuration. */
int once_resolve(const struct once_options *options);

#endif
