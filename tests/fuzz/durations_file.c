/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a file of durations that an earlier init has left, or somebody else. What is taken
 * of it can be found by its name, its medians lie among its numbers, and what is written next is a
 * file that is read again, in which each run is one column older.
 */
#include "durations.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "clock.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS 8

static char path[32];

static int make_file(void)
{
	int fd = memfd_create("durations", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return fd;
}

static void put_file(int fd, const uint8_t *data, size_t size)
{
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
}

static void check_median(const struct duration *entry)
{
	for (unsigned from = 0; from < DURATIONS_RUNS; from++) {
		uint32_t median = duration_typical(entry, from);
		unsigned below = 0, above = 0, known = 0;

		for (unsigned run = from; run < DURATIONS_RUNS; run++) {
			known += entry->ms[run] != DURATIONS_NONE;
			below += entry->ms[run] <= median && entry->ms[run] != DURATIONS_NONE;
			above += entry->ms[run] >= median && entry->ms[run] != DURATIONS_NONE;
		}
		if (known ? 2 * below < known || 2 * above < known : median != DURATIONS_NONE)
			abort();
	}
}

static void check_entries(const struct durations *durations)
{
	for (uint32_t i = 0; i < durations->count; i++) {
		const struct duration *entry = &durations->entries[i];
		const struct duration *found = durations_find(durations, entry->name);

		if (!found || strcmp(found->name, entry->name) != 0)
			abort();
		check_median(entry);
	}
}

/* A page of services with the names of the first entries; some were ready after `ms`. */
static void fill_page(struct status_page *page, const struct durations *durations, uint32_t count,
		      const uint8_t *data, size_t size)
{
	status_header_begin(page)->boot = 7;
	status_header_end(page);
	for (uint32_t i = 0; i < count; i++) {
		struct status_record *record = status_record_begin(page, i);
		uint32_t ms = data[i % size];

		memcpy(record->name, durations->entries[i].name, sizeof(record->name));
		if (ms & 1) {
			record->start_begin = 5;
			record->ready_at = 5 + msec(ms);
		}
		status_record_end(page, i);
	}
}

static void check_older(const struct durations *before, const struct durations *after,
			uint32_t count, const uint8_t *data, size_t size)
{
	if (after->boot != 7)
		abort();
	for (uint32_t i = 0; i < count; i++) {
		const char *name = before->entries[i].name;
		const struct duration *was = durations_find(before, name);
		const struct duration *is = durations_find(after, name);
		uint32_t ms = data[i % size] & 1 ? data[i % size] : DURATIONS_NONE;

		if (ms == DURATIONS_NONE && duration_typical(was, 0) == DURATIONS_NONE) {
			if (is)
				abort();
			continue;
		}
		if (!is || is->ms[0] != ms ||
		    memcmp(&is->ms[1], &was->ms[0], sizeof(is->ms) - sizeof(is->ms[0])) != 0)
			abort();
	}
}

/* Names that come twice in a file are no file of ours: which of them is meant is not said. */
static bool is_ours(const struct durations *durations)
{
	for (uint32_t i = 1; i < durations->count; i++)
		if (strcmp(durations->entries[i - 1].name, durations->entries[i].name) == 0)
			return false;
	return true;
}

static void check_written(int fd, const struct durations *before, const uint8_t *data, size_t size)
{
	uint32_t count = before->count < RECORDS ? before->count : RECORDS;
	struct durations after;
	struct status_page page;

	if (status_page_create(&page, -1, count, 0) < 0)
		abort();
	fill_page(&page, before, count, data, size);
	put_file(fd, data, 0);
	if (lseek(fd, 0, SEEK_SET) < 0 || durations_write(fd, &page, before) < 0 ||
	    durations_read(&after, path) < 0)
		abort();
	check_older(before, &after, count, data, size);
	durations_free(&after);
	status_page_retire(&page);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct durations durations;

	if (fd < 0)
		fd = make_file();
	put_file(fd, data, size);
	if (durations_read(&durations, path) < 0) {
		if (durations.count || durations.entries)
			abort();
		return 0;
	}
	check_entries(&durations);
	if (is_ours(&durations))
		check_written(fd, &durations, data, size);
	durations_free(&durations);
	return 0;
}
