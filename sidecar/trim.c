/* SPDX-License-Identifier: MIT */
#include "trim.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "loop.h"

/* Whether its text was changed when it was loaded: nobody builds such libraries any more. */
static bool has_own_text(const struct dl_phdr_info *info, const ElfW(Phdr) * segment)
{
	const ElfW(Dyn) *entry = (const void *)(info->dlpi_addr + segment->p_vaddr);

	for (; segment->p_type == PT_DYNAMIC && entry->d_tag != DT_NULL; entry++)
		if (entry->d_tag == DT_TEXTREL ||
		    (entry->d_tag == DT_FLAGS && entry->d_un.d_val & DF_TEXTREL))
			return true;
	return false;
}

/* Only of segments that were never writable: what was relocated is nowhere but in memory. */
static int trim_object(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	(void)size;
	(void)data;
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (has_own_text(info, &info->dlpi_phdr[i]))
			return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
		uintptr_t begin = (info->dlpi_addr + segment->p_vaddr) & ~(page - 1);
		uintptr_t end = info->dlpi_addr + segment->p_vaddr + segment->p_filesz;

		if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
			madvise((void *)begin, end - begin, MADV_DONTNEED);
	}
	return 0;
}

void trim_now(void)
{
	malloc_trim(0);
	dl_iterate_phdr(trim_object, NULL);
}

static uint64_t before_sleep(void *data, uint64_t now)
{
	struct trim *trim = data;

	if (now >= trim->at) {
		trim_now();
		trim->at = NEVER;
	}
	return NEVER;
}

void trim_begin(struct trim *trim, struct loop *loop)
{
	trim->at = clock_monotonic() + TRIM_SECONDS * NSEC_PER_SEC;
	loop_before_sleep(loop, before_sleep, trim);
}
