/* SPDX-License-Identifier: MIT */
#include "dns_upstream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "fd.h"
#include "log.h"
#include "mem.h"
#include "resolve.h"

#define RESOLV_CONF  "/etc/resolv.conf"
#define RESOLV_READ  65536
#define RESOLV_MAX   3 /* name servers there, as for the C library */
#define DNS_PORT     53
#define LOOK_SECONDS 2 /* between looks whether the file has changed */

struct dns_upstream {
	struct resolver *resolver;
	const char *const *given;
	const union address *own;
	unsigned own_count;
	struct upstreams list;
	struct timespec changed;
	time_t looked;
};

static bool is_own(const struct dns_upstream *upstream, const union address *address)
{
	for (unsigned i = 0; i < upstream->own_count; i++)
		if (address_leads_to(address, &upstream->own[i]))
			return true;
	return false;
}

/* False: it is one of ours. */
static bool add(struct dns_upstream *upstream, const char *host, uint16_t port)
{
	struct upstreams *list = &upstream->list;
	union address address;

	if (list->count == UPSTREAMS_MAX || !address_parse(&address, host, port))
		return true;
	if (is_own(upstream, &address))
		return false;
	list->list[list->count++] = address;
	return true;
}

/* The resolver asks the same ones. */
static void tell_resolver(const struct dns_upstream *upstream)
{
	char text[UPSTREAMS_MAX * (ADDRESS_TEXT + 1)] = "", one[ADDRESS_TEXT];
	size_t used = 0;

	for (unsigned i = 0; i < upstream->list.count; i++) {
		address_format(&upstream->list.list[i], one);
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? "," : "",
					 one);
	}
	resolver_use(upstream->resolver, text);
}

/* ---- resolv.conf ---- */

/* The value of a line `nameserver VALUE`, or NULL. */
static char *server_of(char *line)
{
	static const char word[] = "nameserver";
	char *value;

	if (strncmp(line, word, strlen(word)) != 0)
		return NULL;
	value = line + strlen(word);
	if (*value != ' ' && *value != '\t')
		return NULL;
	value += strspn(value, " \t");
	value[strcspn(value, " \t\r#;")] = '\0';
	return value;
}

static void read_servers(struct dns_upstream *upstream, char *text)
{
	unsigned seen = 0;
	bool others = true;
	char *state, *server;

	upstream->list.count = 0;
	for (char *line = strtok_r(text, "\n", &state); line && seen < RESOLV_MAX;
	     line = strtok_r(NULL, "\n", &state)) {
		server = server_of(line);
		if (!server)
			continue;
		seen++;
		others &= add(upstream, server, DNS_PORT);
	}
	if (others) {
		resolver_use(upstream->resolver, NULL);
		return;
	}
	if (!upstream->list.count)
		log_warning("dns: " RESOLV_CONF " names nobody but this program: other names "
			    "are refused; say with dns_upstream whom to ask");
	tell_resolver(upstream);
}

static void read_file(struct dns_upstream *upstream)
{
	char *text = mem_alloc(RESOLV_READ);

	if (fd_read_file(RESOLV_CONF, text, RESOLV_READ) < 0)
		text[0] = '\0';
	read_servers(upstream, text);
	free(text);
}

static time_t seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec;
}

const struct upstreams *dns_upstream_list(struct dns_upstream *upstream)
{
	time_t now = upstream->given ? upstream->looked : seconds_now();
	struct stat info = {0};

	if (now - upstream->looked < LOOK_SECONDS)
		return &upstream->list;
	upstream->looked = now;
	stat(RESOLV_CONF, &info);
	if (info.st_mtim.tv_sec != upstream->changed.tv_sec ||
	    info.st_mtim.tv_nsec != upstream->changed.tv_nsec) {
		upstream->changed = info.st_mtim;
		read_file(upstream);
	}
	return &upstream->list;
}

/* ---- life ---- */

static void take_given(struct dns_upstream *upstream)
{
	for (const char *const *at = upstream->given; *at; at++) {
		char host[256];
		uint16_t port;

		if (strcmp(*at, "no") == 0)
			continue;
		if (!host_port_split(*at, strlen(*at), host, &port, DNS_PORT))
			continue;
		if (!add(upstream, host, port))
			log_warning("dns: %s is this program itself, it is not asked", *at);
	}
	if (upstream->list.count)
		tell_resolver(upstream);
}

struct dns_upstream *dns_upstream_create(struct resolver *resolver, const char *const *given,
					 const union address *own, unsigned own_count)
{
	struct dns_upstream *upstream = mem_alloc(sizeof(*upstream));

	upstream->resolver = resolver;
	upstream->given = *given ? given : NULL;
	upstream->own = own;
	upstream->own_count = own_count;
	upstream->looked = seconds_now() - LOOK_SECONDS;
	if (upstream->given)
		take_given(upstream);
	else
		dns_upstream_list(upstream);
	return upstream;
}

void dns_upstream_destroy(struct dns_upstream *upstream)
{
	free(upstream);
}
