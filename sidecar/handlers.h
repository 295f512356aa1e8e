/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_HANDLERS_H
#define SIDECAR_HANDLERS_H

#include "routes.h"

/* What the paths of routes.c answer. */
void health_live(struct request *request, struct reply *reply);
void health_ready(struct request *request, struct reply *reply);
void health_ready_one(struct request *request, struct reply *reply);
void health_startup(struct request *request, struct reply *reply);
void health_report(struct request *request, struct reply *reply);
void status_report(struct request *request, struct reply *reply);
void startup_report(struct request *request, struct reply *reply);
void startup_picture(struct request *request, struct reply *reply);
void resolve_report(struct request *request, struct reply *reply);
void resolve_report_one(struct request *request, struct reply *reply);
void events_report(struct request *request, struct reply *reply);
void fleet_report(struct request *request, struct reply *reply);
void metrics_report(struct request *request, struct reply *reply);
void page_report(struct request *request, struct reply *reply);

/* Whether /readyz says no more than yes. */
bool health_all_ready(const struct sidecar *sidecar);

#endif
