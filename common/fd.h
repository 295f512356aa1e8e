/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FD_H
#define MUSTER_FD_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Descriptors: what every program here needs and the C library leaves to loops. */

/*
 * Whether a call that returned n was interrupted and is to be made again; `tries` counts that. One
 * that says so each time has failed: to try for ever would be a hang.
 */
#define FD_TRIES 10
static inline bool fd_again(ssize_t n, unsigned *tries)
{
	return n < 0 && errno == EINTR && (*tries)++ < FD_TRIES;
}

/* Writes all of it, going on after short writes and interruptions. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t size);

/* Reads until the end, or until `size` bytes are there. How many, or -errno. */
ssize_t fd_read_all(int fd, void *buffer, size_t size);

/*
 * Reads a regular file whole into buffer, at most size - 1 bytes, and puts a NUL behind. Never
 * waits for a FIFO. Returns the length; -EFBIG when it is longer, another -errno when it cannot be
 * read.
 */
long fd_read_file(const char *path, char *buffer, size_t size);

/*
 * Reads the beginning of a file of the kernel's, below the directory `dir` (or AT_FDCWD), at most
 * size - 1 bytes, and puts a NUL behind in any case. Returns the length or -errno. One read, no
 * memory: PID 1 may.
 */
long fd_read_at(int dir, const char *path, char *buffer, size_t size);

/*
 * Marks every open descriptor from `first` up close-on-exec, whatever RLIMIT_NOFILE says. Uses
 * close_range where the kernel and the surroundings allow it, else /proc/self/fd, else looks at the
 * first FD_CLOEXEC_BOUND numbers.
 */
#define FD_CLOEXEC_BOUND 65536
void fd_cloexec_from(int first);
/* Closes them where the kernel can do that at once; else as fd_cloexec_from. */
void fd_close_from(int first);

/* Makes the directories on the way to a path, as far as they can be made; cut at PATH_MAX. */
#define FD_DIRECTORY_MODE 0755
void fd_make_parents(const char *path);

/* /dev/null, or without /dev an empty file that takes nothing; close-on-exec. -1: neither. */
int fd_open_null(void);

/*
 * Makes sure that 0, 1 and 2 are open, so that no file opened later can become somebody's standard
 * output. A closed one is opened as fd_open_null does, but stays open in what is executed.
 */
void fd_open_standard(void);

#endif
