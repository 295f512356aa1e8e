/* SPDX-License-Identifier: MIT */
#include "tally.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "states.h"

struct tally *tally_begin(struct tallies *tallies, const struct probe_spec *spec)
{
	struct tally **at = &tallies->first;

	while (*at && ((*at)->role != spec->role || strcmp((*at)->name, spec->name) != 0))
		at = &(*at)->next;
	if (!*at) {
		*at = mem_alloc(sizeof(**at));
		memcpy((*at)->name, spec->name, sizeof((*at)->name));
		(*at)->role = spec->role;
	}
	(*at)->probes++;
	(*at)->http |= spec->kind == PROBE_HTTP;
	return *at;
}

void tally_count(struct tally *tally, const struct probe_spec *spec, const struct outcome *last,
		 const struct outcome *now)
{
	tally->checks++;
	tally->faults[now->fault]++;
	tally->passing += (uint32_t)now->ok - (uint32_t)last->ok;
	if (spec->kind == PROBE_HTTP)
		tally->status = now->status;
	if (!now->ok)
		return;
	tally->last_success = clock_realtime();
	latency_add(&tally->latency, now->latency);
}

void tally_certificate(struct tally *tally, int64_t last, int64_t now)
{
	if (!tally->tls_expiry || tally->tls_expiry == last || now < tally->tls_expiry)
		tally->tls_expiry = now;
}

void tally_end(struct tally *tally, const struct outcome *last)
{
	tally->probes--;
	tally->passing -= last->ok;
}

void tallies_forget(struct tallies *tallies, tally_gone *gone, const void *data)
{
	struct tally **at = &tallies->first;

	while (*at) {
		struct tally *tally = *at;

		if (tally->probes || !gone(data, tally->name)) {
			at = &tally->next;
			continue;
		}
		*at = tally->next;
		free(tally);
	}
}
