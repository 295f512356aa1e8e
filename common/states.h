/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_STATES_H
#define MUSTER_STATES_H

/*
 * The words that all programs share: states of a service, phases of the whole container, kinds
 * and conditions. The numbers appear in the status page and on the control socket: append only,
 * never renumber (docs/status-page.md).
 */

enum service_state {
	STATE_INACTIVE,  /* not running and not wanted */
	STATE_WAITING,   /* wanted; dependencies, or a start slot, are awaited */
	STATE_STARTING,  /* started, not ready yet */
	STATE_RUNNING,   /* runs and has no readiness probe: counts as ready */
	STATE_READY,     /* runs and its readiness probe succeeds */
	STATE_UNHEALTHY, /* runs, was ready, readiness probe fails now */
	STATE_STOPPING,  /* being stopped, or what it left behind is being ended */
	STATE_BACKOFF,   /* ended; will be started again after a delay */
	STATE_COMPLETED, /* ended well and is not started again */
	STATE_FAILED,    /* failed for good */
	STATE_COUNT
};

enum system_phase {
	PHASE_STARTING, /* not everything that starts by itself has been ready yet */
	PHASE_READY,    /* all of it is ready or completed */
	PHASE_DEGRADED, /* start-up is over and something is not ready */
	PHASE_DRAINING, /* shutdown was asked for; not-ready is reported, nothing stopped yet */
	PHASE_STOPPING, /* services are being stopped */
	PHASE_COUNT
};

enum service_type { TYPE_SERVICE, TYPE_ONESHOT, TYPE_EXTERNAL, TYPE_COUNT };

enum dep_condition { COND_STARTED, COND_HEALTHY, COND_COMPLETED, COND_COUNT };

enum probe_role { ROLE_STARTUP, ROLE_READINESS, ROLE_LIVENESS, ROLE_COUNT };

enum probe_kind {
	PROBE_NONE,
	PROBE_NOTIFY, /* sd_notify READY=1 */
	PROBE_FD,     /* a newline on descriptor N (s6) */
	PROBE_TCP,
	PROBE_HTTP, /* http:// and https:// */
	PROBE_EXEC,
	PROBE_FILE,
	PROBE_UNIX, /* connect to a unix stream socket */
	PROBE_LOG,  /* a line of its output matches */
	PROBE_GRPC, /* grpc:// and grpcs://: grpc.health.v1 */
	PROBE_KIND_COUNT
};

/* Names as users see them; "?" for a number out of range. */
const char *state_name(unsigned state);
const char *phase_name(unsigned phase);
const char *type_name(unsigned type);
const char *condition_name(unsigned condition);
const char *role_name(unsigned role);
const char *probe_kind_name(unsigned kind);

/* Whether a service in this state satisfies a dependent that asks for it to be healthy. */
int state_is_ready(unsigned state);
/* Whether a process of the service may be running in this state. */
int state_is_active(unsigned state);

#endif
