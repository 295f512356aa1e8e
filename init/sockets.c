/* SPDX-License-Identifier: MIT */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arena.h"
#include "supervisor.h"

#define DIRECTORY_MODE 0755
#define SOCKET_MODE    0666  /* less the service's umask, as any file it would make */
#define BACKLOG        65535 /* the kernel cuts it at net.core.somaxconn */

/* ---- files of unix sockets ---- */

static bool is_our_file(const struct held_socket *held, const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_dev == held->device &&
	       st.st_ino == held->inode;
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

/* The directories on the way to it: nothing of the container has run that could have made them. */
static void make_directories(const char *path)
{
	char part[sizeof(((struct sockaddr_un *)0)->sun_path)];
	size_t len = strlen(path);

	memcpy(part, path, len + 1);
	for (size_t i = 1; i < len; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		mkdir(part, DIRECTORY_MODE);
		part[i] = '/';
	}
}

static int bind_path(int fd, const struct listen_config *where)
{
	const char *path = where->address.un.sun_path;

	make_directories(path);
	if (bind(fd, &where->address.any, where->size) == 0)
		return 0;
	if (errno != EADDRINUSE || !is_stale(where))
		return -errno;
	if (unlink(path) < 0 || bind(fd, &where->address.any, where->size) < 0)
		return -errno;
	return 0;
}

/* It is the service's own, and open to those who may reach it: as systemd has it. */
static int set_owner(struct held_socket *held, const struct listen_config *where,
		     const struct identity_config *identity)
{
	const char *path = where->address.un.sun_path;
	mode_t mode = SOCKET_MODE & ~(identity->has_umask ? identity->umask : 0);
	struct stat st;

	if (lstat(path, &st) < 0 || chmod(path, mode) < 0)
		return -errno;
	held->device = st.st_dev;
	held->inode = st.st_ino;
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

static int finish(struct held_socket *held, const struct listen_config *where,
		  const struct identity_config *identity)
{
	int rc = where->kind == LISTEN_UNIX ? bind_path(held->fd, where)
					    : bind_address(held->fd, where);

	if (!rc && where->kind == LISTEN_UNIX)
		rc = set_owner(held, where, identity);
	if (!rc && where->kind != LISTEN_UDP && listen(held->fd, BACKLOG) < 0)
		rc = -errno;
	return rc;
}

/* 0 or -errno. */
static int open_one(struct held_socket *held, const struct listen_config *where,
		    const struct identity_config *identity)
{
	int type = where->kind == LISTEN_UDP ? SOCK_DGRAM : SOCK_STREAM;
	struct listen_config ipv4;
	int rc;

	held->fd = socket(where->address.any.sa_family, type | SOCK_CLOEXEC, 0);
	if (held->fd < 0 && errno == EAFNOSUPPORT && where->both) {
		ipv4 = only_ipv4(where);
		where = &ipv4;
		held->fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	}
	if (held->fd < 0)
		return -errno;
	rc = finish(held, where, identity);
	if (rc < 0) {
		close(held->fd);
		held->fd = -1;
	}
	return rc;
}

static void close_one(struct loop *loop, struct held_socket *held,
		      const struct listen_config *where, bool remove)
{
	loop_remove(loop, &held->source);
	if (held->fd < 0)
		return;
	close(held->fd);
	held->fd = -1;
	if (remove && where->kind == LISTEN_UNIX && is_our_file(held, where->address.un.sun_path))
		unlink(where->address.un.sun_path);
}

/* ---- all of a configuration ---- */

/* An open descriptor of the same socket, which another replica has. */
static const struct held_socket *twin_of(const struct config *config, uint32_t at)
{
	for (uint32_t i = 0; config->listens[at].shared && i < config->listen_count; i++)
		if (i != at && config->sockets[i].fd >= 0 &&
		    strcmp(config->listens[i].text, config->listens[at].text) == 0)
			return &config->sockets[i];
	return NULL;
}

/* An open socket that the configuration holds under this text; most stay where they were. */
static const struct held_socket *find(const struct config *config, const char *text, uint32_t hint)
{
	uint32_t at = 0;

	if (!config || !config->sockets)
		return NULL;
	if (hint < config->listen_count && config->sockets[hint].fd >= 0 &&
	    strcmp(config->listens[hint].text, text) == 0)
		at = hint;
	while (at < config->listen_count &&
	       (config->sockets[at].fd < 0 || strcmp(config->listens[at].text, text) != 0))
		at++;
	return at < config->listen_count ? &config->sockets[at] : NULL;
}

/* 0 or -errno. */
static int share(struct held_socket *held, const struct held_socket *other)
{
	held->fd = fcntl(other->fd, F_DUPFD_CLOEXEC, 3);
	held->device = other->device;
	held->inode = other->inode;
	return held->fd < 0 ? -errno : 0;
}

static const struct identity_config *owner_of(const struct config *config,
					      const struct listen_config *where)
{
	return config->services[where->service].policy->identity;
}

static const char *why(int error)
{
	return error == EADDRINUSE ? "it is in use by another program" : strerror(error);
}

bool sockets_open_all(struct config *config, const struct config *from, const struct config *other,
		      char text[SOCKETS_TEXT_SIZE])
{
	int rc = 0;

	config->sockets =
		arena_array(config->arena, config->listen_count ? config->listen_count : 1,
			    sizeof(*config->sockets));
	if (!config->sockets) {
		snprintf(text, SOCKETS_TEXT_SIZE, "%s", strerror(ENOMEM));
		return false;
	}
	for (uint32_t i = 0; i < config->listen_count; i++)
		config->sockets[i].fd = config->sockets[i].source.fd = -1;
	for (uint32_t i = 0; i < config->listen_count; i++) {
		const struct listen_config *where = &config->listens[i];
		const struct held_socket *open = find(from, where->text, i);

		if (!open)
			open = find(other, where->text, i);
		if (!open)
			open = twin_of(config, i);
		rc = open ? share(&config->sockets[i], open)
			  : open_one(&config->sockets[i], where, owner_of(config, where));
		if (rc == 0)
			continue;
		snprintf(text, SOCKETS_TEXT_SIZE, "%.300s: cannot listen on %s: %s", where->place,
			 where->text, why(-rc));
		sockets_close_all(NULL, config, from, other);
		return false;
	}
	return true;
}

void sockets_close_all(struct loop *loop, struct config *config, const struct config *heir,
		       const struct config *other)
{
	for (uint32_t i = 0; config && config->sockets && i < config->listen_count; i++) {
		const char *text = config->listens[i].text;
		bool inherited = find(heir, text, i) || find(other, text, i);

		close_one(loop, &config->sockets[i], &config->listens[i],
			  !inherited && !twin_of(config, i));
	}
}

/* ---- with the life of a service ---- */

/* Nobody is going to answer: a client had better hear that than wait. */
static bool is_closed_in(const struct supervisor *sup, const struct service *service)
{
	bool over = service->phase == PH_FAILED || service->phase == PH_COMPLETED;
	bool down = over || service->phase == PH_INACTIVE;

	return over || (sup->stage >= STAGE_STOP && (service->told || down));
}

void sockets_follow(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;
	bool closed = is_closed_in(sup, service);

	for (uint32_t i = 0; i < config->listen_count; i++) {
		uint32_t at = config->listen_first + i;
		struct held_socket *held = &sup->config->sockets[at];

		if (closed)
			close_one(&sup->loop, held, &sup->config->listens[at],
				  !find(sup->pending, sup->config->listens[at].text, at) &&
					  !twin_of(sup->config, at));
	}
}

bool sockets_prepare(struct supervisor *sup, struct service *service)
{
	const struct service_config *config = service->config;

	for (uint32_t i = 0; i < config->listen_count; i++) {
		uint32_t at = config->listen_first + i;
		struct held_socket *held = &sup->config->sockets[at];
		const struct held_socket *open = held->fd < 0 ? twin_of(sup->config, at) : held;
		int rc = open == held ? 0
			 : open       ? share(held, open)
				      : open_one(held, &sup->config->listens[at],
						 config->policy->identity);

		if (rc < 0) {
			errno = -rc;
			return false;
		}
	}
	return true;
}
