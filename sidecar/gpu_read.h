/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_READ_H
#define SIDECAR_GPU_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "gpu_library.h"
#include "gpu_link.h"

/* Asks the library for all that is told of the GPUs. Any call here may hang. */

/* Sends one message. False: nobody listens any more. */
typedef bool gpu_send(void *data, const void *message, size_t size);

/* NVML's codes in words. */
const char *gpu_code_text(int code);

/* One answer: devices and their processes, then GPU_DONE. `head` has run and serial. */
bool gpu_read(const struct nvml *nvml, struct gpu_head head, gpu_send *send, void *data);

#endif
