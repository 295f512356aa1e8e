/* SPDX-License-Identifier: MIT */
#include "rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fd.h"
#include "log.h"
#include "wire.h"

#define TEMPORARY_NAME ".control.sock.new"
#define OVERFLOW_UID   65534 /* whom the kernel shows for users that do not exist here */
#define UNUSABLE       "no status page and no control socket"

/* ---- the directory ---- */

/* Whether nothing is in it; but_own: nothing but what is ours. */
static bool is_empty(int dirfd, bool but_own)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned others = 0;
	struct stat st;

	while (dir && (entry = readdir(dir)))
		others += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			  (!but_own || fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
			   st.st_uid != geteuid());
	if (dir)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return dir && !others;
}

/* A volume or tmpfs made for this purpose is open to all at first, and empty. One that is root's,
 * with the sticky bit, stays so: nobody else can take away there what we make. */
static bool tighten(int fd, const struct stat *st)
{
	if (st->st_uid != geteuid())
		return (st->st_mode & S_ISVTX) && is_empty(fd, true);
	return is_empty(fd, false) &&
	       fchmod(fd, st->st_mode & 07777 & ~(mode_t)(S_IWGRP | S_IWOTH)) == 0;
}

/* Why nothing may be put there, or NULL. */
static const char *objection(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return strerror(errno);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return "it belongs to another user";
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) && !tighten(fd, &st))
		return "others may write to it (name a directory in it, which muster-init makes "
		       "itself: MUSTER_RUN_DIR)";
	if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return strerror(errno);
	return NULL;
}

/* bind or connect by a relative name: the directory's path may be longer than an address holds.
 * Where the working directory is closed to us there is no way back into it: then by /proc. */
static int with_address(int dirfd, int fd, const char *name,
			int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int rc = 0;

	if (here >= 0)
		snprintf(address.sun_path, sizeof(address.sun_path), "%s", name);
	else
		snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", dirfd,
			 name);
	if ((here >= 0 && fchdir(dirfd) < 0) ||
	    call(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		rc = -errno;
	if (here >= 0) {
		if (fchdir(here) < 0 && !rc)
			rc = -errno;
		close(here);
	}
	return rc;
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	return fd < 0 ? -errno : fd;
}

/* Whether another muster-init answers on this directory's socket. */
static bool is_taken(int dirfd)
{
	int fd = open_socket(), rc;

	if (fd < 0)
		return false;
	rc = with_address(dirfd, fd, WIRE_SOCKET, connect);
	close(fd);
	return rc == 0 || rc == -EAGAIN; /* EAGAIN: so many wait that there is no room */
}

void rundir_say_unusable(const char *path, int error)
{
	log_warning("cannot use %s: %s: " UNUSABLE, path, strerror(error));
}

int rundir_open(const char *path)
{
	const char *why;
	int fd;

	if (path[0] != '/') {
		log_warning("MUSTER_RUN_DIR \"%s\" is no absolute path: " UNUSABLE, path);
		return -1;
	}
	fd_make_parents(path);
	mkdir(path, FD_DIRECTORY_MODE);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		rundir_say_unusable(path, errno);
		return -1;
	}
	why = objection(fd);
	if (!why && is_taken(fd))
		why = "another muster-init answers there";
	if (!why)
		return fd;
	log_warning("cannot use %s: %s: " UNUSABLE, path, why);
	close(fd);
	return -1;
}

/* ---- the socket ---- */

/* What has its name may be replaced only when it is a socket that nobody answers on. */
static int check_name(int dirfd)
{
	struct stat st;

	if (fstatat(dirfd, WIRE_SOCKET, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -ENOTSOCK;
	return is_taken(dirfd) ? -EBUSY : 0;
}

/* Made under another name and listening before it is found: nobody meets half a socket. */
static int bring_up(int dirfd, int fd, ino_t *inode)
{
	struct stat st;
	int rc;

	unlinkat(dirfd, TEMPORARY_NAME, 0); /* what an init that died here has left */
	rc = with_address(dirfd, fd, TEMPORARY_NAME, bind);
	if (rc < 0)
		return rc;
	if (fchmodat(dirfd, TEMPORARY_NAME, 0666, 0) < 0 || listen(fd, 64) < 0 ||
	    fstatat(dirfd, TEMPORARY_NAME, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    renameat(dirfd, TEMPORARY_NAME, dirfd, WIRE_SOCKET) < 0)
		return -errno;
	*inode = st.st_ino;
	return 0;
}

int rundir_listen(int dirfd, ino_t *inode)
{
	int fd, rc = check_name(dirfd);

	if (rc < 0)
		return rc;
	fd = open_socket();
	if (fd < 0)
		return fd;
	rc = bring_up(dirfd, fd, inode);
	if (rc == 0)
		return fd;
	close(fd);
	return rc;
}

bool rundir_holds(int dirfd, ino_t inode)
{
	struct stat st;

	return fstatat(dirfd, WIRE_SOCKET, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == inode;
}

bool rundir_knows(uid_t uid)
{
	unsigned long long inside, outside, count;
	char text[128];

	return uid != OVERFLOW_UID ||
	       (fd_read_file("/proc/self/uid_map", text, sizeof(text)) > 0 &&
		sscanf(text, "%llu %llu %llu", &inside, &outside, &count) == 3 && inside == 0 &&
		count >= UINT32_MAX);
}
