/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_ENDPOINT_H
#define MUSTER_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * host:port and URLs as users write them. IPv6 addresses stand in brackets. Only the form is
 * looked at: no name is resolved.
 */
#define HOST_SIZE     256
#define ENDPOINT_SIZE (HOST_SIZE + 8)

struct endpoint {
	char host[HOST_SIZE]; /* without brackets; empty when there is only a port */
	uint16_t port;
	bool has_port; /* port 0 is accepted here; most callers refuse it */
};

/* HOST, HOST:PORT or :PORT. NULL, or what is wrong (static text, to stand behind the value). */
const char *endpoint_parse(const char *text, size_t len, struct endpoint *out);

/* The same for a variable that holds a host: an IPv6 address may stand there without brackets. */
const char *endpoint_parse_host(const char *text, struct endpoint *out);

/* Whether the host is a numeric address and not a name. */
bool endpoint_is_number(const char *host);

/* Writes host:port, with brackets where they are needed. Returns buffer. */
char *endpoint_format(char buffer[ENDPOINT_SIZE], const char *host, uint16_t port);

struct url {
	size_t scheme_len;
	size_t host_at; /* where host and port begin: behind :// and user@ */
	size_t rest_at; /* where the path begins, or the end */
	struct endpoint endpoint;
};

/* SCHEME://[USER@][HOST][:PORT][/...]. NULL, or what is wrong. */
const char *url_parse(const char *text, struct url *out);
/* Whether the URL's scheme is this one. */
bool url_has_scheme(const char *text, const struct url *url, const char *scheme);

/*
 * A URL, or HOST:PORT, to be shown: *** stands for user and password, for the query and the
 * fragment. In one that is wrong all up to the last @ may be a password, and where a ? comes before
 * an @ nothing is shown. Cut to `size`. Returns out.
 */
#define URL_SHOWN 1100 /* enough for what probe_link.h carries */
char *url_mask(char *out, size_t size, const char *text);

#endif
