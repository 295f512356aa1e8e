/* SPDX-License-Identifier: MIT */

/*
 * NVIDIA's management library as the tests need it: what it says stands in the file that FAKE_NVML
 * names, which is read again at each call, so that a test can change it at any time. Lines of
 *
 *	gpus N                    how many there are (1)
 *	mig GPU N                 MIG is on there, with N instances
 *	process GPU PID BYTES     GPU/N for that instance; -1 bytes: not known
 *	set NAME GPU VALUE        what a call tells, such as `set temperature 1 90`
 *	fail CALL CODE            the call fails with this code
 *	lose GPU                  it has fallen off the bus
 *	hang CALL                 the call does not return
 *	crash CALL                the call ends the process
 *	event GPU TYPE DATA       told once, in the order of the lines: 8 XID, or 2 0
 *	count yes                 the temperature is how often it was asked for
 *	wide yes                  lists of processes as some drivers of version 535 have them
 *	quiet yes                 no events are to come: waiting for them sleeps
 *
 * CALL is a name without nvml and without _v2, or `all`. With FAKE_V1 the library has the calls of
 * old drivers only, with FAKE_BARE only what no driver can be without.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "nvml.h"

#define MIG_STEP 1000 /* handles: 1 + GPU, and MIG_STEP times 1 + instance more */
#define POLL_MS  20

/* ---- the scenario ---- */

/* The next line of the file that begins with these words; what follows them, or NULL. */
static const char *next_line(FILE *file, const char *words, char line[256])
{
	size_t len = strlen(words);

	while (file && fgets(line, 256, file)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, words, len) == 0 && (line[len] == ' ' || line[len] == '\0'))
			return line + len;
	}
	return NULL;
}

static FILE *open_scenario(void)
{
	const char *path = getenv("FAKE_NVML");

	return path ? fopen(path, "re") : NULL;
}

static bool find(const char *words, char rest[256])
{
	FILE *file = open_scenario();
	char line[256];
	const char *found = next_line(file, words, line);

	if (found)
		memmove(rest, found, strlen(found) + 1);
	if (file)
		fclose(file);
	return found != NULL;
}

static long long number(const char *words, long long otherwise)
{
	char rest[256];

	return find(words, rest) && *rest ? strtoll(rest, NULL, 0) : otherwise;
}

static bool says(const char *what, const char *call)
{
	char words[96], rest[256];

	snprintf(words, sizeof(words), "%s %s", what, call);
	return find(words, rest);
}

/* What every call does first. */
static int begin(const char *call)
{
	char words[96];

	while (says("hang", call) || says("hang", "all"))
		pause();
	if (says("crash", call))
		raise(SIGSEGV);
	snprintf(words, sizeof(words), "fail %s", call);
	return (int)number(words, number("fail all", NVML_OK));
}

static nvml_device handle_of(long gpu, long mig)
{
	return (nvml_device)(uintptr_t)((mig + 1) * MIG_STEP + gpu + 1);
}

#if defined(FAKE_V1) || defined(FAKE_BARE)
#define NEWER(name) name
#else
#define NEWER(name) name##_v2
#endif
#define EXPORT __attribute__((visibility("default")))

/* ---- what no driver is without ---- */

EXPORT int NEWER(nvmlInit)(void);
EXPORT int NEWER(nvmlDeviceGetCount)(unsigned *count);
EXPORT int NEWER(nvmlDeviceGetHandleByIndex)(unsigned index, nvml_device *device);

int NEWER(nvmlInit)(void)
{
	return begin("Init");
}

int NEWER(nvmlDeviceGetCount)(unsigned *count)
{
	*count = (unsigned)number("gpus", 1);
	return begin("DeviceGetCount");
}

int NEWER(nvmlDeviceGetHandleByIndex)(unsigned index, nvml_device *device)
{
	*device = handle_of((long)index, -1);
	return begin("DeviceGetHandleByIndex");
}

#ifndef FAKE_BARE

static long gpu_of(nvml_device device)
{
	return (long)((uintptr_t)device % MIG_STEP) - 1;
}

static long mig_of(nvml_device device)
{
	return (long)((uintptr_t)device / MIG_STEP) - 1;
}

static int begin_device(const char *call, nvml_device device)
{
	int code = begin(call);
	char gpu[32];

	snprintf(gpu, sizeof(gpu), "%ld", gpu_of(device));
	return code == NVML_OK && says("lose", gpu) ? NVML_GPU_IS_LOST : code;
}

static long long value(const char *name, nvml_device device, long long otherwise)
{
	char words[96];

	snprintf(words, sizeof(words), "set %s %ld", name, gpu_of(device));
	return number(words, otherwise);
}

static void copy(char *out, unsigned size, const char *text)
{
	snprintf(out, size, "%s", text);
}

/* ---- who it is ---- */

EXPORT int nvmlSystemGetDriverVersion(char *text, unsigned size);
EXPORT int nvmlDeviceGetIndex(nvml_device device, unsigned *index);
EXPORT int nvmlDeviceGetUUID(nvml_device device, char *text, unsigned size);
EXPORT int nvmlDeviceGetName(nvml_device device, char *text, unsigned size);
EXPORT int nvmlDeviceGetCudaComputeCapability(nvml_device device, int *major, int *minor);

int nvmlSystemGetDriverVersion(char *text, unsigned size)
{
	copy(text, size, "550.54.15");
	return begin("SystemGetDriverVersion");
}

int nvmlDeviceGetIndex(nvml_device device, unsigned *index)
{
	*index = (unsigned)gpu_of(device);
	return begin("DeviceGetIndex");
}

int nvmlDeviceGetUUID(nvml_device device, char *text, unsigned size)
{
	char uuid[64];

	snprintf(uuid, sizeof(uuid), "%s-00000000-%04lx-%04lx", mig_of(device) < 0 ? "GPU" : "MIG",
		 gpu_of(device), mig_of(device) + 1);
	copy(text, size, uuid);
	return begin_device("DeviceGetUUID", device);
}

int nvmlDeviceGetName(nvml_device device, char *text, unsigned size)
{
	char rest[256];

	if (mig_of(device) >= 0)
		copy(text, size, "NVIDIA Fake MIG 1g.10gb");
	else
		copy(text, size, find("set name", rest) ? rest + 1 : "NVIDIA Fake 4090");
	return begin_device("DeviceGetName", device);
}

int nvmlDeviceGetCudaComputeCapability(nvml_device device, int *major, int *minor)
{
	*major = 8;
	*minor = 9;
	return begin_device("DeviceGetCudaComputeCapability", device);
}

/* ---- numbers ---- */

EXPORT int nvmlDeviceGetUtilizationRates(nvml_device device, struct nvml_utilization *out);
EXPORT int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *out);
EXPORT int nvmlDeviceGetTemperature(nvml_device device, unsigned sensor, unsigned *celsius);
EXPORT int nvmlDeviceGetPowerUsage(nvml_device device, unsigned *milliwatts);

/* As MIG has it: not told of instances, nor of a GPU that is cut into some. */
int nvmlDeviceGetUtilizationRates(nvml_device device, struct nvml_utilization *out)
{
	char words[32];

	snprintf(words, sizeof(words), "mig %ld", gpu_of(device));
	if (number(words, -1) >= 0)
		return NVML_NOT_SUPPORTED;
	out->gpu = (unsigned)value("utilization", device, 42);
	out->memory = 7;
	return begin_device("DeviceGetUtilizationRates", device);
}

int nvmlDeviceGetMemoryInfo(nvml_device device, struct nvml_memory *out)
{
	out->total = 25769803776ULL;
	out->used = 5000000000ULL; /* with what the driver keeps for itself */
	out->free = out->total - out->used;
	return begin_device("DeviceGetMemoryInfo", device);
}

int nvmlDeviceGetTemperature(nvml_device device, unsigned sensor, unsigned *celsius)
{
	static unsigned calls;

	*celsius = says("count", "yes") ? ++calls : (unsigned)value("temperature", device, 61);
	return sensor == NVML_TEMPERATURE_GPU ? begin_device("DeviceGetTemperature", device) : 2;
}

int nvmlDeviceGetPowerUsage(nvml_device device, unsigned *milliwatts)
{
	*milliwatts = (unsigned)value("power", device, 123456);
	return begin_device("DeviceGetPowerUsage", device);
}

/* ---- processes ---- */

/* The `index`-th process of the device. */
static bool process(nvml_device device, unsigned index, unsigned *pid, unsigned long long *memory)
{
	char words[32], line[256];
	FILE *file = open_scenario();
	const char *rest = NULL;
	long long bytes;

	if (mig_of(device) < 0)
		snprintf(words, sizeof(words), "process %ld", gpu_of(device));
	else
		snprintf(words, sizeof(words), "process %ld/%ld", gpu_of(device), mig_of(device));
	for (unsigned i = 0; i <= index && file; i++)
		rest = next_line(file, words, line);
	if (file)
		fclose(file);
	if (!rest || sscanf(rest, "%u %lld", pid, &bytes) != 2)
		return false;
	*memory = (unsigned long long)bytes;
	return true;
}

static unsigned count_processes(nvml_device device)
{
	unsigned long long memory;
	unsigned pid, count = 0;

	while (process(device, count, &pid, &memory))
		count++;
	return count;
}

/* In all layouts. */
#define OLD(p, m)  ((struct nvml_process_v1){.pid = (p), .memory = (m)})
#define NEW(p, m)  ((struct nvml_process){.pid = (p), .memory = (m)})
#define WIDE(p, m) ((struct nvml_process_wide){.process = NEW(p, m)})
#define FILL(type)                                                                                 \
	unsigned room = *count;                                                                    \
	int code = begin_device("DeviceGetComputeRunningProcesses", device);                       \
                                                                                                   \
	*count = count_processes(device);                                                          \
	if (code != NVML_OK || *count > room)                                                      \
		return code != NVML_OK ? code : NVML_INSUFFICIENT_SIZE;                            \
	for (unsigned i = 0; i < *count; i++) {                                                    \
		unsigned pid;                                                                      \
		unsigned long long memory;                                                         \
                                                                                                   \
		process(device, i, &pid, &memory);                                                 \
		list[i] = type(pid, memory);                                                       \
	}                                                                                          \
	return NVML_OK

#ifdef FAKE_V1
EXPORT int nvmlDeviceGetComputeRunningProcesses(nvml_device device, unsigned *count,
						struct nvml_process_v1 *list);

int nvmlDeviceGetComputeRunningProcesses(nvml_device device, unsigned *count,
					 struct nvml_process_v1 *list)
{
	FILL(OLD);
}
#else
EXPORT int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device device, unsigned *count,
						   struct nvml_process *list);

static int fill(nvml_device device, unsigned *count, struct nvml_process *list)
{
	FILL(NEW);
}

static int fill_wide(nvml_device device, unsigned *count, struct nvml_process_wide *list)
{
	FILL(WIDE);
}

int nvmlDeviceGetComputeRunningProcesses_v3(nvml_device device, unsigned *count,
					    struct nvml_process *list)
{
	return says("wide", "yes") ? fill_wide(device, count, (void *)list)
				   : fill(device, count, list);
}

/* ---- what old drivers have not ---- */

EXPORT int nvmlDeviceGetMemoryInfo_v2(nvml_device device, struct nvml_memory_v2 *out);
EXPORT int nvmlDeviceGetTotalEnergyConsumption(nvml_device device, unsigned long long *millijoules);
EXPORT int nvmlDeviceGetTotalEccErrors(nvml_device device, unsigned type, unsigned counter,
				       unsigned long long *count);
EXPORT int nvmlDeviceGetMigMode(nvml_device device, unsigned *current, unsigned *pending);
EXPORT int nvmlDeviceGetMaxMigDeviceCount(nvml_device device, unsigned *count);
EXPORT int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device device, unsigned index,
					       nvml_device *instance);
EXPORT int nvmlDeviceGetGpuInstanceId(nvml_device device, unsigned *id);
EXPORT int nvmlDeviceGetComputeInstanceId(nvml_device device, unsigned *id);

int nvmlDeviceGetMemoryInfo_v2(nvml_device device, struct nvml_memory_v2 *out)
{
	if (out->version != 0x2000028) /* as the documentation has it */
		return 25;
	out->total = mig_of(device) < 0 ? 25769803776ULL : 10737418240ULL;
	out->reserved = 500000000ULL;
	out->used = (unsigned long long)value("memory_used", device, 4500000000);
	out->free = out->total - out->used;
	return begin_device("DeviceGetMemoryInfo", device);
}

int nvmlDeviceGetTotalEnergyConsumption(nvml_device device, unsigned long long *millijoules)
{
	*millijoules = (unsigned long long)value("energy", device, 7654321);
	return mig_of(device) >= 0 ? NVML_NOT_SUPPORTED
				   : begin_device("DeviceGetTotalEnergyConsumption", device);
}

int nvmlDeviceGetTotalEccErrors(nvml_device device, unsigned type, unsigned counter,
				unsigned long long *count)
{
	*count = (unsigned long long)(type == NVML_ECC_CORRECTED ? value("corrected", device, 3)
								 : value("uncorrected", device, 0));
	return counter == NVML_ECC_VOLATILE ? begin_device("DeviceGetTotalEccErrors", device) : 2;
}

static long long instances(nvml_device device)
{
	char words[32];

	snprintf(words, sizeof(words), "mig %ld", gpu_of(device));
	return mig_of(device) < 0 ? number(words, -1) : -1;
}

int nvmlDeviceGetMigMode(nvml_device device, unsigned *current, unsigned *pending)
{
	*current = *pending = instances(device) >= 0;
	return begin_device("DeviceGetMigMode", device);
}

/* The places there are; not all of them are taken. */
int nvmlDeviceGetMaxMigDeviceCount(nvml_device device, unsigned *count)
{
	*count = 7;
	return begin_device("DeviceGetMaxMigDeviceCount", device);
}

int nvmlDeviceGetMigDeviceHandleByIndex(nvml_device device, unsigned index, nvml_device *instance)
{
	*instance = handle_of(gpu_of(device), (long)index);
	return index < instances(device) ? begin_device("DeviceGetMigDeviceHandleByIndex", device)
					 : NVML_NOT_FOUND;
}

int nvmlDeviceGetGpuInstanceId(nvml_device device, unsigned *id)
{
	*id = (unsigned)mig_of(device) + 3;
	return begin_device("DeviceGetGpuInstanceId", device);
}

int nvmlDeviceGetComputeInstanceId(nvml_device device, unsigned *id)
{
	*id = 0;
	return begin_device("DeviceGetComputeInstanceId", device);
}

/* ---- events ---- */

EXPORT int nvmlEventSetCreate(nvml_event_set *set);
EXPORT int nvmlDeviceRegisterEvents(nvml_device device, unsigned long long types,
				    nvml_event_set set);
EXPORT int nvmlEventSetWait_v2(nvml_event_set set, struct nvml_event *event, unsigned timeout);

static unsigned told; /* events */

/* Those that were there before the library was opened have been told by another. */
static void pass_over(void)
{
	char line[256];
	FILE *file = open_scenario();

	for (told = 0; next_line(file, "event", line);)
		told++;
	if (file)
		fclose(file);
}

int nvmlEventSetCreate(nvml_event_set *set)
{
	static char one;

	*set = &one;
	pass_over();
	return begin("EventSetCreate");
}

int nvmlDeviceRegisterEvents(nvml_device device, unsigned long long types, nvml_event_set set)
{
	return set && types ? begin_device("DeviceRegisterEvents", device) : 2;
}

static bool next_event(struct nvml_event *event)
{
	FILE *file = open_scenario();
	const char *rest = NULL;
	char line[256];
	long gpu;

	for (unsigned i = 0; i <= told && file; i++)
		rest = next_line(file, "event", line);
	if (file)
		fclose(file);
	if (!rest || sscanf(rest, "%ld %llu %llu", &gpu, &event->type, &event->data) != 3)
		return false;
	event->device = handle_of(gpu, -1);
	event->gpu_instance = event->compute_instance = UINT32_MAX;
	told++;
	return true;
}

/* A driver sleeps here; a file has to be looked at, unless it says that nothing is to come. */
int nvmlEventSetWait_v2(nvml_event_set set, struct nvml_event *event, unsigned timeout)
{
	int code = begin("EventSetWait");

	if (!set || code != NVML_OK)
		return code != NVML_OK ? code : 2;
	for (unsigned waited = 0; waited < timeout; waited += POLL_MS) {
		if (next_event(event))
			return NVML_OK;
		if (says("quiet", "yes"))
			pause();
		nanosleep(&(struct timespec){.tv_nsec = POLL_MS * 1000000L}, NULL);
	}
	return NVML_TIMEOUT;
}
#endif
#endif
