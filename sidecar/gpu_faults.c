/* SPDX-License-Identifier: MIT */
#include "gpu_faults.h"

#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

static struct gpu_fault *find(struct gpu_faults *faults, uint32_t index, bool ecc, uint64_t xid)
{
	for (uint32_t i = 0; i < faults->count; i++) {
		struct gpu_fault *fault = &faults->list[i];

		if (fault->index == index && fault->ecc == ecc && fault->xid == xid)
			return fault;
	}
	return NULL;
}

static struct gpu_fault *add(struct gpu_faults *faults, uint32_t index, bool ecc, uint64_t xid)
{
	struct gpu_fault *fault;

	faults->list = mem_resize(faults->list, faults->count + 1, sizeof(*faults->list));
	fault = &faults->list[faults->count++];
	*fault = (struct gpu_fault){.index = index, .ecc = ecc, .xid = xid};
	return fault;
}

void faults_note(struct gpu_faults *faults, uint32_t index, bool ecc, uint64_t xid, uint64_t times,
		 uint64_t now)
{
	struct gpu_fault *fault = find(faults, index, ecc, xid);

	/* the last places are for what has none of its own, one for each GPU */
	if (!fault && !ecc && faults->count >= GPU_FAULTS_MAX) {
		xid = GPU_XID_OTHER;
		fault = find(faults, index, ecc, xid);
	}
	if (!fault)
		fault = add(faults, index, ecc, xid);
	fault->count += times;
	fault->last = now;
}

const struct gpu_fault *faults_news(const struct gpu_faults *faults, uint64_t now)
{
	const struct gpu_fault *news = NULL;

	for (uint32_t i = 0; i < faults->count; i++) {
		const struct gpu_fault *fault = &faults->list[i];

		if (now - fault->last < GPU_FAULT_NEWS && (!news || fault->last > news->last))
			news = fault;
	}
	return news;
}

/* The numbers that are met most, in a few words; some are the program's fault, not the GPU's. */
static const char *xid_words(uint64_t xid)
{
	static const struct {
		uint16_t xid;
		const char *words;
	} table[] = {
		{13, "exception while a program was computing"},
		{31, "a program touched memory that is not there"},
		{32, "invalid or damaged stream of commands"},
		{43, "a program's work was stopped"},
		{45, "a program's work was cleaned up"},
		{48, "uncorrectable memory error"},
		{61, "breakpoint of the GPU's own controller"},
		{62, "halt of the GPU's own controller"},
		{63, "memory was taken out of use"},
		{64, "memory could not be taken out of use"},
		{74, "error of NVLink"},
		{79, "the GPU has fallen off the bus"},
		{92, "many corrected memory errors"},
		{94, "uncorrectable memory error, contained"},
		{95, "uncorrectable memory error, not contained"},
		{119, "the GPU's system processor does not answer"},
		{120, "error of the GPU's system processor"},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (table[i].xid == xid)
			return table[i].words;
	return NULL;
}

const char *fault_text(const struct gpu_fault *fault, char *buffer, size_t size)
{
	const char *words = xid_words(fault->xid);

	if (fault->ecc)
		snprintf(buffer, size, "GPU %u: uncorrected memory error", fault->index);
	else if (fault->xid == GPU_XID_OTHER)
		snprintf(buffer, size, "GPU %u: Xids of too many kinds", fault->index);
	else
		snprintf(buffer, size, "GPU %u: Xid %llu%s%s%s", fault->index,
			 (unsigned long long)fault->xid, words ? " (" : "", words ? words : "",
			 words ? ")" : "");
	return buffer;
}

void faults_free(struct gpu_faults *faults)
{
	free(faults->list);
	*faults = (struct gpu_faults){0};
}
