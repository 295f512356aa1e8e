/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_TALLY_H
#define SIDECAR_TALLY_H

#include <stdbool.h>
#include <stdint.h>

#include "latency.h"
#include "probe.h"

/*
 * What is counted of probes, by service and role: probes come and go with each start of a service
 * and with each reload, and their counters must not. Several probes of one role are counted as one.
 */
struct tally {
	struct tally *next;
	char name[64]; /* of the service; empty: not known */
	uint8_t role;  /* enum probe_role */
	bool http;     /* it has, or had, one that asks over HTTP */
	/* of the probes that are at work: how many, and how many of them passed their last check */
	uint32_t probes, passing;
	uint16_t status;    /* of the last answer over HTTP; 0: none came */
	int64_t tls_expiry; /* of their certificates the first, in seconds of CLOCK_REALTIME; 0: not
			     * known */
	uint64_t checks;
	uint64_t faults[FAULT_COUNT];
	uint64_t last_success;  /* CLOCK_REALTIME; 0: never */
	struct latency latency; /* of successful checks */
};

/* In the order in which they were met first. All of it zero at first. */
struct tallies {
	struct tally *first;
};

/* The tally of a probe that begins, new or as it was; it stays where it is while the probe is. */
struct tally *tally_begin(struct tallies *tallies, const struct probe_spec *spec);
/* The outcome `now` of a probe of this tally, whose outcome before was `last`. */
void tally_count(struct tally *tally, const struct probe_spec *spec, const struct outcome *last,
		 const struct outcome *now);
/* A probe that knew of a certificate that expires at `last` (0: none) has seen one for `now`. */
void tally_certificate(struct tally *tally, int64_t last, int64_t now);
void tally_end(struct tally *tally, const struct outcome *last);

/* Forgets those without a probe whose service is gone. */
typedef bool tally_gone(const void *data, const char *name);
void tallies_forget(struct tallies *tallies, tally_gone *gone, const void *data);

#endif
