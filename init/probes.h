/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PROBES_H
#define MUSTER_PROBES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Probes of services: exec, file, unix, log, fd and notify are looked at here; tcp and http by the
 * sidecar, which sends verdicts (sidecar_link.h). Whoever looks, thresholds are counted here.
 *
 * While a service starts, the first check comes after a few milliseconds and the pauses grow with
 * the time that has passed, up to the period: a service that is ready after 100 ms is seen within
 * 6 ms, one that needs a minute costs no more than the period says. A startup probe has
 * failure_threshold * period to succeed; readiness and liveness begin when it has.
 */
struct supervisor;
struct service;
struct probe_run;

/* Opens what the program is to be given (fd:N). False: no descriptors. */
bool probes_prepare(struct supervisor *sup, struct service *service);
/* The program runs: begin. */
void probes_begin(struct supervisor *sup, struct service *service);
/* The service became ready: liveness begins. */
void probes_ready(struct supervisor *sup, struct service *service);
void probes_end(struct supervisor *sup, struct service *service);

/* One result: counts it and, at a threshold, raises the event. */
void probe_report(struct supervisor *sup, struct probe_run *run, bool ok, const char *reason);
/* An exec probe ended. */
void probe_exec_ended(struct supervisor *sup, struct probe_run *run, int wait_status);
/* A line of output, for log: probes. */
void probe_log_line(struct supervisor *sup, struct service *service, const char *line, size_t len);

#endif
