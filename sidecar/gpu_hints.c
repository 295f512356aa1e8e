/* SPDX-License-Identifier: MIT */
#include "gpu_hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gpu_library.h"

/* Devices, of Linux and of Windows' Linux; and where distributions and engines put the library. */
static const char *const marks[] = {
	"/dev/nvidiactl",
	"/dev/dxg",
	"/usr/lib/x86_64-linux-gnu/" GPU_LIBRARY,
	"/usr/lib/aarch64-linux-gnu/" GPU_LIBRARY,
	"/usr/lib64/" GPU_LIBRARY,
	"/usr/lib/" GPU_LIBRARY,
	"/usr/local/nvidia/lib64/" GPU_LIBRARY,
	"/usr/lib/wsl/lib/" GPU_LIBRARY,
};

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* NVIDIA's container runtime: void is as if it were not set, none gives the library but no GPU. */
static bool runtime_gives_one(void)
{
	const char *value = getenv("NVIDIA_VISIBLE_DEVICES");

	return value && *value && strcmp(value, "void") != 0 && strcmp(value, "none") != 0;
}

bool gpu_suggested(enum gpu_mode mode, char *why, size_t size)
{
	if (mode == GPU_NO) {
		snprintf(why, size, "switched off: gpu = no");
		return false;
	}
	if (mode == GPU_YES || is_set(GPU_LIBRARY_VARIABLE) || runtime_gives_one())
		return true;
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (access(marks[i], F_OK) == 0)
			return true;
	snprintf(why, size,
		 "no device: nothing here suggests a GPU (no /dev/nvidiactl, no "
		 "NVIDIA_VISIBLE_DEVICES, no %s)",
		 GPU_LIBRARY);
	return false;
}
