/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PROBE_H
#define SIDECAR_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "loop.h"
#include "target.h"

/*
 * Probes: what is checked, when, and what came of it. A probe has at most one check under way;
 * all of them together have at most 10, and 2 to one port of one host (prober_limit); what
 * is due beyond that waits in line. The first check comes after initial_delay, the next ones a few
 * milliseconds apart, then ever slower until success_threshold is reached; from then on one check
 * a period, give or take a tenth so that probes do not march in step. A liveness probe, whose
 * failures end its service, keeps to the period from the beginning. While a probe succeeds its
 * period may be stretched (pace.h); a failure ends that for it.
 */
struct pace;
struct resolver;
struct check;
struct prober;
struct probe;
struct tallies;
struct tally;
struct text;

/* The steps of a check, in order; those that a kind of probe has not are passed over. */
enum step {
	STEP_NONE,
	STEP_RESOLVE,
	STEP_CONNECT,
	STEP_TLS,
	STEP_FIRST_BYTE, /* the answer begins */
	STEP_STATUS,     /* its head is complete, and means success */
	STEP_BODY,       /* and so is the rest */
	STEP_COUNT
};
const char *step_name(unsigned step);

/* What was wrong. */
enum fault {
	FAULT_NONE,
	FAULT_RESOLVE,
	FAULT_CONNECT,
	FAULT_TLS,
	FAULT_TIMEOUT,
	FAULT_RESPONSE, /* no answer, not one in HTTP or gRPC, or not all of it */
	FAULT_STATUS,   /* an answer that means failure, or leads elsewhere */
	FAULT_COUNT
};
const char *fault_name(unsigned fault);

#define OUTCOME_REASON 64 /* with the NUL; link_result has the same */

/* What came of a check. */
struct outcome {
	bool ok;
	uint8_t fault;    /* enum fault */
	uint8_t step;     /* enum step: where it failed */
	uint16_t status;  /* of HTTP; 0: none came */
	uint64_t latency; /* ns until connected, or until the head of the answer was there */
	/* us from the beginning until the step was done; 0: not done, or there was none such */
	uint32_t done[STEP_COUNT];
	char reason[OUTCOME_REASON];
};

/* Failures are remembered longer than successes: the last ones, equal ones in a row as one. */
#define FAILURES_KEPT 8
struct failure {
	uint64_t first, last; /* CLOCK_REALTIME */
	uint32_t count;
	uint8_t step;
	char reason[OUTCOME_REASON];
};
struct failures {
	unsigned total; /* how many there were; number N is at list[N % FAILURES_KEPT] */
	struct failure list[FAILURES_KEPT];
};

struct probe_spec {
	uint32_t serial;
	uint16_t slot;
	uint16_t service; /* index in the status page, which a reload may change */
	char name[64];    /* of the service; empty: not known */
	uint8_t role;     /* enum probe_role */
	uint8_t kind;     /* enum probe_kind */
	uint32_t period_ms;
	uint32_t timeout_ms; /* for the whole check */
	uint32_t initial_delay_ms;
	uint32_t success_threshold;
	uint32_t failure_threshold;
	struct text *body; /* gets the beginning of an answer's body; NULL: nobody wants it */
};

enum probe_stage {
	PROBE_SLEEPING, /* until `timer` */
	PROBE_QUEUED,   /* due, but there is no room */
	PROBE_RUNNING,
	PROBE_HELD /* its outcome could not be handed over yet */
};

struct probe {
	struct probe_spec spec;
	struct prober *prober;
	struct target target;
	bool usable;         /* `target` holds something */
	bool settled;        /* success_threshold was reached once */
	uint8_t stage;       /* enum probe_stage */
	uint32_t streak;     /* successes in a row, counted to success_threshold + 1 */
	uint64_t begin;      /* when its first check was due */
	uint64_t check_time; /* when the last check began */
	struct check *check; /* PROBE_RUNNING */
	struct loop_timer timer;
	struct probe *next, *previous; /* PROBE_QUEUED, PROBE_HELD */
	union address good;            /* the address that worked last */
	/* what is known */
	uint64_t good_time;        /* when the name server said so; 0: it was not asked */
	int64_t tls_expiry;        /* of the first certificate of the chain to expire, in seconds of
				    * CLOCK_REALTIME; 0: not known */
	struct failures *failures; /* NULL: none yet */
	struct outcome last;
	uint64_t last_time;  /* when `last` came; 0: never */
	struct tally *tally; /* what is counted */
};

/*
 * Told of each outcome (probe->last). False: it could not be passed on; it is offered again at
 * prober_resume, and the probe rests until then. The probe must not be dropped in the call.
 */
typedef bool probe_report(void *data, struct probe *probe);

struct prober *prober_create(struct loop *loop, struct resolver *resolver, probe_report *report,
			     void *data);
/* Another set of probes with reports of its own; both together keep to the limits of connections.
 * To be destroyed before the first. */
struct prober *prober_create_beside(struct prober *other, probe_report *report, void *data);
void prober_destroy(struct prober *prober);
/* Another limit of checks at a time, and of those to one port of one host, up to CONNECTIONS_MAX;
 * 0: as it was. Before the first probe. */
void prober_limit(struct prober *prober, unsigned all, unsigned per_host);
/* Stretches periods by this (borrowed), of the one beside, too. */
void prober_set_pace(struct prober *prober, struct pace *pace);

/* Begins to probe `url` in this slot, in place of what was there. */
void prober_watch(struct prober *prober, const struct probe_spec *spec, const char *url);
/* Ends the probe in the slot if it has this serial. */
void prober_drop(struct prober *prober, uint16_t slot, uint32_t serial);
void prober_drop_all(struct prober *prober);
void prober_resume(struct prober *prober);

/* Another number than before: a probe has begun, ended, or been done. */
uint32_t prober_changes(const struct prober *prober);

/* The probe after this one in order of slots, NULL at the end; NULL gives the first. */
const struct probe *prober_next(const struct prober *prober, const struct probe *probe);

/* Whether a readiness probe of the service was due before `since` and has not been done after it.
 */
bool prober_is_behind(const struct prober *prober, uint32_t service, uint64_t since);

/* What was counted, of probes that have ended, too. */
struct tallies *prober_tallies(struct prober *prober);

/* For check.c: the check is over and its slot is free again. */
void probe_done(struct probe *probe, const struct outcome *outcome);
/* Likewise: the certificates were shown of which the first expires then. */
void probe_saw_certificate(struct probe *probe, int64_t expiry);

#endif
