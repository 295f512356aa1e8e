/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "gpu.h"
#include "sidecar.h"

/* ---- each GPU, and each instance of one ---- */

/* The labels gpu and mig; the latter is empty for a whole GPU. */
struct place {
	char gpu[12], mig[12];
};

static struct place place_of(const struct gpu_device *device)
{
	struct place place = {0};

	snprintf(place.gpu, sizeof(place.gpu), "%u", device->index);
	if (device->mig)
		snprintf(place.mig, sizeof(place.mig), "%u", device->mig - 1);
	return place;
}

typedef double device_value(const struct gpu_device *device);

/* Of those only that know it. */
static void put_each(struct metrics *metrics, uint32_t known, device_value *value)
{
	const struct gpu_sample *sample = gpu_look(metrics->sidecar->gpus).sample;

	for (uint32_t i = 0; i < sample->count; i++) {
		const struct gpu_device *device = &sample->list[i].device;
		struct place place = place_of(device);

		if (device->known & known)
			metric_put(metrics, value(device), place.gpu, place.mig);
	}
}

#define EACH_GPU(name, known, expression)                                                          \
	static double name##_of(const struct gpu_device *device)                                   \
	{                                                                                          \
		return expression;                                                                 \
	}                                                                                          \
	static void write_##name(struct metrics *metrics)                                          \
	{                                                                                          \
		put_each(metrics, known, name##_of);                                               \
	}

EACH_GPU(utilization, GPU_HAS_UTILIZATION, device->utilization / 100.0)
EACH_GPU(memory_used, GPU_HAS_MEMORY, (double)device->memory_used)
EACH_GPU(memory_total, GPU_HAS_MEMORY, (double)device->memory_total)
EACH_GPU(temperature, GPU_HAS_TEMPERATURE, device->temperature)
EACH_GPU(power, GPU_HAS_POWER, device->power / 1e3)
EACH_GPU(energy, GPU_HAS_ENERGY, (double)device->energy / 1e3)

static void write_info(struct metrics *metrics)
{
	struct gpu_view view = gpu_look(metrics->sidecar->gpus);
	char capability[32];

	for (uint32_t i = 0; i < view.sample->count; i++) {
		const struct gpu_device *device = &view.sample->list[i].device;
		struct place place = place_of(device);

		snprintf(capability, sizeof(capability), "%u.%u", device->capability[0],
			 device->capability[1]);
		/* METRIC_LABELS is full with five: an instance is told by its uuid */
		if (!device->mig)
			metric_put(metrics, 1, place.gpu, device->uuid, device->name,
				   device->known & GPU_HAS_CAPABILITY ? capability : "",
				   view.driver);
	}
}

static void write_mig_info(struct metrics *metrics)
{
	const struct gpu_sample *sample = gpu_look(metrics->sidecar->gpus).sample;

	for (uint32_t i = 0; i < sample->count; i++) {
		const struct gpu_device *device = &sample->list[i].device;
		struct place place = place_of(device);

		if (device->mig)
			metric_put(metrics, 1, place.gpu, place.mig, device->uuid, device->name);
	}
}

static void write_up(struct metrics *metrics)
{
	const struct gpu_sample *sample = gpu_look(metrics->sidecar->gpus).sample;

	for (uint32_t i = 0; i < sample->count; i++) {
		const struct gpu_device *device = &sample->list[i].device;
		struct place place = place_of(device);

		metric_put(metrics, device->error == NVML_OK, place.gpu, place.mig);
	}
}

/* ---- what goes wrong, and who uses them ---- */

static void write_ecc(struct metrics *metrics)
{
	const struct gpu_sample *sample = gpu_look(metrics->sidecar->gpus).sample;

	for (uint32_t i = 0; i < sample->count; i++) {
		const struct gpu_device *device = &sample->list[i].device;
		struct place place = place_of(device);

		if (device->known & GPU_HAS_CORRECTED)
			metric_put(metrics, (double)device->corrected, place.gpu, place.mig,
				   "corrected");
		if (device->known & GPU_HAS_UNCORRECTED)
			metric_put(metrics, (double)device->uncorrected, place.gpu, place.mig,
				   "uncorrected");
	}
}

static void write_xids(struct metrics *metrics)
{
	const struct gpu_faults *faults = gpu_look(metrics->sidecar->gpus).faults;
	char gpu[12], xid[24];

	for (uint32_t i = 0; i < faults->count; i++) {
		const struct gpu_fault *fault = &faults->list[i];

		if (fault->ecc)
			continue;
		snprintf(gpu, sizeof(gpu), "%u", fault->index);
		snprintf(xid, sizeof(xid), "%llu", (unsigned long long)fault->xid);
		metric_put(metrics, (double)fault->count, gpu,
			   fault->xid == GPU_XID_OTHER ? "other" : xid);
	}
}

/* Those of one service together, when the first of them is met. */
static void put_users(struct metrics *metrics, const struct gpu_entry *entry)
{
	struct place place = place_of(&entry->device);

	for (uint32_t i = 0; i < entry->user_count; i++) {
		uint64_t sum = 0;
		bool met = false;

		for (uint32_t j = 0; j < i && !met; j++)
			met = strcmp(entry->users[j].service, entry->users[i].service) == 0;
		for (uint32_t j = i; j < entry->user_count && !met; j++)
			if (strcmp(entry->users[j].service, entry->users[i].service) == 0 &&
			    entry->users[j].memory != NVML_NO_VALUE)
				sum += entry->users[j].memory;
		if (!met)
			metric_put(metrics, (double)sum, place.gpu, place.mig,
				   entry->users[i].service);
	}
}

static void write_users(struct metrics *metrics)
{
	const struct gpu_sample *sample = gpu_look(metrics->sidecar->gpus).sample;

	for (uint32_t i = 0; i < sample->count; i++)
		put_users(metrics, &sample->list[i]);
}

/* ---- the collecting itself ---- */

/* Comes first: it also has the next answer newer. Where there is no GPU nothing is down. */
static void write_collector(struct metrics *metrics)
{
	enum gpu_state state = gpu_ask(metrics->sidecar->gpus).state;

	if (state != GPU_STATE_NONE)
		metric_put(metrics, state == GPU_STATE_OK);
}

static void write_state(struct metrics *metrics)
{
	metric_put_states(metrics, gpu_look(metrics->sidecar->gpus).state, GPU_STATES,
			  gpu_state_name);
}

static void write_age(struct metrics *metrics)
{
	uint64_t time = gpu_look(metrics->sidecar->gpus).sample->time;

	if (time)
		metric_put(metrics, metric_seconds(clock_monotonic() - time));
}

static void write_restarts(struct metrics *metrics)
{
	struct gpu_view view = gpu_look(metrics->sidecar->gpus);

	if (view.state != GPU_STATE_NONE)
		metric_put(metrics, (double)view.restarts);
}

static void write_timeouts(struct metrics *metrics)
{
	struct gpu_view view = gpu_look(metrics->sidecar->gpus);

	if (view.state != GPU_STATE_NONE)
		metric_put(metrics, (double)view.timeouts);
}

#define PLACE "gpu", "mig"

const struct metric_family gpu_metrics[] = {
	METRIC("muster_gpu_collector_up", GAUGE, "", write_collector,
	       "1 when the driver answers; absent where there is no GPU."),
	METRIC("muster_gpu_collector_state", STATESET, "", write_state,
	       "Whether there are GPUs, and whether the driver answers."),
	METRIC("muster_gpu_collector_age_seconds", GAUGE, "seconds", write_age,
	       "Age of what is told of GPUs here."),
	METRIC("muster_gpu_collector_restarts", COUNTER, "", write_restarts,
	       "Times the process that asks the driver had to be started again."),
	METRIC("muster_gpu_collector_timeouts", COUNTER, "", write_timeouts,
	       "Times it was ended because a call to the driver did not return."),
	METRIC("muster_gpu", INFO, "", write_info, "A GPU.", "gpu", "uuid", "name",
	       "compute_capability", "driver"),
	METRIC("muster_gpu_mig", INFO, "", write_mig_info, "An instance of a GPU.", PLACE, "uuid",
	       "name"),
	METRIC("muster_gpu_up", GAUGE, "", write_up, "0 when the driver says that it is lost.",
	       PLACE),
	METRIC("muster_gpu_utilization_ratio", GAUGE, "ratio", write_utilization,
	       "Part of the time in which something was computed.", PLACE),
	METRIC("muster_gpu_memory_used_bytes", GAUGE, "bytes", write_memory_used, "Memory in use.",
	       PLACE),
	METRIC("muster_gpu_memory_total_bytes", GAUGE, "bytes", write_memory_total,
	       "Memory there is.", PLACE),
	METRIC("muster_gpu_temperature_celsius", GAUGE, "celsius", write_temperature,
	       "Temperature of the chip.", PLACE),
	METRIC("muster_gpu_power_watts", GAUGE, "watts", write_power, "Power drawn.", PLACE),
	METRIC("muster_gpu_energy_joules", COUNTER, "joules", write_energy,
	       "Energy drawn since the driver was loaded.", PLACE),
	METRIC("muster_gpu_ecc_errors", COUNTER, "", write_ecc,
	       "Memory errors since the driver was loaded.", PLACE, "type"),
	METRIC("muster_gpu_xid_errors", COUNTER, "", write_xids,
	       "Xids, errors that the driver numbers, by number.", "gpu", "xid"),
	METRIC("muster_gpu_service_memory_bytes", GAUGE, "bytes", write_users,
	       "Memory in use by the processes of a service; no service: of others.", PLACE,
	       "service"),
	METRIC_END,
};
