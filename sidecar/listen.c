/* SPDX-License-Identifier: MIT */
#include "listen.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#include "log.h"

static int open_socket(const union address *address)
{
	int on = 1, off = 0, fd, error;

	fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	/* answers are written whole; inherited by accepted sockets */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (bind(fd, &address->any, address_size(address)) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	error = -errno;
	close(fd);
	return error;
}

static int open_address(const union address *address, struct listener *out)
{
	socklen_t size = sizeof(out->address);

	out->fd = open_socket(address);
	if (out->fd < 0)
		return out->fd;
	out->address = *address;
	getsockname(out->fd, &out->address.any, &size); /* port 0 has become a number */
	return 0;
}

static void complain(const char *text, int error)
{
	if (error == EADDRINUSE)
		log_error(
			"cannot listen on %s: the port is in use; choose another with --listen or "
			"[sidecar] listen",
			text);
	else
		log_error("cannot listen on %s: %s", text, strerror(error));
}

/* All addresses: one socket for both families where there is IPv6. */
static int open_any(const char *text, uint16_t port, struct listener *out)
{
	union address any;
	int error;

	address_parse(&any, "::", port);
	error = open_address(&any, out);
	if (error == -EAFNOSUPPORT || error == -EADDRNOTAVAIL) {
		address_parse(&any, "0.0.0.0", port);
		error = open_address(&any, out);
	}
	if (error == 0)
		return 1;
	complain(text, -error);
	return -1;
}

static int open_name(const char *text, const char *host, uint16_t port, struct listener *out,
		     int max)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
	struct addrinfo *list, *item;
	int count = 0, error = 0;

	error = getaddrinfo(host, NULL, &hints, &list);
	if (error) {
		log_error("cannot listen on %s: %s", text, gai_strerror(error));
		return -1;
	}
	for (item = list; item && count < max; item = item->ai_next) {
		union address address = {0};

		if (item->ai_addrlen > sizeof(address))
			continue;
		memcpy(&address, item->ai_addr, item->ai_addrlen);
		address_set_port(&address, port);
		error = open_address(&address, &out[count]);
		/* a hosts file may name ::1 where IPv6 is off */
		if (error == -EADDRNOTAVAIL || error == -EAFNOSUPPORT)
			continue;
		if (error)
			break;
		count++;
	}
	freeaddrinfo(list);
	if (count && (error == 0 || item == NULL))
		return count;
	complain(text, -error);
	while (count--)
		close(out[count].fd);
	return -1;
}

int listen_open(const char *text, struct listener *out, int max)
{
	union address address;
	char host[256];
	uint16_t port;
	int error;

	if (!host_port_split(text, strlen(text), host, &port, LISTEN_PORT)) {
		log_error("\"%s\" is not an address to listen on: HOST:PORT, [V6]:PORT or :PORT is",
			  text);
		return -1;
	}
	if (max < 1) {
		log_error("cannot listen on %s: too many addresses", text);
		return -1;
	}
	if (!host[0] || strcmp(host, "*") == 0)
		return open_any(text, port, out);
	if (!address_parse(&address, host, port))
		return open_name(text, host, port, out, max);
	error = open_address(&address, out);
	if (error == 0)
		return 1;
	complain(text, -error);
	return -1;
}
