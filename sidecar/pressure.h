/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PRESSURE_H
#define SIDECAR_PRESSURE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Pressure stall information of the kernel (PSI): for how much of the time somebody (`some`) or
 * everybody (`full`) waited for a resource. Of a cgroup v2, or of the whole machine.
 */
enum pressure_resource { PRESSURE_CPU, PRESSURE_MEMORY, PRESSURE_IO, PRESSURE_COUNT };
const char *pressure_name(unsigned resource);

struct pressure_share {
	bool known;
	double avg10, avg60, avg300; /* 0 to 1, of the last 10, 60 and 300 seconds */
	uint64_t total;              /* ns */
};

struct pressure {
	struct pressure_share some, full;
};

/* What of this text is a line as the kernel writes it; the rest is not known. */
void pressure_parse(struct pressure *pressure, const char *text);

#endif
