/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_LINK_H
#define SIDECAR_GPU_LINK_H

#include <stdint.h>

#include "nvml.h"

/*
 * Between the sidecar and the processes that face the driver for it; gpu_helper.h says which there
 * are. All messages have a fixed size by their type, on sockets of type SOCK_SEQPACKET. `run`
 * counts the readers that were started: what one of an earlier run has said or was asked is passed
 * over.
 */
#define GPU_MAX           64
#define GPU_MIG_MAX       8   /* instances of one GPU */
#define GPU_PROCESSES_MAX 128 /* of one GPU or instance */
#define GPU_TEXT          192

/* ---- sidecar and keeper ---- */

enum { GPU_ORDER_START = 1, GPU_ORDER_KILL };

struct gpu_order {
	uint32_t type, run;
};

/* The reader of this run is no more; `status` as waitpid(2) gives it. */
struct gpu_ended {
	uint32_t run;
	int32_t status;
};

/* ---- sidecar and reader ---- */

enum { GPU_ASK = 1, GPU_READY, GPU_DEVICE, GPU_PROCESSES, GPU_DONE, GPU_EVENT };

/* By itself the question (GPU_ASK), and the end of the answer to it (GPU_DONE). */
struct gpu_head {
	uint32_t type, run, serial;
	uint32_t code; /* GPU_DONE: an nvml_code */
};

enum { GPU_FOUND = 1, GPU_NONE, GPU_FAILED }; /* FAILED: worth another try */

/* The first thing that a reader says. */
struct gpu_ready {
	struct gpu_head head;
	uint32_t outcome;
	uint32_t events; /* whether it will tell of Xids */
	char reason[GPU_TEXT];
	char driver[NVML_TEXT_SIZE];
};

/* Bits of what is known: the rest is not supported there. */
enum {
	GPU_HAS_CAPABILITY = 1,
	GPU_HAS_UTILIZATION = 2,
	GPU_HAS_MEMORY = 4,
	GPU_HAS_TEMPERATURE = 8,
	GPU_HAS_POWER = 16,
	GPU_HAS_ENERGY = 32,
	GPU_HAS_CORRECTED = 64,
	GPU_HAS_UNCORRECTED = 128,
	GPU_HAS_PROCESSES = 256,
	GPU_HAS_MIG = 512, /* MIG is on */
	GPU_HAS_INSTANCES = 1024
};

/* A GPU, or an instance of one (MIG): those follow their GPU. */
struct gpu_device {
	struct gpu_head head;
	uint32_t known;
	uint32_t index; /* as NVML counts; CUDA_VISIBLE_DEVICES has no say */
	uint32_t mig;   /* 0: the GPU itself; else 1 + the instance's number */
	uint32_t error; /* an nvml_code: why nothing more is known of it */
	uint32_t capability[2];
	uint32_t utilization; /* percent */
	int32_t temperature;  /* degrees Celsius */
	uint32_t power;       /* mW */
	uint32_t gpu_instance, compute_instance;
	uint64_t energy; /* mJ, since the driver was loaded */
	uint64_t memory_used, memory_total;
	uint64_t corrected, uncorrected; /* errors since the driver was loaded */
	char uuid[NVML_TEXT_SIZE];
	char name[NVML_TEXT_SIZE];
};

struct gpu_process {
	uint32_t pid;
	uint32_t ours;   /* it is a pid here; else perhaps only outside */
	uint64_t memory; /* NVML_NO_VALUE: not known */
};

/* Of the device before. */
struct gpu_processes {
	struct gpu_head head;
	uint32_t index, mig;
	uint32_t count;
	uint32_t more; /* that did not fit */
	struct gpu_process list[GPU_PROCESSES_MAX];
};

/* An error that the driver tells of by itself. */
struct gpu_event {
	struct gpu_head head;
	uint32_t index;
	uint32_t ecc; /* uncorrectable, told without a code; else an Xid */
	uint64_t xid;
};

union gpu_message {
	struct gpu_head head;
	struct gpu_ready ready;
	struct gpu_device device;
	struct gpu_processes processes;
	struct gpu_event event;
};

#endif
