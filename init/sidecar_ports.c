/* SPDX-License-Identifier: MIT */
#include "sidecar_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "config.h"
#include "endpoint.h"
#include "log.h"
#include "spawn.h"

static int open_port(const char *text, int type)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct endpoint at;
	int on = 1, fd;
	bool six;

	if (endpoint_parse(text, strlen(text), &at) || at.port >= 1024)
		return -1;
	v4.sin_port = v6.sin6_port = htons(at.port);
	six = inet_pton(AF_INET, at.host, &v4.sin_addr) != 1;
	if (six && inet_pton(AF_INET6, at.host, &v6.sin6_addr) != 1)
		return -1;
	fd = socket(six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, six ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4,
		 six ? sizeof(v6) : sizeof(v4)) == 0)
		return fd;
	log_warning("cannot open port %s for muster-sidecar: %s", text, strerror(errno));
	close(fd);
	return -1;
}

static unsigned add_port(struct spawn_fd *fds, unsigned count, const char *text, int type)
{
	int fd = count < SIDECAR_PORTS_MAX ? open_port(text, type) : -1;

	if (fd < 0)
		return count;
	fds[count] = (struct spawn_fd){fd, SIDECAR_PORTS_FIRST + (int)count};
	return count + 1;
}

unsigned sidecar_open_ports(const struct config *config, struct spawn_fd *fds)
{
	const struct address_book *book = config->addresses;
	unsigned count = 0;

	if (geteuid() != 0)
		return 0;
	for (char *const *dns = config->sidecar.dns; dns && *dns; dns++) {
		count = add_port(fds, count, *dns, SOCK_DGRAM);
		count = add_port(fds, count, *dns, SOCK_STREAM);
	}
	for (uint32_t i = 0; i < book->count; i++)
		for (char *const *at = book->entries[i].forward; *at; at++)
			count = add_port(fds, count, *at, SOCK_STREAM);
	return count;
}
