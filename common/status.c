/* SPDX-License-Identifier: MIT */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * A generation per header and record makes each a seqlock. The writer's plain stores lie between
 * two fences; readers copy word by word with atomic loads, so that the compiler can neither merge,
 * repeat nor move them, and look at the generation on both sides.
 */
#define TEMPORARY_FILE "." STATUS_FILE ".new"
#define READ_TRIES     2000
#define READ_SPINS     50 /* of these, so many without giving the writer the processor */

/* ---- writer ---- */

/* Makes the file `size` zero bytes long with all its blocks reserved: a full file system must fail
 * here, not as SIGBUS at a store in PID 1. */
static int file_reserve(int fd, size_t size)
{
	static const char zeros[4096];
	size_t done = 0, part;
	ssize_t n;

	if (fallocate(fd, 0, 0, (off_t)size) == 0)
		return 0;
	if (errno != EOPNOTSUPP && errno != ENOSYS && errno != EINVAL)
		return -errno;
	while (done < size) {
		part = size - done < sizeof(zeros) ? size - done : sizeof(zeros);
		n = pwrite(fd, zeros, part, (off_t)done);
		if (n <= 0)
			return n < 0 ? -errno : -ENOSPC;
		done += (size_t)n;
	}
	return 0;
}

/* Opens the page's file under its temporary name. A descriptor or -errno. */
static int file_create(int dirfd, size_t size)
{
	int fd, error;

	unlinkat(dirfd, TEMPORARY_FILE, 0); /* what an init that died here has left */
	fd = openat(dirfd, TEMPORARY_FILE, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    0644);
	if (fd < 0)
		return -errno;
	error = fchmod(fd, 0644) < 0 ? -errno : file_reserve(fd, size);
	if (error) {
		close(fd);
		unlinkat(dirfd, TEMPORARY_FILE, 0);
		return error;
	}
	return fd;
}

static int page_map(struct status_page *page, int fd, size_t size)
{
	int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	page->map = map;
	page->size = size;
	return 0;
}

static int page_map_file(struct status_page *page, int dirfd, size_t size)
{
	int fd = file_create(dirfd, size);
	int error;

	if (fd < 0)
		return fd;
	error = page_map(page, fd, size);
	close(fd);
	if (error)
		unlinkat(dirfd, TEMPORARY_FILE, 0);
	return error;
}

int status_page_create(struct status_page *page, int dirfd, uint32_t records, uint32_t edges)
{
	uint64_t offset =
		sizeof(struct status_header) + (uint64_t)records * sizeof(struct status_record);
	uint64_t size = offset + (uint64_t)edges * sizeof(struct status_edge);
	struct status_header *header;
	int error;

	*page = (struct status_page){0};
	if (offset > UINT32_MAX || size > UINT32_MAX)
		return -EOVERFLOW;
	error = dirfd < 0 ? page_map(page, -1, (size_t)size)
			  : page_map_file(page, dirfd, (size_t)size);
	if (error)
		return error;
	header = page->map;
	memcpy(header->magic, STATUS_MAGIC, sizeof(header->magic));
	header->version = STATUS_VERSION;
	header->header_size = sizeof(struct status_header);
	header->record_size = sizeof(struct status_record);
	header->record_count = records;
	header->edge_offset = (uint32_t)offset;
	header->edge_count = edges;
	header->exit_code = -1;
	return 0;
}

int status_page_publish(struct status_page *page, int dirfd)
{
	if (!page->map)
		return -EINVAL;
	if (dirfd < 0)
		return 0;
	return renameat(dirfd, TEMPORARY_FILE, dirfd, STATUS_FILE) < 0 ? -errno : 0;
}

void status_page_retire(struct status_page *page)
{
	if (!page->map)
		return;
	status_header_begin(page)->replaced = 1;
	status_header_end(page);
	status_page_close(page);
}

static void generation_begin(uint32_t *generation)
{
	uint32_t odd = __atomic_load_n(generation, __ATOMIC_RELAXED) | 1;

	__atomic_store_n(generation, odd, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* no later store is seen before the odd number */
}

static void generation_end(uint32_t *generation)
{
	uint32_t odd = __atomic_load_n(generation, __ATOMIC_RELAXED);

	__atomic_store_n(generation, odd + 1, __ATOMIC_RELEASE);
}

/* Comes after the write itself: who sees the new count, sees what changed. */
static void changes_increase(struct status_header *header)
{
	uint32_t changes = __atomic_load_n(&header->changes, __ATOMIC_RELAXED);

	__atomic_store_n(&header->changes, changes + 1, __ATOMIC_RELEASE);
}

struct status_header *status_header_begin(struct status_page *page)
{
	struct status_header *header = page->map;

	generation_begin(&header->generation);
	return header;
}

void status_header_end(struct status_page *page)
{
	struct status_header *header = page->map;

	generation_end(&header->generation);
	changes_increase(header);
}

static struct status_record *record_of_writer(struct status_page *page, uint32_t index)
{
	char *first = (char *)page->map + sizeof(struct status_header);

	return (struct status_record *)(void *)first + index;
}

struct status_record *status_record_begin(struct status_page *page, uint32_t index)
{
	struct status_record *record = record_of_writer(page, index);

	generation_begin(&record->generation);
	return record;
}

void status_record_end(struct status_page *page, uint32_t index)
{
	generation_end(&record_of_writer(page, index)->generation);
	changes_increase(page->map);
}

struct status_edge *status_edges(struct status_page *page)
{
	const struct status_header *header = page->map;

	return (struct status_edge *)(void *)((char *)page->map + header->edge_offset);
}

/* ---- reader ---- */

/* A later writer of the same version may append fields: sizes may be larger, never smaller. */
static int page_check(const struct status_page *page)
{
	const struct status_header *header = page->map;
	uint64_t records_end, edges_end;

	if (memcmp(header->magic, STATUS_MAGIC, sizeof(header->magic)) != 0 ||
	    header->version != STATUS_VERSION)
		return -EPROTO;
	if (header->header_size < sizeof(struct status_header) || header->header_size % 8 ||
	    header->record_size < sizeof(struct status_record) || header->record_size % 8 ||
	    header->edge_offset % 8)
		return -EPROTO;
	records_end = header->header_size + (uint64_t)header->record_count * header->record_size;
	edges_end = header->edge_offset + (uint64_t)header->edge_count * sizeof(struct status_edge);
	if (records_end > header->edge_offset || edges_end > page->size)
		return -EPROTO;
	return 0;
}

static int file_open(const char *dir)
{
	int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (dirfd < 0)
		return -errno;
	/* whatever lies there must not make us wait */
	fd = openat(dirfd, STATUS_FILE, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		fd = -errno;
	close(dirfd);
	return fd;
}

int status_page_open(struct status_page *page, const char *dir)
{
	struct stat st;
	void *map;
	int fd = file_open(dir);
	int error;

	*page = (struct status_page){0};
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size < sizeof(struct status_header)) {
		close(fd);
		return -EPROTO;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	error = map == MAP_FAILED ? -errno : 0;
	close(fd);
	if (error)
		return error;
	*page = (struct status_page){.map = map, .size = (size_t)st.st_size};
	error = page_check(page);
	if (error)
		status_page_close(page);
	return error;
}

void status_page_close(struct status_page *page)
{
	if (page->map)
		munmap(page->map, page->size);
	*page = (struct status_page){0};
}

typedef uint64_t __attribute__((may_alias)) word;

/* Both sides are aligned and `size` is a multiple of a word. */
static void words_copy(void *to, const void *from, size_t size)
{
	const word *source = from;
	word *target = to;
	size_t i;

	for (i = 0; i < size / sizeof(*target); i++)
		target[i] = __atomic_load_n(source + i, __ATOMIC_RELAXED);
}

/* The reader's half of the seqlock. */
static int stable_copy(void *to, const void *from, size_t size, const uint32_t *generation)
{
	uint32_t before, after;
	unsigned try;

	for (try = 0; try < READ_TRIES; try++) {
		before = __atomic_load_n(generation, __ATOMIC_ACQUIRE);
		if (!(before & 1)) {
			words_copy(to, from, size);
			__atomic_thread_fence(__ATOMIC_ACQUIRE);
			after = __atomic_load_n(generation, __ATOMIC_RELAXED);
			if (before == after)
				return 0;
		}
		if (try >= READ_SPINS)
			sched_yield();
	}
	return -EAGAIN;
}

int status_read_header(const struct status_page *page, struct status_header *out)
{
	const struct status_header *header = page->map;

	return stable_copy(out, header, sizeof(*out), &header->generation);
}

static const struct status_record *record_at(const struct status_page *page, uint32_t index)
{
	const struct status_header *header = page->map;
	const char *first = (const char *)page->map + header->header_size;

	return (const void *)(first + (size_t)index * header->record_size);
}

int status_read_record(const struct status_page *page, uint32_t index, struct status_record *out)
{
	const struct status_header *header = page->map;
	const struct status_record *record;

	if (index >= header->record_count)
		return -ERANGE;
	record = record_at(page, index);
	return stable_copy(out, record, sizeof(*out), &record->generation);
}

int status_read_edge(const struct status_page *page, uint32_t index, struct status_edge *out)
{
	const struct status_header *header = page->map;
	const char *edges = (const char *)page->map + header->edge_offset;

	if (index >= header->edge_count)
		return -ERANGE;
	memcpy(out, edges + index * sizeof(*out), sizeof(*out));
	return 0;
}
