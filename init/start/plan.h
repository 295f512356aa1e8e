/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PLAN_H
#define MUSTER_PLAN_H

#include "supervisor.h"

/*
 * A plan: everything that follows from one configuration, made completely before any of it is put
 * in force, so that a reload either happens or does not.
 */
struct plan {
	struct config *config; /* owned once installed */
	struct arena *arena;
	const struct service_config *sidecar; /* the internal service, index config->count; NULL */
	/* NULL where a new service is to be made; set by a reload where one goes on */
	struct service **services;
	struct graph graph;
	uint32_t *remaining;
	uint16_t *runnable, *changed, *stack;
	char **envp;
	size_t envp_size;
	struct status_page page;
	uint32_t count;
};

/* Takes over the configuration. 0 or -errno: then nothing has changed. */
int plan_create(struct supervisor *sup, struct config *config);
/* Room for the descriptors of a configuration, which services do not see (supervisor.nofile). */
void plan_raise_descriptors(struct supervisor *sup, const struct config *config);
/* Drops all of it: the last thing before exit (leak checks). */
void plan_destroy(struct supervisor *sup);

/* ---- for reload.c ---- */

/* 0 or -errno; plan_discard in either case when it is not installed. */
int plan_build(struct plan *plan, struct supervisor *sup, struct config *config);
void plan_discard(struct plan *plan);
/* Puts it in force. Not 0: -errno, and nothing has changed. */
int plan_install(struct supervisor *sup, struct plan *plan);
const struct service_config *plan_service_config(const struct plan *plan, uint32_t index);

/* A reload takes the step when its time has come; called at the end of each turn. */
void reload_run(struct supervisor *sup);

#endif
