/* SPDX-License-Identifier: MIT */
#include "outer.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "log.h"
#include "notify.h"
#include "str.h"
#include "supervisor.h"

/* As sd_watchdog_enabled(3) has it; twice as often as is asked for. */
static void open_watchdog(struct supervisor *sup)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	uint64_t number, self;

	if (!usec || !parse_uint(usec, INT64_MAX / 1000, &number) || number < 2)
		return;
	if (pid && (!parse_uint(pid, INT32_MAX, &self) || (pid_t)self != getpid()))
		return;
	notify_up_watch(sup, number * 1000 / 2);
}

void outer_open(struct supervisor *sup)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = path ? strlen(path) : 0;
	int fd;

	sup->notify_up = -1;
	if (len < 2 || len >= sizeof(address.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0) {
		log_warning("cannot reach NOTIFY_SOCKET %s: %s", path, strerror(errno));
		close(fd);
		return;
	}
	sup->notify_up = fd;
	open_watchdog(sup);
}
