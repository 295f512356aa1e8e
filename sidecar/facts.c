/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "counters.h"
#include "mem.h"
#include "probe.h"
#include "proc_stat.h"
#include "reach.h"
#include "sidecar.h"
#include "snapshot.h"

/* Index in the view of the service that a probe is for, or -1. */
static int index_of(const struct probe *probe, const struct view *view)
{
	const char *name = probe->spec.name;
	uint32_t index = probe->spec.service;

	if (index < view->header.record_count &&
	    (!*name || strcmp(view->records[index].name, name) == 0))
		return (int)index;
	return *name ? view_find(view, name) : -1;
}

static bool says_more(const struct probe *probe, const struct probe *than)
{
	static const uint8_t rank[ROLE_COUNT] = {
		[ROLE_READINESS] = 3, [ROLE_STARTUP] = 2, [ROLE_LIVENESS] = 1};

	if (!than)
		return true;
	if (probe->spec.role >= ROLE_COUNT || than->spec.role >= ROLE_COUNT)
		return false;
	if (probe->spec.role == than->spec.role) /* of several the one that fails */
		return than->last.ok && probe->last_time && !probe->last.ok;
	return rank[probe->spec.role] > rank[than->spec.role];
}

const struct probe **facts_probes(const struct prober *prober, const struct view *view)
{
	const struct probe **list =
		mem_alloc((view->header.record_count + 1) * sizeof(const struct probe *));
	const struct probe *probe = NULL;

	while (view->present && (probe = prober_next(prober, probe))) {
		int index = index_of(probe, view);

		if (index >= 0 && says_more(probe, list[index]))
			list[index] = probe;
	}
	return list;
}

uint64_t facts_own_memory(void)
{
	struct proc_stat own;

	return proc_stat_read(&own, "/proc", getpid()) ? proc_resident("/proc", &own)
						       : COUNTER_UNKNOWN;
}

/* A sidecar in another container mostly sees its own processes only, unless a tree was given. */
bool facts_same_processes(const struct sidecar *sidecar)
{
	bool same =
		sidecar->reach ? reach_same_processes(sidecar->reach) : sidecar->channel != NULL;

	return same || strcmp(sidecar->options.proc_root, "/proc") != 0;
}
