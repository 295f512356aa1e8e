/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "str.h"

socklen_t address_size(const union address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

void address_set_port(union address *address, uint16_t port)
{
	if (address->any.sa_family == AF_INET6)
		address->v6.sin6_port = htons(port);
	else
		address->v4.sin_port = htons(port);
}

void address_format(const union address *address, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (address->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &address->v6.sin6_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT, "[%s]:%u", host, ntohs(address->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &address->v4.sin_addr, host, sizeof(host));
		snprintf(text, ADDRESS_TEXT, "%s:%u", host, ntohs(address->v4.sin_port));
	}
}

/* The v4 address in a v6 one that maps it (::ffff:1.2.3.4), in host order; 0: it is not such. */
static uint32_t v4_of(const union address *address)
{
	uint32_t v4;

	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr);
	if (!IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
		return 0;
	memcpy(&v4, address->v6.sin6_addr.s6_addr + 12, sizeof(v4));
	return ntohl(v4);
}

bool address_is_link_local(const union address *address)
{
	if (v4_of(address) >> 16 == 0xa9fe)
		return true;
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr);
}

bool address_is_loopback(const union address *address)
{
	if (v4_of(address) >> 24 == 127)
		return true;
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

bool address_parse(union address *address, const char *host, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1)
		address->any.sa_family = AF_INET;
	else if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1)
		address->any.sa_family = AF_INET6;
	else
		return false;
	address_set_port(address, port);
	return true;
}

/* Where the host ends: at the last colon outside of brackets, or at the end. NULL: no such form. */
static const char *host_end(const char *text, const char *end)
{
	const char *colon;

	if (text < end && *text == '[') {
		const char *bracket = memchr(text, ']', (size_t)(end - text));

		return bracket && (bracket + 1 == end || bracket[1] == ':') ? bracket + 1 : NULL;
	}
	colon = memchr(text, ':', (size_t)(end - text));
	return colon ? colon : end;
}

static bool port_parse(const char *text, size_t len, uint16_t *port)
{
	char digits[8];
	uint64_t number;

	if (len >= sizeof(digits))
		return false;
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!parse_uint(digits, 65535, &number))
		return false;
	*port = (uint16_t)number;
	return true;
}

bool host_port_split(const char *text, size_t len, char host[256], uint16_t *port,
		     uint16_t fallback)
{
	const char *end = text + len;
	const char *stop = host_end(text, end);
	size_t host_len;

	if (!stop)
		return false;
	*port = fallback;
	if (stop < end && !port_parse(stop + 1, (size_t)(end - stop) - 1, port))
		return false;
	if (stop == end && !fallback)
		return false;
	host_len = (size_t)(stop - text);
	if (host_len && *text == '[') {
		text++;
		host_len -= 2;
	}
	if (host_len >= 256)
		return false;
	memcpy(host, text, host_len);
	host[host_len] = '\0';
	return true;
}

static const struct scheme {
	char prefix[10];
	bool http, tls;
	uint16_t port; /* when none is written; 0: one must be */
} schemes[] = {
	{"tcp://", false, false, 0},
	{"dns://", false, false, 0}, /* for addresses: the name is looked up, and that is all */
	{"http://", true, false, 80},
	{"https://", true, true, 443},
};

static const struct scheme *scheme_of(const char *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strncmp(url, schemes[i].prefix, strlen(schemes[i].prefix)) == 0)
			return &schemes[i];
	return NULL;
}

bool target_parse(struct target *target, const char *url)
{
	const struct scheme *scheme = scheme_of(url);
	const char *authority, *at;
	size_t len;

	memset(target, 0, sizeof(*target));
	if (!scheme)
		return false;
	authority = url + strlen(scheme->prefix);
	len = strcspn(authority, "/?#\\");
	at = memrchr(authority, '@', len);
	if (at) { /* user and password are libcurl's business */
		len -= (size_t)(at + 1 - authority);
		authority = at + 1;
	}
	if (!host_port_split(authority, len, target->host, &target->port, scheme->port))
		return false;
	if (!target->host[0] || !target->port)
		return false;
	target->http = scheme->http;
	target->tls = scheme->tls;
	target->name_only = scheme->prefix[0] == 'd';
	target->numeric = address_parse(&target->address, target->host, target->port);
	target->url = mem_strdup(url);
	return true;
}

void target_free(struct target *target)
{
	free(target->url);
	target->url = NULL;
}

bool target_same_host(const struct target *a, const struct target *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}
