/* SPDX-License-Identifier: MIT */
/*
 * The bytes are a status page that somebody else has written: readers must survive any. With the
 * first byte odd, the header is put right first, so that records and edges are reached sooner.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "folder.h"
#include "status.h"
#include "timeline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[FOLDER_SIZE];
static char path[sizeof(dir) + sizeof("/" STATUS_FILE)];

static void remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

static void put_right(struct status_header *header)
{
	memcpy(header->magic, STATUS_MAGIC, sizeof(header->magic));
	header->version = STATUS_VERSION;
	header->generation &= ~1U;
	header->header_size = sizeof(struct status_header);
	header->record_size = sizeof(struct status_record);
	header->record_count &= 7;
	header->edge_count &= 7;
	header->edge_offset =
		header->header_size + header->record_count * (uint32_t)sizeof(struct status_record);
}

static void page_write(const uint8_t *data, size_t size)
{
	struct status_header header;
	int fd;

	if (!*path) {
		folder_make(dir);
		snprintf(path, sizeof(path), "%s/" STATUS_FILE, dir);
		atexit(remove_dir);
	}
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	if (size >= sizeof(header) && (data[0] & 1)) {
		memcpy(&header, data, sizeof(header));
		put_right(&header);
		if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
			abort();
	}
	close(fd);
}

static void page_read(const struct status_page *page)
{
	struct status_header header;
	struct status_record record;
	struct status_edge edge;
	struct timeline timeline;

	if (status_read_header(page, &header) < 0)
		return;
	for (uint32_t i = 0; i < header.record_count && i < 64; i++)
		status_read_record(page, i, &record);
	for (uint32_t i = 0; i < header.edge_count && i < 64; i++)
		status_read_edge(page, i, &edge);
	if (timeline_build(&timeline, page) == 0)
		timeline_free(&timeline);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct status_page page;

	page_write(data, size);
	if (status_page_open(&page, dir) == 0) {
		page_read(&page);
		status_page_close(&page);
	}
	return 0;
}
