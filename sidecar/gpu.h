/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_H
#define SIDECAR_GPU_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gpu_faults.h"
#include "gpu_sample.h"

/*
 * GPUs, as the sidecar sees them: through a process that may hang or crash (gpu_helper.h), which it
 * asks when somebody asks for numbers, at most once a second, and never waits for. Where nothing
 * suggests a GPU there is no such process.
 */
struct gpus;
struct sidecar;

enum gpu_state {
	GPU_STATE_OK,
	GPU_STATE_NONE,        /* there is none for us, and that will not change */
	GPU_STATE_UNAVAILABLE, /* not yet, or an error: tried again */
	GPU_STATE_STUCK,       /* a call to the driver does not return */
	GPU_STATES
};
const char *gpu_state_name(unsigned state);

struct gpu_view {
	enum gpu_state state;
	const char *reason; /* empty when ok */
	const char *driver; /* its version, or empty */
	const struct gpu_sample *sample;
	const struct gpu_faults *faults;
	uint64_t restarts, timeouts; /* of the process; of them because it hung */
	bool events;                 /* Xids are told */
};

/* Starts the process, if one is wanted; to be called before confine(). NULL: wrong use, told. */
struct gpus *gpu_create(struct sidecar *sidecar);
void gpu_start(struct gpus *gpus);
void gpu_destroy(struct gpus *gpus);

/* What was seen last. */
struct gpu_view gpu_look(const struct gpus *gpus);
/* The same, for somebody who wants it new: the next look will be at something newer. */
struct gpu_view gpu_ask(struct gpus *gpus);

/* Whether there is a reason to warn, and which. */
#define GPU_WARNING 256
bool gpu_warning(const struct gpus *gpus, char buffer[GPU_WARNING]);

/* ---- as JSON (gpu_json.c) ---- */

/* "gpu" and "gpus" of /status. */
json_t *gpu_value(const struct gpus *gpus);
json_t *gpu_list(const struct gpus *gpus);
/* Adds to the checks of /health, where there are GPUs; true when that is a warning. */
bool gpu_add_check(json_t *checks, const struct gpus *gpus);

#endif
