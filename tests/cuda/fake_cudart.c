/* SPDX-License-Identifier: MIT */
/*
 * CUDA's runtime as a fake, to see gpu-check with GPUs that are not there. What it is to show
 * stands in the environment:
 *
 *   FAKE_CUDA_DRIVER   the CUDA version of the driver, as 13000; 0, the default: there is no driver
 *   FAKE_CUDA_GPUS     one word a GPU: CAPABILITY/FREE-MIB[/FAULT]; a fault is arch, memory, wrong,
 *                      launch, hang or crash
 *
 * It computes what the kernel is to compute by itself, from the kernel's arguments.
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cuda_runtime_api.h>

struct gpu {
	int major, minor;
	size_t free;
	char fault[16];
};

static int current;

static int driver(void)
{
	const char *text = getenv("FAKE_CUDA_DRIVER");

	return text ? atoi(text) : 0;
}

/* False: there is no such GPU. */
static int look_up(int number, struct gpu *gpu)
{
	const char *at = getenv("FAKE_CUDA_GPUS");
	unsigned long mib;

	for (at = at ? at + strspn(at, " ") : ""; number > 0 && *at; number--) {
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	memset(gpu, 0, sizeof(*gpu));
	if (sscanf(at, "%d.%d/%lu/%15[a-z]", &gpu->major, &gpu->minor, &mib, gpu->fault) < 3)
		return 0;
	gpu->free = (size_t)mib << 20;
	return 1;
}

static int has_fault(const char *fault)
{
	struct gpu gpu;

	return look_up(current, &gpu) && strcmp(gpu.fault, fault) == 0;
}

/* ---- what gpu-check asks ---- */

cudaError_t cudaRuntimeGetVersion(int *version)
{
	*version = CUDART_VERSION;
	return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version)
{
	*version = driver();
	return cudaSuccess;
}

cudaError_t cudaGetDeviceCount(int *count)
{
	struct gpu gpu;

	*count = 0;
	if (driver() / 1000 < CUDART_VERSION / 1000)
		return cudaErrorInsufficientDriver;
	while (look_up(*count, &gpu))
		++*count;
	return *count ? cudaSuccess : cudaErrorNoDevice;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *about, int device)
{
	struct gpu gpu;

	if (!look_up(device, &gpu))
		return cudaErrorInvalidDevice;
	memset(about, 0, sizeof(*about));
	snprintf(about->name, sizeof(about->name), "Fake \"%d\"", device);
	about->major = gpu.major;
	about->minor = gpu.minor;
	memset(about->uuid.bytes, 0xa0 + device, sizeof(about->uuid.bytes));
	return cudaSuccess;
}

cudaError_t cudaSetDevice(int device)
{
	current = device;
	if (has_fault("hang")) {
		signal(SIGTERM, SIG_IGN);
		for (;;)
			pause();
	}
	if (has_fault("crash"))
		raise(SIGSEGV);
	return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total)
{
	struct gpu gpu;

	look_up(current, &gpu);
	*available = gpu.free;
	*total = gpu.free * 2;
	return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *function)
{
	(void)function;
	memset(attributes, 0, sizeof(*attributes));
	return has_fault("arch") ? cudaErrorNoKernelImageForDevice : cudaSuccess;
}

cudaError_t cudaMalloc(void **memory, size_t size)
{
	*memory = has_fault("memory") ? NULL : malloc(size);
	return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFree(void *memory)
{
	free(memory);
	return cudaSuccess;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t size, enum cudaMemcpyKind kind)
{
	(void)kind;
	memcpy(to, from, size);
	return cudaSuccess;
}

cudaError_t cudaMemset(void *memory, int value, size_t size)
{
	memset(memory, value, size);
	return cudaSuccess;
}

cudaError_t cudaLaunchKernel(const void *function, dim3 grid, dim3 block, void **args,
			     size_t shared, cudaStream_t stream)
{
	const uint32_t *in = *(const uint32_t **)args[0];
	uint32_t *out = *(uint32_t **)args[1], count = *(const uint32_t *)args[2];

	(void)function;
	(void)shared;
	(void)stream;
	if (grid.x * block.x != count)
		return cudaErrorInvalidConfiguration;
	for (uint32_t at = 0; at < count; at++) {
		uint32_t x = in[at ^ 1];

		out[at] = x * UINT32_C(2654435761) + at + 3 * (x & 0xffff) + 1;
	}
	if (has_fault("wrong"))
		out[count - 1]++;
	return cudaSuccess;
}

cudaError_t cudaDeviceSynchronize(void)
{
	return has_fault("launch") ? cudaErrorLaunchFailure : cudaSuccess;
}

const char *cudaGetErrorString(cudaError_t error)
{
	static char text[32];

	snprintf(text, sizeof(text), "fake error %d", (int)error);
	return text;
}

/* ---- what the compiler puts into the program ---- */

void **__cudaRegisterFatBinary(void *binary);
void __cudaRegisterFatBinaryEnd(void **handle);
void __cudaUnregisterFatBinary(void **handle);
void __cudaRegisterFunction(void);
unsigned __cudaPushCallConfiguration(void);
cudaError_t __cudaPopCallConfiguration(void);
cudaError_t __cudaGetKernel(void);
cudaError_t __cudaLaunchKernel(void);

void **__cudaRegisterFatBinary(void *binary)
{
	static void *handle;

	handle = binary;
	return &handle;
}

void __cudaRegisterFatBinaryEnd(void **handle)
{
	(void)handle;
}

void __cudaUnregisterFatBinary(void **handle)
{
	(void)handle;
}

void __cudaRegisterFunction(void)
{
}

unsigned __cudaPushCallConfiguration(void)
{
	return 1;
}

cudaError_t __cudaPopCallConfiguration(void)
{
	return cudaErrorNotSupported;
}

cudaError_t __cudaGetKernel(void)
{
	return cudaErrorNotSupported;
}

cudaError_t __cudaLaunchKernel(void)
{
	return cudaErrorNotSupported;
}
