/* SPDX-License-Identifier: MIT */
#include "facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "mem.h"
#include "probe.h"
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

bool facts_usage(const char *proc_root, int pid, struct usage *usage)
{
	char path[512], line[1024];
	unsigned long long user, system, begin;
	const char *rest;
	long pages;

	if (pid <= 0 ||
	    snprintf(path, sizeof(path), "%s/%d/stat", proc_root, pid) >= (int)sizeof(path) ||
	    fd_read_file(path, line, sizeof(line)) < 0)
		return false;
	rest = strrchr(line, ')'); /* the name before it may hold anything */
	if (!rest ||
	    sscanf(rest + 1,
		   " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %*d %*d %*d %*d "
		   "%*d %*d %llu %*u %ld",
		   &user, &system, &begin, &pages) != 4)
		return false;
	usage->cpu = (user + system) * (NSEC_PER_SEC / (unsigned long long)sysconf(_SC_CLK_TCK));
	usage->begin = begin * (NSEC_PER_SEC / (unsigned long long)sysconf(_SC_CLK_TCK));
	usage->memory = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return true;
}

/* A sidecar in another container mostly sees its own processes only, unless a tree was given. */
bool facts_same_processes(const struct sidecar *sidecar)
{
	bool same =
		sidecar->reach ? reach_same_processes(sidecar->reach) : sidecar->channel != NULL;

	return same || strcmp(sidecar->options.proc_root, "/proc") != 0;
}
