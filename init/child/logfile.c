/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "str.h"
#include "writers.h"

/* The writer of a log file: a process of its own (init/logwriter.h). */

#define REPORT_EVERY NSEC_PER_SEC

struct writer {
	const char *path;
	uint64_t max; /* 0: no limit */
	uint64_t keep;
	uint64_t limit; /* rotate here; beyond `max` after a rotation that failed */
	uint64_t size;
	struct stat st;   /* of the file that is open */
	int fd;           /* -1: none */
	bool torn;        /* what is no regular file ends within a line */
	int error;        /* why lines are dropped; 0: they are not */
	bool told;        /* init knows of that */
	uint32_t dropped; /* lines that init was not told of */
	uint64_t reported;
	uint16_t slot;
};

/* ---- telling init ---- */

static bool has_news(const struct writer *w)
{
	return w->dropped || w->told != (w->error != 0);
}

/* The pipe does not block and holds thousands; what it does not take is told later. */
static void report(struct writer *w, bool now)
{
	struct logger_report text = {w->dropped, w->slot, (uint16_t)w->error};
	uint64_t time = clock_monotonic();

	if (!has_news(w))
		return;
	if (!now && w->reported && time - w->reported < REPORT_EVERY)
		return;
	if (write(STDOUT_FILENO, &text, sizeof(text)) != sizeof(text))
		return;
	w->dropped = 0;
	w->told = w->error != 0;
	w->reported = time;
}

static void drop(struct writer *w, const char *text, size_t len, int error)
{
	w->dropped += count_lines(text, len);
	w->error = error;
}

/* ---- the file ---- */

static void close_file(struct writer *w)
{
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

/* Never waits for the reader of a FIFO: without one it fails, and a full one drops. */
static bool open_file(struct writer *w)
{
	w->fd = open(w->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
		     0640);
	if (w->fd < 0)
		return false;
	w->torn = false;
	w->limit = w->max;
	w->size = 0;
	if (fstat(w->fd, &w->st) == 0 && S_ISREG(w->st.st_mode))
		w->size = (uint64_t)w->st.st_size;
	else
		w->limit = 0; /* not ours to rename */
	return true;
}

/* Somebody moved, deleted or replaced it: lines go to what has the name now, or to a new file. */
static void follow_name(struct writer *w)
{
	struct stat st;

	if (w->fd >= 0 &&
	    (stat(w->path, &st) < 0 || st.st_ino != w->st.st_ino || st.st_dev != w->st.st_dev))
		close_file(w);
	if (w->fd < 0 && !open_file(w))
		return;
	if (fstat(w->fd, &st) == 0 && S_ISREG(st.st_mode))
		w->size = (uint64_t)st.st_size; /* it may have been truncated */
}

/* PATH.2 -> PATH.3, PATH.1 -> PATH.2, PATH -> PATH.1; with nothing to keep, PATH is emptied. */
static void rotate(struct writer *w)
{
	char from[PATH_MAX], to[PATH_MAX];
	int rc = 0;

	for (uint64_t i = w->keep; i >= 1; i--) {
		snprintf(to, sizeof(to), "%s.%llu", w->path, (unsigned long long)i);
		if (i == 1)
			snprintf(from, sizeof(from), "%s", w->path);
		else
			snprintf(from, sizeof(from), "%s.%llu", w->path,
				 (unsigned long long)(i - 1));
		rc = rename(from, to);
	}
	if (!w->keep)
		rc = ftruncate(w->fd, 0);
	if (rc < 0) { /* goes on in the same file, and tries again when that is twice as long */
		w->limit = 2 * w->size;
		w->error = errno;
		report(w, true);
		w->error = 0;
		return;
	}
	w->size = 0;
	if (!w->keep)
		return;
	close_file(w);
	if (!open_file(w))
		w->error = errno;
}

/* ---- lines ---- */

/* Takes the beginning of an unfinished line away again. What cannot be shortened gets the rest of
 * its line as a line. */
static void undo(struct writer *w, const char *text, size_t done)
{
	const char *last = memrchr(text, '\n', done);
	size_t rest = done - (last ? (size_t)(last - text) + 1 : 0);

	if (!rest)
		return;
	if (S_ISREG(w->st.st_mode) && ftruncate(w->fd, (off_t)(w->size - rest)) == 0)
		w->size -= rest;
	else
		w->torn = true;
}

static void append(struct writer *w, const char *text, size_t len)
{
	size_t done = 0, whole;
	ssize_t n = 0;
	const char *last;

	if (w->fd < 0 && !open_file(w)) {
		drop(w, text, len, errno);
		return;
	}
	if (w->torn && write(w->fd, "\n", 1) == 1)
		w->torn = false;
	while (done < len && !w->torn) {
		n = write(w->fd, text + done, len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
		w->size += (size_t)n;
	}
	if (done == len) {
		w->error = 0;
		return;
	}
	n = n < 0 || w->torn ? errno : ENOSPC;
	undo(w, text, done);
	last = memrchr(text, '\n', done);
	whole = last ? (size_t)(last - text) + 1 : 0;
	drop(w, text + whole, len - whole, (int)n);
}

/* How much of the text, in whole lines, the file still takes. */
static size_t room_for(const struct writer *w, const char *text, size_t len)
{
	uint64_t room = w->size < w->limit ? w->limit - w->size : 0;
	const char *end;

	if (!w->limit || len <= room)
		return len;
	end = memrchr(text, '\n', (size_t)room);
	return end ? (size_t)(end - text) + 1 : 0;
}

/* A rotation falls between two lines; only a line longer than a file makes a file too long. */
static void write_lines(struct writer *w, const char *text, size_t len)
{
	size_t part;

	follow_name(w);
	for (; len; text += part, len -= part) {
		const char *end = memchr(text, '\n', len);

		part = room_for(w, text, len);
		if (!part && w->size) {
			rotate(w);
			part = room_for(w, text, len);
		}
		if (!part)
			part = end ? (size_t)(end - text) + 1 : len;
		append(w, text, part);
	}
	report(w, false);
}

/* What is still to be told does not wait for the next line. */
static void wait_for_input(struct writer *w)
{
	struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};

	while (has_news(w) && poll(&p, 1, (int)(REPORT_EVERY / NSEC_PER_MSEC)) == 0)
		report(w, true);
}

static void copy_lines(struct writer *w)
{
	static char buffer[65536];
	size_t used = 0;
	ssize_t n;

	for (;;) {
		char *last;
		size_t whole;

		wait_for_input(w);
		n = read(STDIN_FILENO, buffer + used, sizeof(buffer) - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		used += (size_t)n;
		last = memrchr(buffer, '\n', used);
		whole = last ? (size_t)(last - buffer) + 1 : used == sizeof(buffer) ? used : 0;
		if (whole)
			write_lines(w, buffer, whole);
		memmove(buffer, buffer + whole, used - whole);
		used -= whole;
	}
	if (used)
		write_lines(w, buffer, used);
	report(w, true);
}

int logwriter_main(int argc, char **argv)
{
	struct writer w = {.fd = -1};
	uint64_t slot;

	if (argc != 4 || !parse_uint(argv[1], UINT64_MAX, &w.max) ||
	    !parse_uint(argv[2], 255, &w.keep) || !parse_uint(argv[3], UINT16_MAX, &slot))
		return 2;
	/* it ends when the pipe does, after the last line of a service that is being stopped */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a limit of the size of files is an error like others ... */
	signal(SIGPIPE, SIG_IGN); /* ... and so is a FIFO whose reader has gone */
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK);
	w.path = argv[0];
	w.slot = (uint16_t)slot;
	if (!open_file(&w)) {
		w.error = errno;
		report(&w, true);
	}
	copy_lines(&w);
	return 0;
}
