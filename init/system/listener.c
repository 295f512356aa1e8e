/* SPDX-License-Identifier: MIT */
#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "fd.h"

#define SOCKET_MODE 0666  /* less the service's umask, as any file it would make */
#define BACKLOG     65535 /* the kernel cuts it at net.core.somaxconn */

/* ---- files of unix sockets ---- */

static bool is_our_file(const struct listener *l, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == l->device &&
	       st.st_ino == l->inode;
}

/* Whether there is a socket at this path that nobody answers. */
static bool is_stale(const struct listen_config *where)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stat st;
	bool stale;

	if (fd < 0)
		return false;
	stale = lstat(where->address.un.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		connect(fd, &where->address.any, where->size) < 0 && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_path(int fd, const struct listen_config *where)
{
	const char *path = where->address.un.sun_path;

	fd_make_parents(path); /* nothing of the container has run that could have */
	if (bind(fd, &where->address.any, where->size) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_stale(where))
		return -errno;
	if (unlink(path) < 0 || bind(fd, &where->address.any, where->size) < 0)
		return -errno;
	return 0;
}

/* It is the service's own, and open to those who may reach it: as systemd has it. */
static int set_owner(struct listener *l, const struct listen_config *where,
		     const struct identity_config *identity)
{
	const char *path = where->address.un.sun_path;
	mode_t mode = SOCKET_MODE & ~(identity->has_umask ? identity->umask : 0);
	struct stat st;

	if (lstat(path, &st) < 0 || chmod(path, mode) < 0)
		return -errno;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	if (!identity->change_user || (identity->uid == st.st_uid && identity->gid == st.st_gid))
		return 0;
	return lchown(path, identity->uid, identity->gid) < 0 ? -errno : 0;
}

/* ---- one socket ---- */

static int set_flag(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

static int bind_address(int fd, const struct listen_config *where)
{
	int rc = 0;

	if (where->kind == LISTEN_TCP) /* connections of an earlier run may still be closing */
		rc = set_flag(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (!rc && where->address.any.sa_family == AF_INET6)
		rc = set_flag(fd, IPPROTO_IPV6, IPV6_V6ONLY, !where->both);
	if (!rc && bind(fd, &where->address.any, where->size) < 0)
		rc = -errno;
	return rc;
}

/* In place of the address that means both, where the kernel has no IPv6. */
static struct listen_config only_ipv4(const struct listen_config *where)
{
	struct listen_config out = *where;

	out.both = false;
	out.size = sizeof(out.address.in);
	out.address.in = (struct sockaddr_in){.sin_family = AF_INET,
					      .sin_port = where->address.in6.sin6_port};
	return out;
}

static int finish(struct listener *l, const struct listen_config *where,
		  const struct identity_config *identity)
{
	int rc = where->kind == LISTEN_UNIX ? bind_path(l->fd, where) : bind_address(l->fd, where);

	if (!rc && where->kind == LISTEN_UNIX)
		rc = set_owner(l, where, identity);
	if (!rc && where->kind != LISTEN_UDP && listen(l->fd, BACKLOG) < 0)
		rc = -errno;
	return rc;
}

int listener_open(struct listener *l, const struct listen_config *where,
		  const struct identity_config *identity)
{
	int type = where->kind == LISTEN_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct listen_config ipv4;
	int rc;

	l->fd = socket(where->address.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (l->fd < 0 && errno == EAFNOSUPPORT && where->both) {
		ipv4 = only_ipv4(where);
		where = &ipv4;
		l->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	}
	if (l->fd < 0)
		return -errno;
	rc = finish(l, where, identity);
	if (rc < 0) {
		close(l->fd);
		l->fd = -1;
	}
	return rc;
}

int listener_share(struct listener *l, const struct listener *other)
{
	*l = *other;
	l->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 3);
	return l->fd < 0 ? -errno : 0;
}

void listener_close(struct listener *l, const struct listen_config *where, bool remove)
{
	if (l->fd < 0)
		return;
	close(l->fd);
	l->fd = -1;
	if (remove && where->kind == LISTEN_UNIX && is_our_file(l, where->address.un.sun_path))
		unlink(where->address.un.sun_path);
}
