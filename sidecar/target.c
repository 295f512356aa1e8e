/* SPDX-License-Identifier: MIT */
#include "target.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Prefixes of v6 addresses that stand for a v4 one, and where that begins. */
static const struct {
	uint8_t prefix[12];
	uint8_t len, at;
} carriers[] = {
	{{[10] = 0xff, 0xff}, 12, 12},
	{{0}, 12, 12},                      /* IPv4-compatible, of old */
	{{0x00, 0x64, 0xff, 0x9b}, 12, 12}, /* NAT64 */
	{{0x20, 0x02}, 2, 2},               /* 6to4 */
};

/* The v4 address of the first `count` carriers, in host order; 0: it is not such. */
static uint32_t v4_of(const union address *address, size_t count)
{
	const uint8_t *bytes = address->v6.sin6_addr.s6_addr;
	uint32_t v4;

	if (address->any.sa_family == AF_INET)
		return ntohl(address->v4.sin_addr.s_addr);
	for (size_t i = 0; i < count; i++) {
		if (memcmp(bytes, carriers[i].prefix, carriers[i].len) != 0)
			continue;
		memcpy(&v4, bytes + carriers[i].at, sizeof(v4));
		return ntohl(v4);
	}
	return 0;
}

/* Where clouds keep metadata besides 169.254.169.254. */
static const uint32_t metadata[] = {
	0x646464c8, /* 100.100.100.200 */
	0xc00000c0, /* 192.0.0.192 */
	0xa83f8110, /* 168.63.129.16 */
};
static const uint8_t metadata_v6[16] = {0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54};

bool address_is_refused(const union address *address)
{
	uint32_t v4 = v4_of(address, sizeof(carriers) / sizeof(carriers[0]));

	for (size_t i = 0; i < sizeof(metadata) / sizeof(metadata[0]); i++)
		if (v4 == metadata[i])
			return true;
	if (v4 >> 16 == 0xa9fe)
		return true;
	return address->any.sa_family == AF_INET6 &&
	       (IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr) ||
		memcmp(&address->v6.sin6_addr, metadata_v6, sizeof(metadata_v6)) == 0);
}

bool address_is_loopback(const union address *address)
{
	if (v4_of(address, 1) >> 24 == 127)
		return true;
	return address->any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr);
}

static bool is_any(const union address *address)
{
	if (address->any.sa_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
	return address->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* What goes there leaves from there: nothing is sent. */
static bool is_of_this_machine(const union address *address)
{
	int fd = socket(address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address from;
	socklen_t size = sizeof(from);
	bool same = false;

	memset(&from, 0, sizeof(from));
	if (fd >= 0 && connect(fd, &address->any, address_size(address)) == 0 &&
	    getsockname(fd, &from.any, &size) == 0) {
		from.v4.sin_port = address->v4.sin_port; /* of v6 at the same place */
		same = memcmp(&from, address, address_size(address)) == 0;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

bool address_leads_to(const union address *address, const union address *own)
{
	if (address->v4.sin_port != own->v4.sin_port)
		return false;
	/* all of v6 are, as Linux has it, all of v4, too */
	if (is_any(own) && (own->any.sa_family == AF_INET6 || address->any.sa_family == AF_INET))
		return is_any(address) || address_is_loopback(address) ||
		       is_of_this_machine(address);
	return address->any.sa_family == own->any.sa_family &&
	       memcmp(address, own, address_size(own)) == 0;
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

/* Whether old functions would read a v4 address out of it: 2852039166, 0xa9.0xfe.43518, 0251.1 */
static bool is_misspelt(const char *host)
{
	struct in_addr address;

	return host[strspn(host, "0123456789abcdefABCDEFxX.")] == '\0' && inet_aton(host, &address);
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
	bool http, tls, grpc;
	uint16_t port; /* when none is written; 0: one must be */
} schemes[] = {
	{.prefix = "tcp://"},
	{.prefix = "dns://"}, /* for addresses: the name is looked up, and that is all */
	{.prefix = "http://", .http = true, .port = 80},
	{.prefix = "https://", .http = true, .tls = true, .port = 443},
	{.prefix = "grpc://", .http = true, .grpc = true},
	{.prefix = "grpcs://", .http = true, .tls = true, .grpc = true},
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
	target->grpc = scheme->grpc;
	target->name_only = scheme->prefix[0] == 'd';
	target->numeric = address_parse(&target->address, target->host, target->port);
	target->misspelt = !target->numeric && is_misspelt(target->host);
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
