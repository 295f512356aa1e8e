/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_NVML_H
#define SIDECAR_NVML_H

/*
 * As much of NVIDIA's management library (NVML) as is used here, declared by ourselves from its
 * documentation: names, numbers and layouts are its ABI and never change under one name. The
 * library comes with the driver and is opened at run time (gpu_library.h).
 */
typedef void *nvml_device;
typedef void *nvml_event_set;

/* What a call returns. */
enum nvml_code {
	NVML_OK = 0,
	NVML_NOT_SUPPORTED = 3,
	NVML_NO_PERMISSION = 4,
	NVML_NOT_FOUND = 6,
	NVML_INSUFFICIENT_SIZE = 7,
	NVML_DRIVER_NOT_LOADED = 9,
	NVML_TIMEOUT = 10,
	NVML_IRQ_ISSUE = 11,
	NVML_LIBRARY_NOT_FOUND = 12,
	NVML_FUNCTION_NOT_FOUND = 13,
	NVML_GPU_IS_LOST = 15,
	NVML_RESET_REQUIRED = 16,
	NVML_VERSION_MISMATCH = 18,
	NVML_UNKNOWN = 999
};

#define NVML_TEXT_SIZE 96 /* of a name, a UUID, a version */

#define NVML_TEMPERATURE_GPU 0
#define NVML_ECC_CORRECTED   0
#define NVML_ECC_UNCORRECTED 1
#define NVML_ECC_VOLATILE    0 /* since the driver was loaded */
#define NVML_MIG_ENABLED     1

#define NVML_EVENT_DOUBLE_BIT_ECC 0x2ULL
#define NVML_EVENT_XID            0x8ULL

/* Instead of a number of bytes, where it is not known. */
#define NVML_NO_VALUE UINT64_MAX

struct nvml_utilization {
	unsigned gpu, memory; /* percent */
};

struct nvml_memory {
	unsigned long long total, free, used;
};

struct nvml_memory_v2 {
	unsigned version;
	unsigned long long total, reserved, free, used;
};

struct nvml_temperature {
	unsigned version;
	unsigned sensor;
	int temperature;
};

/* Some structs carry their size and their version in the first field. */
#define NVML_STRUCT(type, version) ((unsigned)sizeof(type) | (version) << 24U)

struct nvml_process_v1 {
	unsigned pid;
	unsigned long long memory;
};

/* Of _v2 and _v3. */
struct nvml_process {
	unsigned pid;
	unsigned long long memory;
	unsigned gpu_instance, compute_instance;
};

/* What some drivers of version 535 write in its place, under the same name. */
struct nvml_process_wide {
	struct nvml_process process;
	unsigned long long protected_memory;
};

/* The last two only with nvmlEventSetWait_v2. */
struct nvml_event {
	nvml_device device;
	unsigned long long type, data;
	unsigned gpu_instance, compute_instance;
};

#endif
