/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_HINTS_H
#define SIDECAR_GPU_HINTS_H

#include <stdbool.h>
#include <stddef.h>

#include "config.h"

/* Another library than the driver's, and how long one look may take. */
#define GPU_LIBRARY_VARIABLE "MUSTER_NVML"
#define GPU_TIMEOUT_VARIABLE "MUSTER_NVML_TIMEOUT"

/* Whether a GPU is worth looking for; if not, `why` says why. */
bool gpu_suggested(enum gpu_mode mode, char *why, size_t size);

#endif
