/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_USAGE_H
#define SIDECAR_USAGE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* What services, the container and this program use, in JSON. */
struct sidecar;

/* Adds what the service with this index uses to its object; after processes_refresh. */
void usage_add_service(json_t *service, const struct sidecar *sidecar, uint32_t index);
/* The container. Its `version` is null where no cgroup is ours. */
json_t *usage_cgroup(const struct sidecar *sidecar, uint64_t now);
/* This program itself. */
json_t *usage_sidecar(const struct sidecar *sidecar);
/* Adds a check of /health for what is amiss with the container, if something can be told. True: it
 * is to be warned of. */
bool usage_add_check(json_t *checks, const struct sidecar *sidecar);

#endif
