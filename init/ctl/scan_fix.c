/* SPDX-License-Identifier: MIT */
#include "scan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fd.h"

#define CONTEXT 3 /* lines around a change */

struct diff {
	FILE *out;
	const char *text;
	size_t size;
	const struct scan_edit *edits;
	size_t count;
};

/* ---- lines ---- */

static size_t next_line(const struct diff *diff, size_t at)
{
	const char *end = memchr(diff->text + at, '\n', diff->size - at);

	return end ? (size_t)(end - diff->text) + 1 : diff->size;
}

static size_t line_start(const struct diff *diff, size_t at)
{
	while (at && diff->text[at - 1] != '\n')
		at--;
	return at;
}

static void print_end(const struct diff *diff, size_t end)
{
	if (end == diff->size && diff->text[end - 1] != '\n')
		fputs("\n\\ No newline at end of file\n", diff->out);
}

static void print_lines(const struct diff *diff, size_t from, size_t to, char sign)
{
	size_t end;

	for (; from < to; from = end) {
		end = next_line(diff, from);
		fputc(sign, diff->out);
		fwrite(diff->text + from, 1, end - from, diff->out);
		print_end(diff, end);
	}
}

/* text[from, to) with its edits, those from *edit on, done. */
static void print_edited(const struct diff *diff, size_t from, size_t to, size_t *edit)
{
	for (; *edit < diff->count && diff->edits[*edit].at < to; (*edit)++) {
		const struct scan_edit *one = &diff->edits[*edit];

		fwrite(diff->text + from, 1, one->at - from, diff->out);
		fputs(one->text, diff->out);
		from = one->at + one->len;
	}
	fwrite(diff->text + from, 1, to - from, diff->out);
}

/* ---- hunks ---- */

/* Lines that belong together: changes with at most twice the context between them. */
struct hunk {
	size_t from, to; /* in the text */
	unsigned first;  /* number of its first line */
	unsigned lines;
	size_t edit, edits; /* of diff->edits */
};

static size_t lines_back(const struct diff *diff, size_t at, unsigned count, unsigned *went)
{
	for (*went = 0; *went < count && at; (*went)++)
		at = line_start(diff, at - 1);
	return at;
}

/* Extends the hunk to the lines behind its last change; `at` is the start of that line. */
static void extend(const struct diff *diff, struct hunk *hunk, size_t at)
{
	size_t end = next_line(diff, at);

	for (unsigned i = 0; i < CONTEXT && end < diff->size; i++)
		end = next_line(diff, end);
	hunk->to = end;
}

static unsigned count_lines(const struct diff *diff, size_t from, size_t to)
{
	unsigned lines = 0;

	for (; from < to; from = next_line(diff, from))
		lines++;
	return lines;
}

static void print_hunk(const struct diff *diff, const struct hunk *hunk)
{
	size_t at = hunk->from, edit = hunk->edit, end;

	fprintf(diff->out, "@@ -%u,%u +%u,%u @@\n", hunk->first, hunk->lines, hunk->first,
		hunk->lines);
	for (; at < hunk->to; at = end) {
		end = next_line(diff, at);
		if (edit >= hunk->edit + hunk->edits || diff->edits[edit].at >= end) {
			print_lines(diff, at, end, ' ');
			continue;
		}
		print_lines(diff, at, end, '-');
		fputc('+', diff->out);
		print_edited(diff, at, end, &edit);
		print_end(diff, end);
	}
}

void scan_diff(FILE *out, const char *path, const char *text, size_t size,
	       const struct scan_edit *edits, size_t count)
{
	const struct diff diff = {out, text, size, edits, count};
	struct hunk hunk;
	size_t edit = 0, counted = 0, line;
	unsigned lines = 0, went;

	while (*path == '/' || strncmp(path, "./", 2) == 0)
		path++;
	fprintf(out, "--- a/%s\n+++ b/%s\n", path, path);
	while (edit < count) {
		line = line_start(&diff, edits[edit].at);
		hunk = (struct hunk){.edit = edit};
		hunk.from = lines_back(&diff, line, CONTEXT, &went);
		lines += count_lines(&diff, counted, hunk.from);
		counted = hunk.from;
		hunk.first = lines + 1;
		extend(&diff, &hunk, line);
		while (++edit < count && lines_back(&diff, line_start(&diff, edits[edit].at),
						    CONTEXT, &went) <= hunk.to)
			extend(&diff, &hunk, line_start(&diff, edits[edit].at));
		hunk.edits = edit - hunk.edit;
		hunk.lines = count_lines(&diff, hunk.from, hunk.to);
		print_hunk(&diff, &hunk);
	}
}

/* ---- writing ---- */

static int write_edited(int fd, const char *text, size_t size, const struct scan_edit *edits,
			size_t count)
{
	size_t from = 0;
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		rc = fd_write_all(fd, text + from, edits[i].at - from);
		if (!rc)
			rc = fd_write_all(fd, edits[i].text, strlen(edits[i].text));
		from = edits[i].at + edits[i].len;
	}
	return rc ? rc : fd_write_all(fd, text + from, size - from);
}

/* NULL, or why the file is not to be replaced by another. */
static const char *refuse(int folder, const char *name, int fd, struct stat *status)
{
	struct stat now;

	if (fstat(fd, status) != 0 || fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW) != 0)
		return strerror(errno);
	if (S_ISLNK(now.st_mode))
		return "it is a symbolic link: name the file itself";
	if (now.st_dev != status->st_dev || now.st_ino != status->st_ino)
		return "another file has taken its place";
	if (status->st_nlink > 1)
		return "it has other names (hard links) that would keep the old text";
	/* one that may not be written must not be replaced either */
	return faccessat(folder, name, W_OK, 0) == 0 ? NULL : strerror(errno);
}

static const char *keep_owner_and_mode(int fd, const struct stat *status)
{
	struct stat own;

	if (fstat(fd, &own) != 0)
		return strerror(errno);
	if ((own.st_uid != status->st_uid || own.st_gid != status->st_gid) &&
	    fchown(fd, status->st_uid, status->st_gid) != 0)
		return "its owner could not be kept";
	return fchmod(fd, status->st_mode & 07777) == 0 ? NULL : strerror(errno);
}

/* A new file beside the old one; its name goes into `temporary`. */
static int create_beside(int folder, char temporary[64])
{
	int fd = -1;

	for (unsigned try = 0; try < 100 && fd < 0; try++) {
		snprintf(temporary, 64, ".muster-scan.%ld.%u", (long)getpid(), try);
		fd = openat(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			    0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	return fd;
}

const char *scan_replace(int folder, const char *name, int fd, const char *text, size_t size,
			 const struct scan_edit *edits, size_t count)
{
	struct stat status;
	char temporary[64];
	const char *why = refuse(folder, name, fd, &status);
	int out, rc;

	if (why)
		return why;
	out = create_beside(folder, temporary);
	if (out < 0)
		return strerror(errno);
	rc = write_edited(out, text, size, edits, count);
	why = rc ? strerror(-rc) : keep_owner_and_mode(out, &status);
	if (!why && fsync(out) != 0)
		why = strerror(errno);
	if (close(out) != 0 && !why)
		why = strerror(errno);
	if (!why && renameat(folder, temporary, folder, name) != 0)
		why = strerror(errno);
	if (why)
		unlinkat(folder, temporary, 0);
	return why;
}
