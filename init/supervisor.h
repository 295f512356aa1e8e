/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SUPERVISOR_H
#define MUSTER_SUPERVISOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "admission.h"
#include "cgroups.h"
#include "children.h"
#include "config.h"
#include "control.h"
#include "durations.h"
#include "events.h"
#include "graph.h"
#include "hosts_lines.h"
#include "loop.h"
#include "machine.h"
#include "output.h"
#include "sidecar_link.h"
#include "status.h"

/*
 * Everything that PID 1 knows while it supervises. One struct, one thread: handlers find it from
 * the loop they are called with (supervisor_of). All memory is taken when a plan is made (start,
 * reload); from then on nothing here allocates.
 */

/* One configured probe of one service, at work or not. */
struct probe_run {
	struct loop_timer timer;   /* next check, or the deadline of the one in flight */
	struct loop_source source; /* PROBE_FD: the pipe */
	const struct probe_config *config;
	uint64_t began; /* when probing began */
	uint32_t serial;
	uint32_t number;              /* of one that the sidecar makes, in supervisor.by_number */
	uint32_t successes, failures; /* in a row */
	pid_t pid;                    /* of the check in flight, where it is a process */
	uint64_t apart;               /* when a path was last looked at by a process */
	struct service *service;
	struct probe_run *next; /* of the same role; NULL */
	uint8_t role;
	bool active;
	bool passed;    /* reached its success threshold since it became active */
	bool announced; /* the sidecar was told (or need not be) */
	bool overdue;   /* the check in flight has timed out, which was reported */
	int write_end;  /* PROBE_FD: what the program gets, until it is started */
};

/*
 * One service at run time, with its probes, streams and sockets in one block of memory that stays
 * where it is over a reload. `index` is its place in configuration and page and may change with a
 * reload; `slot` is its number for good (children, tail, events, orders to the sidecar).
 */
struct service {
	const struct service_config *config;
	const struct sock_fprog *filter; /* of system calls, in the configuration; NULL: none */
	struct loop_timer timer;         /* deadline of the phase */
	struct loop_timer demand_timer;
	struct probe_run *probes[ROLE_COUNT];
	struct stream *streams;    /* two, stdout and stderr; NULL: its output is not ours */
	struct notify_run *notify; /* NULL: it does not use sd_notify */
	struct logger *logger;     /* NULL: log is not a file */
	pid_t pid;                 /* main process; 0: none */
	pid_t session;             /* session of the last main process, for what it leaves behind */
	pid_t hook;                /* pre_start, stop_command or post_stop that runs */
	struct cgroup_events cgroup_events; /* when it entered its cgroup */
	bool in_cgroup;
	uint16_t index;
	uint16_t slot;
	uint8_t phase;           /* enum phase */
	uint8_t after;           /* enum after */
	uint64_t processor_time; /* ns, of its main process at admission's last look */
	bool checks_gpu;         /* the hook that runs is that of require_gpu */
	bool computing;          /* then, or not looked at yet */
	bool wanted;
	bool launched;           /* the program ran since the last rest: post_stop applies */
	bool fresh;              /* made by the plan that is being installed */
	uint8_t owed;            /* a stop signal that could not be sent; 0: none */
	uint8_t verdict;         /* of reload.c, about the configuration it looks at */
	bool leaving;            /* to be gone before the new plan is in force */
	bool told;               /* to stop, by the shutdown */
	bool sweeping;           /* waits for leftovers to vanish */
	bool queued;             /* in supervisor.runnable */
	bool noted;              /* in supervisor.changed */
	bool unready, unsettled; /* counted in the supervisor's numbers of the same names */
	bool aborting;           /* to be ended by ABRT: its watchdog barked */
	bool killed;             /* KILL was needed */
	bool stuck;              /* and did not help; then the shutdown goes on without it */
	bool demand;             /* a connection may start it (demand.h): on-demand, and not
				  * stopped by hand */
	bool waits;              /* for one: its sockets are watched, or will be after a delay */
	bool rested;             /* it was stopped as nobody used it */
	bool measured;           /* whether anybody uses it */
	bool disturbed;          /* somebody connected since the last tick */
	uint8_t quiet;           /* ticks without anybody */
	bool retry_helps;        /* the last failed start may succeed later */
	uint32_t attempts;       /* failed starts in a row */
	uint32_t backoff;        /* ms, the next delay */
	uint32_t window_count;
	uint64_t window_begin;
	uint64_t up_since;
	int32_t exit_code; /* of the last end; 128 + n for a signal */
};

enum stage {
	STAGE_RUN,
	STAGE_DRAIN, /* not-ready is shown, nothing is stopped yet */
	STAGE_STOP,  /* services stop in reverse order */
	STAGE_SWEEP, /* all services are down; adopted processes get their grace */
	STAGE_DONE
};

#define LEFTOVERS_TOLD 256
#define ENVP_EXTRA     7 /* NOTIFY_SOCKET or the link's, two for a watchdog, three for sockets */

struct supervisor {
	struct loop loop;
	struct config *config;
	struct config *pending; /* a reload: waits until what leaves is down */
	struct graph graph;
	struct service **services;    /* by index */
	struct service **by_slot;     /* NULL: free */
	struct probe_run **by_number; /* of probes that the sidecar makes; NULL: free */
	uint32_t *remaining;          /* longest path from each service to the end of the start */
	uint16_t *runnable;           /* dependencies met, waiting for their turn */
	uint16_t *changed;            /* those that depend on these have to be looked at */
	uint16_t *stack;              /* scratch of schedule_want */
	char **envp;                  /* scratch for the environment of a program */
	size_t envp_size;
	struct arena *arena; /* of all arrays above; one a plan */
	uint32_t count, slots, next_slot;
	uint32_t numbers, next_number; /* of by_number */
	uint32_t runnable_count, changed_count;
	uint32_t starting;  /* services between start and ready */
	uint32_t unready;   /* wanted and not ready or completed */
	uint32_t unsettled; /* of those, the ones that have not failed for good */
	struct children children;
	struct status_page page;
	struct output output;
	struct event_log events;
	struct control control;
	struct sidecar_link link;
	struct hosts_run hosts;
	struct cgroups cgroups;
	struct durations learned; /* of earlier runs */
	struct loop_source signals;
	struct loop_source reports; /* of the writers of log files */
	struct admission admission;
	struct loop_timer start_timer, stop_timer;
	struct loop_timer reap_timer; /* a wait, or a stop signal, failed: again */
	const struct config_source *source;
	struct rlimit nofile;
	char **environment; /* init's own, without what is for init alone */
	const char *run_dir;
	const char *sidecar_program;
	int run_fd;    /* of run_dir; -1: not writable */
	int notify_up; /* outer NOTIFY_SOCKET, connected; -1 */
	struct loop_timer up_timer;
	uint64_t up_interval; /* ns from WATCHDOG=1 to WATCHDOG=1 upwards; 0: none is expected */
	char up_owed[256];    /* the state that it would not take, to be told again; "": none */
	int null_fd;
	int reports_end; /* where writers of log files report */
	uint32_t serial; /* of probe orders */
	uint64_t random;
	pid_t told[LEFTOVERS_TOLD]; /* leftovers that got TERM */
	uint32_t told_count;
	uint64_t last_kill; /* of leftovers */
	uint32_t kills;     /* processes that had to be killed at shutdown ... */
	uint32_t kills_named;
	char killed[400]; /* ... and the first of them by name */
	uint64_t boot;
	uint64_t given_up;   /* capabilities, by bit (guard.h) */
	uint8_t stage;       /* enum stage */
	uint8_t phase;       /* enum system_phase */
	uint8_t progress;    /* see progress.c */
	bool nofile_differs; /* what services get is not what init has */
	bool pid1;
	bool stop_check;  /* the order of stopping may go on */
	bool requested;   /* the shutdown was asked for, by signal or command */
	bool sweep_check; /* an adopted process ended: leftovers may be gone */
	bool has_started; /* just now, this turn: all is ready or has failed */
	bool killing;     /* the whole-shutdown deadline has passed, or a second request came */
	int exit_code;    /* -1: not decided */
	char why[160];    /* why it ends, for the last line */
};

static inline struct supervisor *supervisor_of(struct loop *loop)
{
	return container_of(loop, struct supervisor, loop);
}

/* ---- supervisor.c: events in, effects out ---- */

/* The service of this name, or NULL. */
struct service *supervisor_find(const struct supervisor *sup, const char *name);
/* Feeds one event through the machine, performs the effects, publishes what changed. */
void supervisor_event(struct supervisor *sup, struct service *service, enum event event);
/* Notes why the service is as it is (shown by musterctl); printf-like, cut to fit. */
void supervisor_reason(struct supervisor *sup, struct service *service, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The delay before the next start: doubled each time, with 10 % jitter so that services that fail
 * together do not come back together, and forgotten once it has been up for the longest delay. */
uint64_t supervisor_backoff(struct supervisor *sup, struct service *service);
/* The service that a child of init's own making is of; NULL: of none, or of one that is gone. */
struct service *supervisor_owner(const struct supervisor *sup, struct child_entry child);
/* A child with this pid ended. Called by the reaper for each. */
void supervisor_child_ended(struct supervisor *sup, pid_t pid, int wait_status);
/* The main process ended, and init is not the one who learns how. */
void supervisor_main_lost(struct supervisor *sup, struct service *service);
/* Sends the stop signals again that could not be sent. */
void supervisor_send_owed(struct supervisor *sup);
/* After a round of reaping: leftovers that are awaited may be gone. True: some are not. */
bool supervisor_check_sweeps(struct supervisor *sup);
/* Closes what a service that is down keeps open: streams, sockets, pipes. */
void supervisor_close_service(struct supervisor *sup, struct service *service);
/* The parts of a new service that belong to supervisor.c. */
void supervisor_init_service(struct service *service);

/* ---- reaper.c: signals, and children that have ended ---- */

/* Takes over all signals. 0 or -errno. */
int reaper_open(struct supervisor *sup);

/* ---- schedule.c: who may start ---- */

/* Wants a service, and what it cannot do without, up. */
void schedule_want(struct supervisor *sup, struct service *service);
/* A service changed its phase: those that depend on it will be looked at in schedule_run. */
void schedule_changed(struct supervisor *sup, struct service *service);
/* Starts what may start and updates the phase of the whole; called at the end of each turn. */
void schedule_run(struct supervisor *sup);
/* Sets the phase of the whole and tells everybody who listens. */
void schedule_set_phase(struct supervisor *sup, enum system_phase phase);
/* Whether it asked to be restarted with this dependency. */
bool schedule_restarts_with(const struct service *service, const struct service *dependency);
/* Tells an outer manager that what it waits for (the start, a reload) is done. */
void schedule_tell_ready(struct supervisor *sup);
/* start_timeout has passed. */
void schedule_start_timeout(struct loop *loop, struct loop_timer *timer);

/* ---- stop.c: the way out ---- */

/* Begins the shutdown; exit_code is kept when one was decided already. A second call is immediate.
 */
void stop_begin(struct supervisor *sup, int exit_code, const char *why);
/* Ends everything now. */
void stop_immediately(struct supervisor *sup);
/* The stage's time is over. */
void stop_timer_expired(struct loop *loop, struct loop_timer *timer);
/* Moves on when the time has come; called at the end of each turn. */
void stop_run(struct supervisor *sup);
/* Nothing is left to supervise, or a service ended whose end counts: begins the shutdown. */
void stop_consider(struct supervisor *sup, struct service *service);

/* ---- launch.c: processes of a service ---- */

/* Starts the main process; on failure fills the reason and returns false. */
bool launch_main(struct supervisor *sup, struct service *service);
/* Starts a hook or an exec probe of the service with its identity; the pid, or -1. */
pid_t launch_helper(struct supervisor *sup, struct service *service, char *const *argv,
		    enum child_kind kind, uint8_t extra);

/* ---- start/reload.c, the one thing that is asked of start/ from here ---- */

/*
 * Reads the configuration again. What changed or was removed is stopped first, under the old plan;
 * when all of that is down, the new plan takes its place in one step (reload_run). Writes what is
 * going to happen, or why the new configuration is refused, into text. False: refused, the old plan
 * goes on.
 */
bool plan_reload(struct supervisor *sup, char *text, size_t size);
/*
 * What plan_reload would do now, a line for each service (WIRE_PREVIEW in wire.h), without those of
 * the first `skip` services; *more: there was no room for all. False: it would be refused.
 */
bool plan_preview(struct supervisor *sup, uint32_t skip, char *text, size_t size, bool *more);

#endif
