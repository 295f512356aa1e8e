/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <link.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEGMENTS_MAX 16 /* of all loaded objects: three each, and no more stack than that */

struct segments {
	struct {
		uintptr_t begin, size;
	} list[SEGMENTS_MAX];
	unsigned count;
	uintptr_t page;
};

/* Of one loaded object: its segments that cannot have been written to. */
static int note_segments(struct dl_phdr_info *info, size_t size, void *data)
{
	struct segments *found = data;

	(void)size;
	for (unsigned i = 0; i < info->dlpi_phnum && found->count < SEGMENTS_MAX; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t begin = (uintptr_t)(info->dlpi_addr + segment->p_vaddr);
		uintptr_t end = begin + (uintptr_t)segment->p_memsz;

		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		begin -= begin % found->page;
		found->list[found->count].begin = begin;
		found->list[found->count++].size = end - begin;
	}
	return 0;
}

/* What is called meanwhile comes back, and what lies around it too: that is as little as can be. */
void memory_give_back_code(void)
{
	struct segments found = {.page = (uintptr_t)sysconf(_SC_PAGESIZE)};

	dl_iterate_phdr(note_segments, &found);
	for (unsigned i = 0; i < found.count; i++)
		madvise((void *)found.list[i].begin, found.list[i].size, MADV_DONTNEED);
}
