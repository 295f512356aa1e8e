/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "str.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS  "0123456789"

static const char *parse_port(const char *text, size_t len, struct endpoint *out)
{
	char digits[8];
	uint64_t port;

	if (len == 0 || len >= sizeof(digits))
		return "the port must be a number from 1 to 65535";
	memcpy(digits, text, len);
	digits[len] = '\0';
	if (!parse_uint(digits, 65535, &port))
		return "the port must be a number from 1 to 65535";
	out->port = (uint16_t)port;
	out->has_port = true;
	return NULL;
}

static bool is_ipv4(const char *host)
{
	struct in_addr address;

	return inet_pton(AF_INET, host, &address) == 1;
}

/* An IPv6 address, possibly with %zone behind it. */
static bool is_ipv6(const char *host)
{
	char address[INET6_ADDRSTRLEN];
	size_t len = strcspn(host, "%");
	struct in6_addr out;

	if (len >= sizeof(address) || (host[len] == '%' && host[len + 1] == '\0'))
		return false;
	memcpy(address, host, len);
	address[len] = '\0';
	return inet_pton(AF_INET6, address, &out) == 1;
}

/* Labels of a host name; underscores occur in the names of Compose services. */
static const char *check_name(const char *host)
{
	const char *label = host;

	if (host[strspn(host, LETTERS DIGITS "-._")] != '\0')
		return "the host has a character that no host name has";
	if (host[strspn(host, DIGITS ".")] == '\0')
		return is_ipv4(host) ? NULL : "the host is no IPv4 address";
	while (*label) {
		size_t len = strcspn(label, ".");

		if (len == 0 || len > 63 || *label == '-' || label[len - 1] == '-')
			return "the host is no host name";
		label += len + (label[len] == '.');
	}
	return NULL;
}

static const char *copy_host(const char *text, size_t len, struct endpoint *out)
{
	if (len > 253)
		return "the host is too long";
	memcpy(out->host, text, len);
	out->host[len] = '\0';
	return strlen(out->host) == len ? NULL : "the host has a character that no host name has";
}

static const char *parse_bracketed(const char *text, size_t len, struct endpoint *out)
{
	const char *closing = memchr(text, ']', len), *error;
	size_t used = closing ? (size_t)(closing - text) + 1 : 0;

	if (!closing)
		return "the [ of the IPv6 address is not closed";
	error = copy_host(text + 1, used - 2, out);
	if (error)
		return error;
	if (!is_ipv6(out->host))
		return "there is no IPv6 address in the brackets";
	if (used == len)
		return NULL;
	if (text[used] != ':')
		return "only :PORT may follow the ]";
	return parse_port(text + used + 1, len - used - 1, out);
}

const char *endpoint_parse(const char *text, size_t len, struct endpoint *out)
{
	const char *colon = memchr(text, ':', len), *error;
	size_t host_len = colon ? (size_t)(colon - text) : len;

	*out = (struct endpoint){0};
	if (len == 0)
		return "there is no host";
	if (*text == '[')
		return parse_bracketed(text, len, out);
	if (colon && memchr(colon + 1, ':', len - host_len - 1))
		return "more than one colon: an IPv6 address is written in brackets, as [::1]:80";
	error = copy_host(text, host_len, out);
	if (!error && host_len > 0)
		error = check_name(out->host);
	if (!error && colon)
		error = parse_port(colon + 1, len - host_len - 1, out);
	return error;
}

const char *endpoint_parse_host(const char *text, struct endpoint *out)
{
	size_t len = strlen(text);

	if (!is_ipv6(text) || len >= sizeof(out->host))
		return endpoint_parse(text, len, out);
	*out = (struct endpoint){0};
	memcpy(out->host, text, len + 1);
	return NULL;
}

bool endpoint_is_number(const char *host)
{
	return is_ipv4(host) || is_ipv6(host);
}

char *endpoint_format(char buffer[ENDPOINT_SIZE], const char *host, uint16_t port)
{
	bool brackets = strchr(host, ':') != NULL;

	snprintf(buffer, ENDPOINT_SIZE, "%s%s%s:%u", brackets ? "[" : "", host, brackets ? "]" : "",
		 port);
	return buffer;
}

const char *url_parse(const char *text, struct url *out)
{
	size_t scheme = strspn(text, LETTERS DIGITS "+-."), end;
	const char *p;

	*out = (struct url){.scheme_len = scheme};
	if (scheme == 0 || strncmp(text + scheme, "://", 3) != 0)
		return "it does not begin with a scheme and ://";
	for (p = text; *p; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return "a blank or control character in a URL";
	end = scheme + 3 + strcspn(text + scheme + 3, "/?#");
	out->host_at = scheme + 3;
	for (size_t i = scheme + 3; i < end; i++)
		if (text[i] == '@')
			out->host_at = i + 1;
	out->rest_at = end;
	if (end == out->host_at)
		return "there is no host";
	return endpoint_parse(text + out->host_at, end - out->host_at, &out->endpoint);
}

bool url_has_scheme(const char *text, const struct url *url, const char *scheme)
{
	return strlen(scheme) == url->scheme_len && strncmp(text, scheme, url->scheme_len) == 0;
}

char *url_mask(char *out, size_t size, const char *text)
{
	/* a :// further on may stand in a query, which is not to be shown */
	const char *behind = text + strspn(text, LETTERS DIGITS "+-."), *host, *rest;
	const char *begin = strncmp(behind, "://", 3) == 0 ? behind + 3 : text;
	const char *end = begin + strcspn(begin, "/?#");
	struct url url;

	if (begin > text && url_parse(text, &url) == NULL)
		host = text + url.host_at;
	else
		host = strrchr(begin, '@') ? strrchr(begin, '@') + 1 : begin;
	if (host < end && *end != '/' && strchr(end, '@'))
		host = strchr(end, '\0'); /* is it of a password or of a query? who can tell */
	rest = host + strcspn(host, "?#");
	snprintf(out, size, "%.*s%s%.*s%.1s%s", (int)(begin - text), text,
		 host > begin ? "***@" : "", (int)(rest - host), host, rest, *rest ? "***" : "");
	return out;
}
