/* SPDX-License-Identifier: MIT */
#include "path_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "config.h"
#include "fd.h"
#include "signals.h"

#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20
#endif

bool path_probe_is_near(const char *path)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_CACHED};
	int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd >= 0) {
		close(fd);
		return true;
	}
	/* EAGAIN: it would have to ask; old kernels and filters do not know the question */
	return errno == ENOENT || errno == ENOTDIR || errno == EACCES || errno == ELOOP;
}

static int check_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t size = strlen(path) + 1;
	int fd, error;

	if (size > sizeof(address.sun_path))
		return ENAMETOOLONG;
	memcpy(address.sun_path, path, size);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	error = connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ? errno : 0;
	close(fd);
	return error;
}

int path_probe_check(const struct probe_config *config)
{
	struct stat st;

	if (config->kind == PROBE_UNIX)
		return check_unix(config->path);
	return stat(config->path, &st) == 0 ? 0 : errno;
}

pid_t path_probe_fork(const struct probe_config *config)
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
		fd_close_from(0); /* while it waits nobody may miss the end of a pipe */
		_exit(path_probe_check(config));
	}
	if (pid > 0)
		setpgid(pid, pid); /* whoever is first: the group can be killed from now on */
	return pid;
}

const char *path_probe_reason(const struct probe_config *config, int error)
{
	if (config->kind == PROBE_UNIX && error == EAGAIN)
		return "its queue of connections is full";
	return config->kind == PROBE_UNIX && error == ENAMETOOLONG ? "path too long for a socket"
								   : strerror(error);
}
