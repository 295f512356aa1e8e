/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SIDECAR_CONFIG_H
#define MUSTER_SIDECAR_CONFIG_H

#include <stdbool.h>

struct arena;
struct config;
struct service_config;

#define SIDECAR_NAME "muster-sidecar"
/* Who the sidecar becomes when init is root: this user when /etc/passwd knows it, else this number,
 * which owns nothing. */
#define SIDECAR_USER "muster"
#define SIDECAR_UID  65532

/* The path of muster-sidecar: `program` of [sidecar], else beside this program, else in the usual
 * places. NULL: there is none. The result is valid until the next call. */
const char *sidecar_find_program(const struct config *config);

/* Why the user that the configuration names for it cannot be; NULL: it can, or none is named. The
 * text is valid until the next call. */
const char *sidecar_user_problem(const struct config *config);

/* The sidecar as a service of init's own, in the arena. run_dir NULL: there is no status page.
 * NULL: no memory. */
const struct service_config *sidecar_service(const struct config *config, struct arena *arena,
					     const char *program, const char *run_dir);

/* Whether a sidecar of the one configuration would run as one of the other. */
bool sidecar_same(const struct config *a, const struct config *b);

#endif
