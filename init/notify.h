/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_NOTIFY_H
#define MUSTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fdstore.h"
#include "loop.h"
#include "status.h"

/*
 * sd_notify(3): a datagram socket for each service that asked for it, so that a sender which has
 * already ended is still attributed rightly; who sent is asked of the kernel (SCM_CREDENTIALS).
 */
struct supervisor;
struct service;

#define NOTIFY_ERROR_SIZE 48

struct notify_run {
	struct loop_source source;
	struct loop_source main;    /* pidfd of a main process that it named by MAINPID */
	struct loop_timer watchdog; /* until when it has to say WATCHDOG=1 */
	struct service *service;
	uint64_t interval; /* of the watchdog, ns; 0: none */
	uint8_t told;      /* bits: what about its notifications was complained about */
	bool reloading;    /* from RELOADING=1 to READY=1 */
	char status[STATUS_REASON_SIZE]; /* STATUS, cleaned: shown while nothing else is */
	char error[NOTIFY_ERROR_SIZE];   /* ERRNO or BUSERROR in words; empty: none */
	char variable[128];              /* NOTIFY_SOCKET=..., for the service's environment */
	char watchdog_variable[40];      /* WATCHDOG_USEC=...; empty: none */
	struct fdstore store;
};

/* Opens the socket. False, with errno: it could not be opened. */
bool notify_open(struct supervisor *sup, struct service *service);
void notify_close(struct supervisor *sup, struct service *service);

/* A new main process runs: what the last one said is over. */
void notify_started(struct supervisor *sup, struct service *service);
/* Its main process has ended. */
void notify_ended(struct supervisor *sup, struct service *service);
/* It is ready, or runs and has no readiness probe: the watchdog begins. */
void notify_watch(struct supervisor *sup, struct service *service);
/* It is being stopped, or has ended: no watchdog any more. */
void notify_unwatch(struct supervisor *sup, struct service *service);

/* Signals the main process: by its descriptor where it is one that init did not start. */
int notify_signal(const struct service *service, int signal);

/* ---- notify_up.c: an outer service manager, which start/outer.c has found ---- */

/* It expects a sign of life: from now on it gets one each `interval` ns. */
void notify_up_watch(struct supervisor *sup, uint64_t interval);
/* Tells it; printf-like. A state that it does not take at the moment is told again, soon after. */
void notify_up_send(struct supervisor *sup, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
