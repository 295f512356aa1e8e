/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_GPU_CODES_H
#define MUSTER_GPU_CODES_H

/*
 * The exit codes of gpu-check(1), and what they say in a few words: gpu-check prints them, and
 * muster-init tells them as the reason where `require_gpu` of a service is not met. Also read as
 * C++.
 */
enum gpu_code {
	GPU_OK = 0,
	GPU_USAGE = 2,
	GPU_NO_DRIVER = 10,
	GPU_NO_DEVICE = 11,
	GPU_OLD_DRIVER = 12,
	GPU_CAPABILITY = 13,
	GPU_ARCH = 14,
	GPU_MEMORY = 15,
	GPU_WRONG = 16,
	GPU_TIMEOUT = 17,
	GPU_FAULT = 70
};

/* What stands for any capability where one is required. */
#define GPU_ANY "any"

/* NULL: a code that gpu-check does not have. */
static inline const char *gpu_code_text(int code)
{
	switch (code) {
	case GPU_OK:
		return "ok";
	case GPU_USAGE:
		return "wrong use";
	case GPU_NO_DRIVER:
		return "no NVIDIA driver";
	case GPU_NO_DEVICE:
		return "no GPU";
	case GPU_OLD_DRIVER:
		return "the NVIDIA driver is too old";
	case GPU_CAPABILITY:
		return "no GPU of this compute capability";
	case GPU_ARCH:
		return "not compiled for this GPU";
	case GPU_MEMORY:
		return "not enough GPU memory is free";
	case GPU_WRONG:
		return "the GPU computes wrong results";
	case GPU_TIMEOUT:
		return "the GPU did not answer in time";
	case GPU_FAULT:
		return "the GPU or its driver failed";
	default:
		return 0;
	}
}

#endif
