/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_MACHINE_H
#define MUSTER_MACHINE_H

#include <stdbool.h>

#include "states.h"

/*
 * The life of one service as a pure function: phase, event and a few facts in; next phase, what to
 * do, and where it is to end up after an ending, out. No clock, no process, no memory: the
 * supervisor performs the effects and turns what happens into events.
 * docs/state-machine.md holds the table; tests/unit/machine_test.c walks all of it.
 */
enum phase {                  /* what users see */
	     PH_INACTIVE,     /* inactive */
	     PH_WAITING,      /* waiting */
	     PH_PRE_START,    /* starting: the pre_start hook runs */
	     PH_STARTING,     /* starting */
	     PH_RUNNING,      /* running: no readiness probe */
	     PH_READY,        /* ready */
	     PH_UNHEALTHY,    /* unhealthy */
	     PH_STOP_COMMAND, /* stopping: the stop_command runs */
	     PH_STOPPING,     /* stopping: told to end, or its leftovers are */
	     PH_KILLING,      /* stopping: grace is over */
	     PH_POST_STOP,    /* stopping: the post_stop hook runs */
	     PH_BACKOFF,      /* backoff */
	     PH_COMPLETED,    /* completed */
	     PH_FAILED,       /* failed */
	     PH_COUNT
};

enum event {
	EV_WANT,          /* it is to be up */
	EV_UNWANT,        /* it is to be down, and its turn to stop has come */
	EV_RESTART,       /* stop it, then start it */
	EV_DEPS_MET,      /* every dependency is met and there is a start slot */
	EV_DEPS_FAILED,   /* a dependency that it cannot do without failed for good */
	EV_LAUNCH_FAILED, /* the program could not be started */
	EV_HOOK_OK,
	EV_HOOK_FAILED,
	EV_READY,    /* readiness: success threshold reached */
	EV_UNREADY,  /* readiness: failure threshold reached */
	EV_DEAD,     /* liveness or startup probe, or watchdog: to be restarted */
	EV_ENDING,   /* it says that it is going to end by itself */
	EV_EXITED,   /* the main process was reaped */
	EV_DEADLINE, /* the timer of this phase expired */
	EV_GONE,     /* the main process has ended and nothing it left behind is alive */
	EV_COUNT
};

/* Where an ending leads. AFTER_OWN: it is its own doing, so how it ends will say. */
enum after {
	AFTER_INACTIVE,
	AFTER_WAITING,
	AFTER_BACKOFF,
	AFTER_COMPLETED,
	AFTER_FAILED,
	AFTER_OWN
};

struct machine_facts {
	enum service_type type;
	bool has_readiness;
	bool has_pre_start;
	bool has_stop_command;
	bool has_post_stop;
	bool ended_well;  /* EV_EXITED: exit code 0 */
	bool on_demand;   /* the end it came to by itself is a rest */
	bool may_restart; /* policy, retries and limits allow another start after this failure/end
			   */
};

/* Effects, performed in this order. */
#define FX_PROBES_OFF   0x0001 /* stop probing */
#define FX_KILL_HOOK    0x0002 /* end a hook that still runs */
#define FX_STOP_SIGNAL  0x0004 /* send the stop signal, then CONT */
#define FX_KILL_SIGNAL  0x0008 /* KILL everything of the service */
#define FX_ARM_READY    0x0010 /* deadline: ready_timeout */
#define FX_ARM_GRACE    0x0020 /* deadline: stop_grace_period */
#define FX_ARM_KILL     0x0040 /* deadline: how long a killed process may take to vanish */
#define FX_ARM_BACKOFF  0x0080 /* deadline: the restart delay */
#define FX_DISARM       0x0100 /* no deadline */
#define FX_PRE_START    0x0200 /* run the hook */
#define FX_STOP_COMMAND 0x0400 /* run the hook */
#define FX_POST_STOP    0x0800 /* run the hook */
#define FX_LAUNCH       0x1000 /* start the program */
#define FX_PROBES_ON    0x2000 /* begin probing */
#define FX_SWEEP        0x4000 /* TERM what it left behind; EV_GONE when nothing is left */
#define FX_STUCK        0x8000 /* say that it cannot be killed */

struct machine_step {
	enum phase phase;
	enum after after;
	unsigned effects;
	bool ignored; /* the event means nothing in this phase */
};

struct machine_step machine_next(enum phase phase, enum after after, enum event event,
				 const struct machine_facts *facts);

/* The state that users see. */
enum service_state machine_state(enum phase phase);
/* Whether none of its processes is there, and none is about to be without a wish or a delay. */
bool machine_is_at_rest(enum phase phase);
const char *machine_phase_name(enum phase phase);

#endif
