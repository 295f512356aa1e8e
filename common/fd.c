/* SPDX-License-Identifier: MIT */
#include "fd.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "str.h"

#ifndef SYS_close_range
#define SYS_close_range 436
#endif
#define RANGE_CLOEXEC 4U

int fd_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;
	unsigned tries = 0;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (fd_again(n, &tries))
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

ssize_t fd_read_all(int fd, void *buffer, size_t size)
{
	size_t len = 0;
	unsigned tries = 0;

	while (len < size) {
		ssize_t n = read(fd, (char *)buffer + len, size - len);

		if (fd_again(n, &tries))
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

long fd_read_file(const char *path, char *buffer, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	long len;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		len = fd_read_all(fd, buffer, size);
	else
		len = S_ISDIR(st.st_mode) ? -EISDIR : -ENXIO;
	close(fd);
	if (len == (long)size)
		return -EFBIG;
	if (len >= 0)
		buffer[len] = '\0';
	return len;
}

long fd_read_at(int dir, const char *path, char *buffer, size_t size)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -errno;

	if (fd >= 0) {
		n = read(fd, buffer, size - 1);
		n = n < 0 ? -errno : n;
		close(fd);
	}
	buffer[n > 0 ? n : 0] = '\0';
	return n;
}

static void set_cloexec(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	if (flags >= 0 && !(flags & FD_CLOEXEC))
		fcntl(fd, F_SETFD, flags | FD_CLOEXEC);
}

static bool cloexec_by_proc(int first)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	uint64_t fd;

	if (!dir)
		return false;
	while ((entry = readdir(dir)))
		if (parse_uint(entry->d_name, INT32_MAX, &fd) && (int)fd >= first)
			set_cloexec((int)fd);
	closedir(dir);
	return true;
}

void fd_cloexec_from(int first)
{
	/* any failure counts as "not available": filters answer EPERM, kernels before 5.11 EINVAL
	 */
	if (syscall(SYS_close_range, (unsigned)first, ~0U, RANGE_CLOEXEC) == 0)
		return;
	if (cloexec_by_proc(first))
		return;
	for (int fd = first; fd < FD_CLOEXEC_BOUND; fd++)
		set_cloexec(fd);
}

void fd_close_from(int first)
{
	if (syscall(SYS_close_range, (unsigned)first, ~0U, 0U) != 0)
		fd_cloexec_from(first);
}

void fd_make_parents(const char *path)
{
	char part[PATH_MAX];

	for (size_t i = 0; path[i] && i < sizeof(part) - 1; i++) {
		part[i] = '\0';
		if (i > 0 && path[i] == '/')
			mkdir(part, FD_DIRECTORY_MODE);
		part[i] = path[i];
	}
}

int fd_open_null(void)
{
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	fd = memfd_create("null", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd >= 0)
		fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
	return fd;
}

void fd_open_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		/* the lowest free number is this one, as all below are open */
		if (fd_open_null() == fd)
			fcntl(fd, F_SETFD, 0);
	}
}
