/* SPDX-License-Identifier: MIT */
#include "durations.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "fd.h"
#include "str.h"

#define HEAD      "muster-durations 1 "
#define LINE_SIZE (STATUS_NAME_MAX + DURATIONS_RUNS * 11 + 2)

/* ---- reading ---- */

static int compare(const void *left, const void *right)
{
	return strcmp(((const struct duration *)left)->name,
		      ((const struct duration *)right)->name);
}

static bool read_line(struct duration *entry, char *line)
{
	char *rest = NULL, *word = strtok_r(line, " ", &rest);
	uint64_t ms;

	if (!word || strlen(word) >= sizeof(entry->name))
		return false;
	snprintf(entry->name, sizeof(entry->name), "%s", word);
	for (unsigned run = 0; run < DURATIONS_RUNS; run++) {
		word = strtok_r(NULL, " ", &rest);
		ms = DURATIONS_NONE;
		if (word && strcmp(word, "-") != 0 && !parse_uint(word, DURATIONS_NONE - 1, &ms))
			return false;
		entry->ms[run] = (uint32_t)ms;
	}
	return !strtok_r(NULL, " ", &rest);
}

static int parse(struct durations *durations, char *text, size_t size)
{
	char *rest = NULL, *line;

	/* each line has its newline: what was cut off in the middle is not believed */
	if (strlen(text) != size || strncmp(text, HEAD, strlen(HEAD)) != 0 ||
	    text[size - 1] != '\n')
		return -EPROTO;
	durations->entries = calloc(count_lines(text, size), sizeof(*durations->entries));
	if (!durations->entries)
		return -ENOMEM;
	line = strtok_r(text, "\n", &rest);
	if (!parse_uint(line + strlen(HEAD), UINT64_MAX, &durations->boot))
		return -EPROTO;
	while ((line = strtok_r(NULL, "\n", &rest)))
		if (!read_line(&durations->entries[durations->count++], line))
			return -EPROTO;
	if (durations->count)
		qsort(durations->entries, durations->count, sizeof(*durations->entries), compare);
	return 0;
}

int durations_read(struct durations *durations, const char *path)
{
	char *text = malloc(DURATIONS_SIZE_MAX);
	long size = text ? fd_read_file(path, text, DURATIONS_SIZE_MAX) : -ENOMEM;
	int error = size < 0 ? (int)size : 0;

	*durations = (struct durations){0};
	if (!error)
		error = parse(durations, text, (size_t)size);
	free(text);
	if (error)
		durations_free(durations);
	return error;
}

void durations_free(struct durations *durations)
{
	free(durations->entries);
	*durations = (struct durations){0};
}

/* ---- what is known ---- */

const struct duration *durations_find(const struct durations *durations, const char *name)
{
	struct duration wanted = {0};

	if (!durations->count)
		return NULL;
	snprintf(wanted.name, sizeof(wanted.name), "%s", name);
	return bsearch(&wanted, durations->entries, durations->count, sizeof(wanted), compare);
}

uint32_t duration_typical(const struct duration *duration, unsigned from)
{
	uint32_t sorted[DURATIONS_RUNS];
	unsigned count = 0, at;

	for (unsigned run = from; run < DURATIONS_RUNS; run++) {
		if (duration->ms[run] == DURATIONS_NONE)
			continue;
		for (at = count++; at > 0 && sorted[at - 1] > duration->ms[run]; at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = duration->ms[run];
	}
	return count ? sorted[(count - 1) / 2] : DURATIONS_NONE;
}

/* ---- writing ---- */

static int put_number(char *line, size_t size, uint32_t ms)
{
	return ms == DURATIONS_NONE ? snprintf(line, size, " -")
				    : snprintf(line, size, " %" PRIu32, ms);
}

/* Its length; 0: there is nothing to say. */
static size_t make_line(char *line, size_t size, const struct status_record *record,
			const struct durations *earlier)
{
	const struct duration *known = durations_find(earlier, record->name);
	uint32_t ms = DURATIONS_NONE;
	int len;

	if (record->flags & STATUS_INTERNAL)
		return 0;
	if (record->ready_at && record->start_begin && record->ready_at >= record->start_begin)
		ms = (uint32_t)((record->ready_at - record->start_begin) / NSEC_PER_MSEC %
				DURATIONS_NONE);
	if (ms == DURATIONS_NONE && (!known || duration_typical(known, 0) == DURATIONS_NONE))
		return 0;
	len = snprintf(line, size, "%.*s", STATUS_NAME_MAX - 1, record->name);
	len += put_number(line + len, size - (size_t)len, ms);
	for (unsigned run = 0; known && run + 1 < DURATIONS_RUNS; run++)
		len += put_number(line + len, size - (size_t)len, known->ms[run]);
	len += snprintf(line + len, size - (size_t)len, "\n");
	return (size_t)len;
}

int durations_write(int fd, const struct status_page *page, const struct durations *earlier)
{
	struct status_header header;
	struct status_record record;
	char text[4096];
	size_t used;
	int error = status_read_header(page, &header);

	if (error)
		return error;
	used = (size_t)snprintf(text, sizeof(text), HEAD "%" PRIu64 "\n", header.boot);
	for (uint32_t i = 0; i < header.record_count && !error; i++) {
		error = status_read_record(page, i, &record);
		if (!error && sizeof(text) - used < LINE_SIZE) {
			error = fd_write_all(fd, text, used);
			used = 0;
		}
		if (!error)
			used += make_line(text + used, sizeof(text) - used, &record, earlier);
	}
	return error ? error : fd_write_all(fd, text, used);
}

int durations_replace(int dir, int (*fill)(int fd, const void *data), const void *data)
{
	static const char temporary[] = "." DURATIONS_FILE ".new";
	int fd, error;

	unlinkat(dir, temporary, 0);
	fd = openat(dir, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	error = fill(fd, data);
	close(fd);
	if (!error && renameat(dir, temporary, dir, DURATIONS_FILE) < 0)
		error = -errno;
	if (error)
		unlinkat(dir, temporary, 0);
	return error;
}
