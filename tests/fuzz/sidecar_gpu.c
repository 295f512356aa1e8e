/* SPDX-License-Identifier: MIT */
/*
 * Messages of the process in which NVIDIA's library runs: a byte that says of which type each is,
 * and as much of it as there is. What is taken keeps to the bounds of gpu_link.h.
 */
#include "gpu_sample.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take_device(struct take *take, struct gpu_sample *sample)
{
	struct gpu_device device = {.index = take_byte(take), .mig = take_byte(take)};
	uint8_t bits = take_byte(take);

	if (bits & 1)
		memset(device.uuid, 'x', sizeof(device.uuid));
	if (bits & 2)
		memset(device.name, '\xff', sizeof(device.name));
	if (bits & 4)
		take_bytes(take, &device.known, sizeof(device.known));
	if (bits & 8)
		take_bytes(take, &device.utilization, sizeof(device.utilization));
	sample_add_device(sample, &device);
}

static void take_processes(struct take *take, struct gpu_sample *sample)
{
	static struct gpu_processes processes;

	memset(&processes, 0, sizeof(processes));
	processes.index = take_byte(take);
	processes.mig = take_byte(take);
	processes.count = take_byte(take);
	if (processes.count == 255)
		take_bytes(take, &processes.count, sizeof(processes.count));
	take_bytes(take, processes.list, processes.count & 31);
	sample_add_processes(sample, &processes);
}

static void look_at(const struct gpu_sample *sample)
{
	volatile uint64_t sum; /* all of it can be read */

	if (sample->count > GPU_MAX * (GPU_MIG_MAX + 1))
		abort();
	for (uint32_t i = 0; i < sample->count; i++) {
		const struct gpu_entry *entry = &sample->list[i];
		const struct gpu_device *device = &entry->device;

		if (device->index >= GPU_MAX || device->mig > GPU_MIG_MAX ||
		    device->utilization > 100 || entry->user_count > GPU_PROCESSES_MAX)
			abort();
		if (sample_find(sample, device->index, device->mig) != entry)
			abort();
		sum = strlen(device->uuid) + strlen(device->name);
		for (uint32_t n = 0; n < entry->user_count; n++)
			sum = entry->users[n].memory + strlen(entry->users[n].service);
	}
	(void)sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	struct gpu_sample sample = {0};

	while (take_left(&take)) {
		if (take_byte(&take) & 1)
			take_device(&take, &sample);
		else
			take_processes(&take, &sample);
	}
	look_at(&sample);
	sample_free(&sample);
	return 0;
}
