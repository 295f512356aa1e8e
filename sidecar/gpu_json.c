/* SPDX-License-Identifier: MIT */
#include "gpu.h"

#include <stdio.h>

#include "clock.h"
#include "gpu_read.h"
#include "values.h"

/* "gpu" and "gpus" of /status. What the driver does not tell is left out. */

static void set(json_t *value, const char *key, bool known, json_t *member)
{
	if (known)
		json_object_set_new(value, key, member);
	else
		json_decref(member);
}

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static void set_text(json_t *value, const char *key, const char *text)
{
	set(value, key, *text != '\0', value_text(text));
}

static json_t *process_value(const struct gpu_user *user)
{
	json_t *value = json_object();

	json_object_set_new(value, user->ours ? "pid" : "host_pid", number(user->pid));
	set_text(value, "service", user->service);
	set(value, "memory_bytes", user->memory != NVML_NO_VALUE, number(user->memory));
	return value;
}

static json_t *process_list(const struct gpu_entry *entry)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < entry->user_count; i++)
		json_array_append_new(list, process_value(&entry->users[i]));
	return list;
}

static void set_numbers(json_t *value, const struct gpu_device *device)
{
	uint32_t known = device->known;

	set(value, "utilization_ratio", known & GPU_HAS_UTILIZATION,
	    json_real(device->utilization / 100.0));
	set(value, "memory_used_bytes", known & GPU_HAS_MEMORY, number(device->memory_used));
	set(value, "memory_total_bytes", known & GPU_HAS_MEMORY, number(device->memory_total));
	set(value, "temperature_celsius", known & GPU_HAS_TEMPERATURE,
	    json_integer(device->temperature));
	set(value, "power_watts", known & GPU_HAS_POWER, json_real(device->power / 1e3));
	set(value, "energy_joules", known & GPU_HAS_ENERGY,
	    json_real((double)device->energy / 1e3));
}

static void set_ecc(json_t *value, const struct gpu_device *device)
{
	json_t *errors = json_object();

	set(errors, "corrected", device->known & GPU_HAS_CORRECTED, number(device->corrected));
	set(errors, "uncorrected", device->known & GPU_HAS_UNCORRECTED,
	    number(device->uncorrected));
	set(value, "ecc_errors", json_object_size(errors) > 0, errors);
}

static json_t *entry_value(const struct gpu_entry *entry)
{
	const struct gpu_device *device = &entry->device;
	uint32_t known = device->known;
	json_t *value = json_object();
	char text[32];

	json_object_set_new(value, "index", number(device->mig ? device->mig - 1 : device->index));
	set_text(value, "uuid", device->uuid);
	set_text(value, "name", device->name);
	snprintf(text, sizeof(text), "%u.%u", device->capability[0], device->capability[1]);
	set(value, "compute_capability", known & GPU_HAS_CAPABILITY, json_string(text));
	set(value, "gpu_instance", known & GPU_HAS_INSTANCES, number(device->gpu_instance));
	set(value, "compute_instance", known & GPU_HAS_INSTANCES, number(device->compute_instance));
	if (device->error)
		set_text(value, "error", gpu_code_text((int)device->error));
	set_numbers(value, device);
	set_ecc(value, device);
	set(value, "processes", known & GPU_HAS_PROCESSES, process_list(entry));
	set(value, "processes_more", entry->more != 0, number(entry->more));
	return value;
}

static json_t *xid_list(const struct gpu_faults *faults, uint32_t index)
{
	json_t *list = json_array();
	uint64_t now = clock_monotonic();

	for (uint32_t i = 0; i < faults->count; i++) {
		const struct gpu_fault *fault = &faults->list[i];
		json_t *xid = fault->xid == GPU_XID_OTHER ? json_null() : number(fault->xid);

		if (fault->index != index || fault->ecc) {
			json_decref(xid);
			continue;
		}
		json_array_append_new(list, json_pack("{s:o, s:I, s:o}", "xid", xid, "count",
						      (json_int_t)fault->count, "last_seconds_ago",
						      value_seconds(now - fault->last)));
	}
	return list;
}

json_t *gpu_list(const struct gpus *gpus)
{
	struct gpu_view view = gpu_look(gpus);
	json_t *list = json_array(), *gpu = NULL, *instances = NULL;

	for (uint32_t i = 0; i < view.sample->count; i++) {
		const struct gpu_entry *entry = &view.sample->list[i];

		if (entry->device.mig) {
			json_array_append_new(instances, entry_value(entry));
			continue;
		}
		gpu = entry_value(entry);
		instances = json_array();
		set_text(gpu, "driver", view.driver);
		set(gpu, "xid_errors", view.events, xid_list(view.faults, entry->device.index));
		json_object_set_new(gpu, "mig", instances);
		json_array_append_new(list, gpu);
	}
	return list;
}

json_t *gpu_value(const struct gpus *gpus)
{
	struct gpu_view view = gpu_look(gpus);
	uint64_t time = view.sample->time;

	return json_pack("{s:s, s:o, s:o}", "state", gpu_state_name(view.state), "reason",
			 *view.reason ? value_text(view.reason) : json_null(), "age_seconds",
			 time ? value_seconds(clock_monotonic() - time) : json_null());
}

bool gpu_add_check(json_t *checks, const struct gpus *gpus)
{
	struct gpu_view view = gpu_look(gpus);
	char warning[GPU_WARNING];
	bool warn = gpu_warning(gpus, warning);
	json_t *check;

	if (view.state == GPU_STATE_NONE && !warn)
		return false;
	check = json_pack("{s:s, s:s, s:s}", "componentType", "system", "observedValue",
			  gpu_state_name(view.state), "status", warn ? "warn" : "pass");
	if (warn)
		json_object_set_new(check, "output", value_text(warning));
	json_object_set_new(checks, "gpu:errors", json_pack("[o]", check));
	return warn;
}
