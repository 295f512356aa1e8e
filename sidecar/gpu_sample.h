/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_SAMPLE_H
#define SIDECAR_GPU_SAMPLE_H

#include <stdbool.h>
#include <stdint.h>

#include "gpu_link.h"
#include "status.h"

/*
 * One look at all GPUs, put together from messages. Those come from a process in which a foreign
 * library runs: what makes no sense is passed over, and nothing is taken beyond the bounds of
 * gpu_link.h.
 */
struct sidecar;

struct gpu_user {
	uint32_t pid;
	bool ours;                     /* else a number that means something only outside */
	uint64_t memory;               /* NVML_NO_VALUE: not known */
	char service[STATUS_NAME_MAX]; /* empty: of none */
};

struct gpu_entry {
	struct gpu_device device;
	struct gpu_user *users;
	uint32_t user_count, more;
};

struct gpu_sample {
	uint64_t time;          /* ns of CLOCK_MONOTONIC when it was complete; 0: there is none */
	struct gpu_entry *list; /* each GPU followed by its instances */
	uint32_t count;
};

void sample_add_device(struct gpu_sample *sample, const struct gpu_device *device);
void sample_add_processes(struct gpu_sample *sample, const struct gpu_processes *processes);
/* Finds the services whose trees the processes are in. */
void sample_name_services(struct gpu_sample *sample, const struct sidecar *sidecar);
/* The entry of that GPU or instance, or NULL. */
const struct gpu_entry *sample_find(const struct gpu_sample *sample, uint32_t index, uint32_t mig);
void sample_free(struct gpu_sample *sample);

#endif
