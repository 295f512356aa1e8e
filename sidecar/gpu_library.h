/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_LIBRARY_H
#define SIDECAR_GPU_LIBRARY_H

#include <stdbool.h>
#include <stddef.h>

#include "nvml.h"

/*
 * The functions of NVML that this library has: it comes with the driver, in any version. Those it
 * has not are NULL.
 */
struct nvml {
	void *handle;
	int (*init)(void);
	int (*driver_version)(char *, unsigned);
	int (*count)(unsigned *);
	int (*by_index)(unsigned, nvml_device *);
	int (*index)(nvml_device, unsigned *);
	int (*uuid)(nvml_device, char *, unsigned);
	int (*name)(nvml_device, char *, unsigned);
	int (*capability)(nvml_device, int *, int *);
	int (*utilization)(nvml_device, struct nvml_utilization *);
	int (*memory)(nvml_device, struct nvml_memory *);
	int (*memory_v2)(nvml_device, struct nvml_memory_v2 *);
	int (*temperature)(nvml_device, unsigned, unsigned *);
	int (*temperature_v)(nvml_device, struct nvml_temperature *);
	int (*power)(nvml_device, unsigned *);
	int (*energy)(nvml_device, unsigned long long *);
	int (*ecc)(nvml_device, unsigned, unsigned, unsigned long long *);
	int (*processes)(nvml_device, unsigned *, struct nvml_process *);
	int (*processes_v1)(nvml_device, unsigned *, struct nvml_process_v1 *);
	int (*mig_mode)(nvml_device, unsigned *, unsigned *);
	int (*mig_count)(nvml_device, unsigned *);
	int (*mig_by_index)(nvml_device, unsigned, nvml_device *);
	int (*gpu_instance)(nvml_device, unsigned *);
	int (*compute_instance)(nvml_device, unsigned *);
	int (*events_create)(nvml_event_set *);
	int (*events_register)(nvml_device, unsigned long long, nvml_event_set);
	int (*events_wait)(nvml_event_set, struct nvml_event *, unsigned);
};

#define GPU_LIBRARY "libnvidia-ml.so.1"

/* Opens the library of this name or path. False: `problem` says why. */
bool gpu_library_open(struct nvml *nvml, const char *name, char *problem, size_t size);

#endif
