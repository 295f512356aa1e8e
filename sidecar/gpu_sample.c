/* SPDX-License-Identifier: MIT */
#include "gpu_sample.h"

#include <stdio.h>
#include <stdlib.h>

#include "facts.h"
#include "mem.h"
#include "processes.h"
#include "sidecar.h"
#include "snapshot.h"

/* ---- from messages ---- */

static void end_text(char text[NVML_TEXT_SIZE])
{
	text[NVML_TEXT_SIZE - 1] = '\0';
}

static bool makes_sense(const struct gpu_sample *sample, const struct gpu_device *device)
{
	if (device->index >= GPU_MAX || device->mig > GPU_MIG_MAX ||
	    sample_find(sample, device->index, device->mig))
		return false;
	return device->mig == 0 ||
	       (sample->count && sample->list[sample->count - 1].device.index == device->index);
}

void sample_add_device(struct gpu_sample *sample, const struct gpu_device *device)
{
	struct gpu_entry *entry;

	if (!makes_sense(sample, device))
		return;
	sample->list = mem_resize(sample->list, sample->count + 1, sizeof(*sample->list));
	entry = &sample->list[sample->count++];
	*entry = (struct gpu_entry){.device = *device};
	end_text(entry->device.uuid);
	end_text(entry->device.name);
	if (entry->device.utilization > 100)
		entry->device.utilization = 100;
}

void sample_add_processes(struct gpu_sample *sample, const struct gpu_processes *processes)
{
	struct gpu_entry *entry = sample->count ? &sample->list[sample->count - 1] : NULL;
	uint32_t count = processes->count;

	if (!entry || entry->users || count > GPU_PROCESSES_MAX ||
	    entry->device.index != processes->index || entry->device.mig != processes->mig)
		return;
	entry->more = processes->more;
	entry->users = mem_alloc((count + 1) * sizeof(*entry->users));
	entry->user_count = count;
	for (uint32_t i = 0; i < count; i++) {
		entry->users[i].pid = processes->list[i].pid;
		entry->users[i].ours = processes->list[i].ours != 0;
		entry->users[i].memory = processes->list[i].memory;
	}
}

const struct gpu_entry *sample_find(const struct gpu_sample *sample, uint32_t index, uint32_t mig)
{
	for (uint32_t i = 0; i < sample->count; i++)
		if (sample->list[i].device.index == index && sample->list[i].device.mig == mig)
			return &sample->list[i];
	return NULL;
}

void sample_free(struct gpu_sample *sample)
{
	for (uint32_t i = 0; i < sample->count; i++)
		free(sample->list[i].users);
	free(sample->list);
	*sample = (struct gpu_sample){0};
}

/* ---- whose processes ---- */

static void name_service(struct gpu_user *user, const struct sidecar *sidecar,
			 const struct view *view)
{
	int32_t index;

	if (!user->ours || user->pid > INT32_MAX)
		return;
	processes_refresh(sidecar->processes, view, false);
	index = processes_owner(sidecar->processes, (int32_t)user->pid);
	if (index >= 0 && view_is_shown(view, (uint32_t)index))
		snprintf(user->service, sizeof(user->service), "%s", view->records[index].name);
}

void sample_name_services(struct gpu_sample *sample, const struct sidecar *sidecar)
{
	const struct view *view = snapshot_refresh(sidecar->snapshot);

	if (!view->present || !facts_same_processes(sidecar))
		return;
	for (uint32_t i = 0; i < sample->count; i++)
		for (uint32_t j = 0; j < sample->list[i].user_count; j++)
			name_service(&sample->list[i].users[j], sidecar, view);
}
