/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "endpoint.h"
#include "passwd.h"

#define DNS_PORT 53

/* ---- where to serve ---- */

static const char *listen_problem(const char *text)
{
	struct endpoint endpoint;
	const char *problem = endpoint_parse(text, strlen(text), &endpoint);

	if (problem)
		return problem;
	if (endpoint.host[0] == '\0')
		return "there is no host; 0.0.0.0:PORT and [::]:PORT listen to everyone";
	return endpoint.has_port ? NULL : "there is no port; expected HOST:PORT";
}

static char *const *read_listen(struct load *load, const struct entry *entry)
{
	struct items items = value_items(load, entry);
	const char **list = load_alloc(load, items.count + 1, sizeof(*list));
	size_t count = 0;
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < items.count; i++) {
		const char *problem = listen_problem(items.list[i].text);

		if (problem)
			report_line(load, entry, items.list[i].line, "%s: %s",
				    quote(q, items.list[i].text), problem);
		else
			list[count++] = items.list[i].text;
	}
	if (items.count == 0)
		list[count++] = key_find(SECTION_SIDECAR, "listen")->fallback;
	return load_intern_list(load, (char *const *)list, count);
}

/* ---- sockets of this machine, by number ---- */

static bool is_loopback(const char *host)
{
	struct in6_addr v6;

	return strncmp(host, "127.", 4) == 0 ||
	       (inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6));
}

/* HOST:PORT with a numeric host, or what is wrong; a port that is not written is `port`, 0: one
 * must be. */
static const char *number_problem(const char *text, uint16_t port, struct endpoint *out)
{
	const char *problem = endpoint_parse(text, strlen(text), out);

	if (problem)
		return problem;
	if (!out->has_port)
		out->port = port;
	if (!out->port)
		return "there is no port; expected ADDRESS:PORT";
	return endpoint_is_number(out->host) ? NULL : "expected a numeric address";
}

static const char *dns_problem(const struct endpoint *at, bool public)
{
	if (strcmp(at->host, "0.0.0.0") == 0 || strcmp(at->host, "::") == 0)
		return "write the addresses themselves: an answer has to come from the one that "
		       "was asked";
	if (!public && !is_loopback(at->host))
		return "not a loopback address; a name server for others can be misused, it takes "
		       "dns_public = yes";
	return NULL;
}

/* NULL: the entry is not there. `served`: this machine's, else others'. */
static char *const *read_dns(struct load *load, const struct entry *entry, bool served, bool public)
{
	struct items items = value_items(load, entry);
	const char **list = load_alloc(load, items.count + 1, sizeof(*list));
	char text[ENDPOINT_SIZE], q[QUOTE_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < items.count; i++) {
		struct endpoint at;
		const char *problem = number_problem(items.list[i].text, DNS_PORT, &at);

		if (!problem && served)
			problem = dns_problem(&at, public);
		if (problem)
			report_line(load, entry, items.list[i].line, "%s: %s",
				    quote(q, items.list[i].text), problem);
		else
			list[count++] = load_intern(load, endpoint_format(text, at.host, at.port));
	}
	return entry ? load_intern_list(load, (char *const *)list, count) : NULL;
}

/* `dns_upstream = no`: a list of nothing. */
static char *const *read_upstream(struct load *load, const struct entry *entry)
{
	struct items items = value_items(load, entry);

	if (entry && items.count == 1 && strcmp(items.list[0].text, "no") == 0)
		return load_intern_list(load, NULL, 0);
	return read_dns(load, entry, false, false);
}

static void load_dns(struct load *load, const struct sidecar_draft *draft,
		     struct sidecar_config *out)
{
	out->dns = read_dns(load, draft->dns, true, draft->dns_public);
	out->dns_upstream = read_upstream(load, draft->dns_upstream);
	out->dns_zone = load_intern(load, draft->dns_zone);
	if (draft->dns_upstream && !draft->dns)
		warn_section(load, section_find(load, section_word(SECTION_SIDECAR)),
			     "dns_upstream: nothing is passed on without dns = ADDRESS:PORT");
}

/* ---- [sidecar] ---- */

void load_sidecar(struct load *load)
{
	struct section *section = section_find(load, section_word(SECTION_SIDECAR));
	struct sidecar_config *out = &load->config->sidecar;
	struct sidecar_draft draft = {0};
	struct passwd_user known;
	struct entry *user;

	values_defaults(load, SECTION_SIDECAR, &draft);
	if (section)
		values_read(load, section, &draft);
	user = section ? section_get(section, "user") : NULL;
	out->uid = NO_UID;
	if (user && draft.user) {
		identity_check_user(load, user, draft.user, !draft.external);
		if (passwd_user(draft.user, &known) == 0)
			out->uid = known.uid;
	}
	out->present = section != NULL;
	out->external = draft.external;
	out->gpu = draft.gpu;
	out->connections = (uint8_t)draft.connections;
	out->connections_per_host = (uint8_t)draft.connections_per_host;
	out->program = draft.program ? load_intern(load, draft.program) : NULL;
	out->user = draft.user ? load_intern(load, draft.user) : NULL;
	out->listen = read_listen(load, draft.listen);
	load_dns(load, &draft, out);
	load_peers(load);
}

/* ---- forward, of an address ---- */

/* Where the address itself is there is nothing to forward. */
static bool is_first(const struct address_entry *address, const struct endpoint *at)
{
	return address->count && strcmp(address->candidates[0].host, at->host) == 0 &&
	       address->candidates[0].port == at->port;
}

static const char *forward_problem(const struct address_entry *address, const struct endpoint *at)
{
	for (uint32_t i = 1; i < address->count; i++)
		if (strcmp(address->candidates[i].host, at->host) == 0 &&
		    address->candidates[i].port == at->port)
			return "one of the places of this address: it would be passed on to itself";
	return NULL;
}

char *const *load_forward(struct load *load, const struct section *section,
			  const struct address_entry *address)
{
	const struct entry *entry = section_get(section, "forward");
	struct items items = value_items(load, entry);
	const char **list = load_alloc(load, items.count + 1, sizeof(*list));
	char text[ENDPOINT_SIZE], q[QUOTE_SIZE];
	size_t count = 0;

	for (size_t i = 0; i < items.count; i++) {
		struct endpoint at;
		const char *problem = number_problem(items.list[i].text, 0, &at);

		if (!problem && is_first(address, &at))
			continue;
		if (!problem)
			problem = forward_problem(address, &at);
		if (problem)
			report_line(load, entry, items.list[i].line, "%s: %s",
				    quote(q, items.list[i].text), problem);
		else
			list[count++] = load_intern(load, endpoint_format(text, at.host, at.port));
	}
	return load_intern_list(load, (char *const *)list, count);
}
