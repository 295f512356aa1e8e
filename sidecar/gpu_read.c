/* SPDX-License-Identifier: MIT */
#include "gpu_read.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the one namespace that has all processes of the machine, in every kernel that has it. */
#define FIRST_PID_NAMESPACE 0xEFFFFFFCU
#define DEVICE_PREFIX       "/dev/nvidia"

const char *gpu_code_text(int code)
{
	static const struct {
		int code;
		const char *text;
	} texts[] = {
		{NVML_OK, "none"},
		{NVML_NOT_SUPPORTED, "not supported"},
		{NVML_NO_PERMISSION, "not permitted"},
		{NVML_NOT_FOUND, "not found"},
		{NVML_DRIVER_NOT_LOADED, "the driver is not loaded"},
		{NVML_TIMEOUT, "timed out"},
		{NVML_IRQ_ISSUE, "the GPU's interrupts do not arrive"},
		{NVML_LIBRARY_NOT_FOUND, "a library of the driver is missing"},
		{NVML_GPU_IS_LOST, "the GPU is lost: it has fallen off the bus"},
		{NVML_RESET_REQUIRED, "the GPU needs a reset"},
		{NVML_VERSION_MISMATCH, "library and driver are of different versions"},
		{NVML_UNKNOWN, "the driver has an error without a name"},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].code == code)
			return texts[i].text;
	return "an error of the driver";
}

/* ---- one device ---- */

struct reading {
	const struct nvml *nvml;
	struct gpu_head head;
	gpu_send *send;
	void *data;
	bool all_pids; /* ours are those of the machine */
};

/* Whether a call that may not be there went well; a device that is lost is remembered as that. */
static bool good(struct gpu_device *device, int code)
{
	if (code == NVML_GPU_IS_LOST || code == NVML_RESET_REQUIRED)
		device->error = (uint32_t)code;
	return code == NVML_OK;
}

#define CALL(device, function, ...) ((function) && good(device, (function)(__VA_ARGS__)))

static void read_identity(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	int major, minor;

	if (!CALL(device, nvml->uuid, handle, device->uuid, sizeof(device->uuid)))
		device->uuid[0] = '\0';
	if (!CALL(device, nvml->name, handle, device->name, sizeof(device->name)))
		device->name[0] = '\0';
	if (!CALL(device, nvml->capability, handle, &major, &minor))
		return;
	device->capability[0] = (uint32_t)major;
	device->capability[1] = (uint32_t)minor;
	device->known |= GPU_HAS_CAPABILITY;
}

/* The newer call leaves out what the driver keeps for itself. */
static void read_memory(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	struct nvml_memory_v2 newer = {.version = NVML_STRUCT(newer, 2U)};
	struct nvml_memory memory;

	if (CALL(device, nvml->memory_v2, handle, &newer)) {
		device->memory_used = newer.used;
		device->memory_total = newer.total;
	} else if (CALL(device, nvml->memory, handle, &memory)) {
		device->memory_used = memory.used;
		device->memory_total = memory.total;
	} else {
		return;
	}
	device->known |= GPU_HAS_MEMORY;
}

static void read_temperature(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	struct nvml_temperature newer = {.version = NVML_STRUCT(newer, 1U),
					 .sensor = NVML_TEMPERATURE_GPU};
	unsigned celsius;

	if (CALL(device, nvml->temperature, handle, NVML_TEMPERATURE_GPU, &celsius))
		device->temperature = (int32_t)celsius;
	else if (CALL(device, nvml->temperature_v, handle, &newer))
		device->temperature = newer.temperature;
	else
		return;
	device->known |= GPU_HAS_TEMPERATURE;
}

static void read_ecc(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	unsigned long long count;

	if (CALL(device, nvml->ecc, handle, NVML_ECC_CORRECTED, NVML_ECC_VOLATILE, &count)) {
		device->corrected = count;
		device->known |= GPU_HAS_CORRECTED;
	}
	if (CALL(device, nvml->ecc, handle, NVML_ECC_UNCORRECTED, NVML_ECC_VOLATILE, &count)) {
		device->uncorrected = count;
		device->known |= GPU_HAS_UNCORRECTED;
	}
}

static void read_load(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	struct nvml_utilization utilization;
	unsigned long long energy;

	if (CALL(device, nvml->utilization, handle, &utilization)) {
		device->utilization = utilization.gpu;
		device->known |= GPU_HAS_UTILIZATION;
	}
	if (CALL(device, nvml->power, handle, &device->power))
		device->known |= GPU_HAS_POWER;
	if (CALL(device, nvml->energy, handle, &energy)) {
		device->energy = energy;
		device->known |= GPU_HAS_ENERGY;
	}
}

static void read_device(const struct nvml *nvml, nvml_device handle, struct gpu_device *device)
{
	read_identity(nvml, handle, device);
	read_memory(nvml, handle, device);
	read_temperature(nvml, handle, device);
	read_ecc(nvml, handle, device);
	read_load(nvml, handle, device);
}

/* ---- its processes ---- */

/* Whether the process has a device of the driver open, as far as we may look. */
static bool holds_device(unsigned pid)
{
	char path[64], target[PATH_MAX];
	bool holds = false;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	dir = opendir(path);
	while (dir && !holds && (entry = readdir(dir))) {
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

		holds = n > 0 && strncmp(target, DEVICE_PREFIX, strlen(DEVICE_PREFIX)) == 0;
	}
	if (dir)
		closedir(dir);
	return holds;
}

/* The driver may tell pids of another namespace, and a process of ours may have the same number. */
static bool is_ours(const struct reading *reading, unsigned pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u", pid);
	return access(path, F_OK) == 0 && (reading->all_pids || holds_device(pid));
}

static void add_process(const struct reading *reading, struct gpu_processes *out, unsigned pid,
			unsigned long long memory)
{
	struct gpu_process *process = &out->list[out->count++];

	process->pid = pid;
	process->memory = memory;
	process->ours = is_ours(reading, pid);
}

#define UNWRITTEN 0xA5

/* Which of the two layouts the library has written is seen at the end of the wider one. */
static bool is_wide(const struct nvml_process_wide *list, unsigned count)
{
	const unsigned char *last = (const unsigned char *)&list[count - 1].protected_memory;

	for (size_t i = 0; i < sizeof(list->protected_memory); i++)
		if (last[i] != UNWRITTEN)
			return true;
	return false;
}

static int list_processes(const struct reading *reading, nvml_device handle,
			  struct gpu_processes *out, unsigned *count)
{
	static struct nvml_process_wide wide[GPU_PROCESSES_MAX];
	const struct nvml_process *list = (const struct nvml_process *)(void *)wide;
	int code;

	memset(wide, UNWRITTEN, sizeof(wide));
	code = reading->nvml->processes(handle, count, (struct nvml_process *)(void *)wide);
	for (unsigned i = 0; code == NVML_OK && i < *count && i < GPU_PROCESSES_MAX; i++) {
		const struct nvml_process *process = &list[i];

		if (*count <= GPU_PROCESSES_MAX && is_wide(wide, *count))
			process = &wide[i].process;
		add_process(reading, out, process->pid, process->memory);
	}
	return code;
}

static int list_processes_v1(const struct reading *reading, nvml_device handle,
			     struct gpu_processes *out, unsigned *count)
{
	static struct nvml_process_v1 list[GPU_PROCESSES_MAX];
	int code = reading->nvml->processes_v1(handle, count, list);

	for (unsigned i = 0; code == NVML_OK && i < *count && i < GPU_PROCESSES_MAX; i++)
		add_process(reading, out, list[i].pid, list[i].memory);
	return code;
}

/* Too many are counted only: the library then gives the number and no list. */
static bool read_processes(const struct reading *reading, nvml_device handle,
			   struct gpu_device *device, struct gpu_processes *out)
{
	unsigned count = GPU_PROCESSES_MAX;
	int code = NVML_NOT_SUPPORTED;

	memset(out, 0, sizeof(*out));
	out->head = reading->head;
	out->head.type = GPU_PROCESSES;
	out->index = device->index;
	out->mig = device->mig;
	if (reading->nvml->processes)
		code = list_processes(reading, handle, out, &count);
	else if (reading->nvml->processes_v1)
		code = list_processes_v1(reading, handle, out, &count);
	if (code == NVML_INSUFFICIENT_SIZE)
		out->more = count;
	else if (!good(device, code))
		return false;
	device->known |= GPU_HAS_PROCESSES;
	return out->count || out->more;
}

static bool send_device(const struct reading *reading, nvml_device handle,
			struct gpu_device *device)
{
	static struct gpu_processes processes;
	bool some = false;

	/* with MIG they belong to the instances */
	if (handle && !(device->known & GPU_HAS_MIG))
		some = read_processes(reading, handle, device, &processes);
	return reading->send(reading->data, device, sizeof(*device)) &&
	       (!some || reading->send(reading->data, &processes, sizeof(processes)));
}

/* ---- all of them ---- */

static struct gpu_device begin_device(const struct reading *reading, unsigned index, unsigned mig)
{
	struct gpu_device device = {.head = reading->head, .index = index, .mig = mig};

	device.head.type = GPU_DEVICE;
	return device;
}

static bool read_instance(const struct reading *reading, nvml_device parent, unsigned index,
			  unsigned number)
{
	struct gpu_device device = begin_device(reading, index, number + 1);
	const struct nvml *nvml = reading->nvml;
	nvml_device handle = NULL;

	if (nvml->mig_by_index(parent, number, &handle) != NVML_OK)
		return true; /* not every place is taken */
	read_device(nvml, handle, &device);
	if (CALL(&device, nvml->gpu_instance, handle, &device.gpu_instance) &&
	    CALL(&device, nvml->compute_instance, handle, &device.compute_instance))
		device.known |= GPU_HAS_INSTANCES;
	return send_device(reading, handle, &device);
}

static unsigned count_instances(const struct nvml *nvml, nvml_device handle,
				struct gpu_device *device)
{
	unsigned mode = 0, pending, count = 0;

	if (!CALL(device, nvml->mig_mode, handle, &mode, &pending) || mode != NVML_MIG_ENABLED)
		return 0;
	device->known |= GPU_HAS_MIG;
	if (!nvml->mig_by_index || !CALL(device, nvml->mig_count, handle, &count))
		return 0;
	return count < GPU_MIG_MAX ? count : GPU_MIG_MAX;
}

static bool read_gpu(const struct reading *reading, unsigned index)
{
	struct gpu_device device = begin_device(reading, index, 0);
	nvml_device handle = NULL;
	unsigned instances = 0;
	int code = reading->nvml->by_index(index, &handle);
	bool heard;

	if (code == NVML_OK) {
		read_device(reading->nvml, handle, &device);
		instances = count_instances(reading->nvml, handle, &device);
	} else {
		device.error = (uint32_t)code;
		handle = NULL;
	}
	heard = send_device(reading, handle, &device);
	for (unsigned i = 0; heard && i < instances; i++)
		heard = read_instance(reading, handle, index, i);
	return heard;
}

static bool sees_all_pids(void)
{
	struct stat info;

	return stat("/proc/self/ns/pid", &info) == 0 && info.st_ino == FIRST_PID_NAMESPACE;
}

bool gpu_read(const struct nvml *nvml, struct gpu_head head, gpu_send *send, void *data)
{
	struct reading reading = {nvml, head, send, data, sees_all_pids()};
	unsigned count = 0;
	bool heard = true;

	head.type = GPU_DONE;
	head.code = (uint32_t)nvml->count(&count);
	if (head.code != NVML_OK)
		count = 0;
	for (unsigned i = 0; heard && i < count && i < GPU_MAX; i++)
		heard = read_gpu(&reading, i);
	return heard && send(data, &head, sizeof(head));
}
