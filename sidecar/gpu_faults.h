/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_FAULTS_H
#define SIDECAR_GPU_FAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What went wrong with GPUs while this program ran: Xids, the driver's numbered errors, by GPU and
 * number, and uncorrected memory errors. It outlives the processes that read the driver.
 */
#define GPU_FAULTS_MAX 256                      /* kinds; more are not told apart */
#define GPU_FAULT_NEWS (600ULL * 1000000000ULL) /* ns for which one is a reason to warn */
#define GPU_XID_OTHER  UINT64_MAX               /* number of what found no place */

struct gpu_fault {
	uint32_t index;
	bool ecc; /* no Xid */
	uint64_t xid;
	uint64_t count;
	uint64_t last; /* ns of CLOCK_MONOTONIC */
};

struct gpu_faults {
	struct gpu_fault *list; /* in the order in which they came first */
	uint32_t count;
};

void faults_note(struct gpu_faults *faults, uint32_t index, bool ecc, uint64_t xid, uint64_t times,
		 uint64_t now);
/* The latest that is news at `now`, or NULL. */
const struct gpu_fault *faults_news(const struct gpu_faults *faults, uint64_t now);
/* "GPU 0: Xid 79 (the GPU has fallen off the bus)". Returns buffer. */
const char *fault_text(const struct gpu_fault *fault, char *buffer, size_t size);
void faults_free(struct gpu_faults *faults);

#endif
