/* SPDX-License-Identifier: MIT */
/*
 * Texts that end in NUL: what is to be checked, and the Location that its server answers with. What
 * is taken as a target can be connected to and is none of those that are refused in another form; a
 * redirect is followed only to where it came from, by our own reading of the URL, too.
 */
#include "target.h"

#include <strings.h>

#include "address.h"
#include "endpoint.h"
#include "probe_curl.h"
#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* 169.254.0.0/16, also where a v6 address stands for a v4 one. */
static bool is_link_local(const union address *address)
{
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
	const uint8_t *v4 = (const uint8_t *)&address->v4.sin_addr;
	const uint8_t *v6 = address->v6.sin6_addr.s6_addr;

	if (address->any.sa_family == AF_INET)
		return v4[0] == 169 && v4[1] == 254;
	return (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80) ||
	       (memcmp(v6, mapped, 12) == 0 && v6[12] == 169 && v6[13] == 254);
}

static void check_address(const struct target *target)
{
	char text[ADDRESS_TEXT], host[256];
	union address again;
	uint16_t port;

	if (is_link_local(&target->address) && !address_is_refused(&target->address))
		abort();
	address_format(&target->address, text);
	if (!host_port_split(text, strlen(text), host, &port, 0) || port != target->port ||
	    !address_parse(&again, host, port) ||
	    memcmp(&again, &target->address, address_size(&again)) != 0)
		abort();
}

static void check_target(const struct target *target, const char *url)
{
	if (strcmp(target->url, url) != 0 || !target->host[0] ||
	    strnlen(target->host, sizeof(target->host)) == sizeof(target->host) || !target->port)
		abort();
	if ((target->grpc && !target->http) || (target->tls && !target->http))
		abort();
	if (target->numeric)
		check_address(target);
}

/* An address may be written in more than one way, of which libcurl chooses one, and so may a name.
 */
static bool same_host(const struct target *a, const struct target *b)
{
	if (a->numeric && b->numeric)
		return memcmp(&a->address, &b->address, address_size(&a->address)) == 0;
	return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

static void check_redirect(const struct target *target, const char *location)
{
	char elsewhere[REDIRECT_TEXT];
	char *url = redirect_url(target->url, location, elsewhere);
	struct target there;

	for (const char *at = elsewhere; *at; at++)
		if (*at < ' ' || *at > '~')
			abort();
	/* a host of other characters libcurl may write otherwise, and so it may 127.1 */
	if (url && address_host_valid(target->host, sizeof(target->host)) && !target->misspelt &&
	    !strchr(target->host, '%') && target_parse(&there, url)) {
		if (!there.misspelt && !same_host(target, &there))
			abort();
		target_free(&there);
	}
	free(url);
}

static void check_masked(const char *text)
{
	static const char secret[] = "SeCrEt";
	const char *at = strstr(text, secret), *host = strrchr(text, '@');
	char shown[URL_SHOWN];

	url_mask(shown, sizeof(shown), text);
	if (strlen(shown) >= sizeof(shown))
		abort();
	/* user and password of a URL */
	if (at && host && at < host && strstr(text, "://") && strstr(text, "://") < at &&
	    !strpbrk(text, "?#/") && strstr(shown, secret))
		abort();
	at = strchr(text, '?');
	if (at && !strchr(at, '@') && strstr(at, secret) && strstr(text, secret) > at &&
	    strstr(shown, secret))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	char *url = take_text(&take), *location = take_text(&take);
	struct target target;

	check_masked(url);
	if (target_parse(&target, url)) {
		check_target(&target, url);
		if (target.http && !target.grpc)
			check_redirect(&target, location);
		target_free(&target);
	}
	free(url);
	free(location);
	return 0;
}
