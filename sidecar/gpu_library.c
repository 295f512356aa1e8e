/* SPDX-License-Identifier: MIT */
#include "gpu_library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static const struct symbol {
	size_t offset;
	const char *name, *older; /* `older`: the same call under the name it had before */
} symbols[] = {
#define SYMBOL(member, name, older)                                                                \
	{                                                                                          \
		offsetof(struct nvml, member), name, older                                         \
	}
	SYMBOL(init, "nvmlInit_v2", "nvmlInit"),
	SYMBOL(driver_version, "nvmlSystemGetDriverVersion", NULL),
	SYMBOL(count, "nvmlDeviceGetCount_v2", "nvmlDeviceGetCount"),
	SYMBOL(by_index, "nvmlDeviceGetHandleByIndex_v2", "nvmlDeviceGetHandleByIndex"),
	SYMBOL(index, "nvmlDeviceGetIndex", NULL),
	SYMBOL(uuid, "nvmlDeviceGetUUID", NULL),
	SYMBOL(name, "nvmlDeviceGetName", NULL),
	SYMBOL(capability, "nvmlDeviceGetCudaComputeCapability", NULL),
	SYMBOL(utilization, "nvmlDeviceGetUtilizationRates", NULL),
	SYMBOL(memory, "nvmlDeviceGetMemoryInfo", NULL),
	SYMBOL(memory_v2, "nvmlDeviceGetMemoryInfo_v2", NULL),
	SYMBOL(temperature, "nvmlDeviceGetTemperature", NULL),
	SYMBOL(temperature_v, "nvmlDeviceGetTemperatureV", NULL),
	SYMBOL(power, "nvmlDeviceGetPowerUsage", NULL),
	SYMBOL(energy, "nvmlDeviceGetTotalEnergyConsumption", NULL),
	SYMBOL(ecc, "nvmlDeviceGetTotalEccErrors", NULL),
	SYMBOL(processes, "nvmlDeviceGetComputeRunningProcesses_v3",
	       "nvmlDeviceGetComputeRunningProcesses_v2"),
	SYMBOL(processes_v1, "nvmlDeviceGetComputeRunningProcesses", NULL),
	SYMBOL(mig_mode, "nvmlDeviceGetMigMode", NULL),
	SYMBOL(mig_count, "nvmlDeviceGetMaxMigDeviceCount", NULL),
	SYMBOL(mig_by_index, "nvmlDeviceGetMigDeviceHandleByIndex", NULL),
	SYMBOL(gpu_instance, "nvmlDeviceGetGpuInstanceId", NULL),
	SYMBOL(compute_instance, "nvmlDeviceGetComputeInstanceId", NULL),
	SYMBOL(events_create, "nvmlEventSetCreate", NULL),
	SYMBOL(events_register, "nvmlDeviceRegisterEvents", NULL),
	SYMBOL(events_wait, "nvmlEventSetWait_v2", "nvmlEventSetWait"),
#undef SYMBOL
};

static void find(struct nvml *nvml, const struct symbol *symbol)
{
	void *address = dlsym(nvml->handle, symbol->name);

	if (!address && symbol->older)
		address = dlsym(nvml->handle, symbol->older);
	memcpy((char *)nvml + symbol->offset, &address, sizeof(address));
}

/* The loader has no codes, only words; a file that is not there is said in these by glibc and by
 * musl. When it is a library that this one needs, the name differs. */
static bool is_absent(const char *words, const char *name)
{
	return strstr(words, name) &&
	       (strstr(words, "cannot open shared object file: No such file") ||
		strstr(words, "Error loading shared library"));
}

bool gpu_library_open(struct nvml *nvml, const char *name, char *problem, size_t size)
{
	const char *words;

	memset(nvml, 0, sizeof(*nvml));
	nvml->handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	if (!nvml->handle) {
		words = dlerror();
		if (words && !is_absent(words, name))
			snprintf(problem, size, "the library cannot be loaded: %s", words);
		else
			snprintf(problem, size, "no library: there is no %s", name);
		return false;
	}
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++)
		find(nvml, &symbols[i]);
	if (nvml->init && nvml->count && nvml->by_index)
		return true;
	snprintf(problem, size, "%s is not NVIDIA's management library", name);
	return false;
}
