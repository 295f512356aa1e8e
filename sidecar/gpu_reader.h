/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_READER_H
#define SIDECAR_GPU_READER_H

#include <stdint.h>

/* The reader of gpu_helper.h; ends the process when nobody listens any more, or there is nothing to
 * tell. */
_Noreturn void gpu_reader(int talk, const char *library, uint32_t run);

#endif
