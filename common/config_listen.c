/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <arpa/inet.h>
#include <string.h>

#include "arena.h"
#include "endpoint.h"
#include "table.h"

#define SOCKET_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

/* ---- one socket: small readers that return what is wrong, or NULL ---- */

/* Names are not looked up: init does not wait for a name server. */
static const char *read_host(const char *host, uint16_t port, struct listen_config *out)
{
	struct sockaddr_in6 *in6 = &out->address.in6;
	struct sockaddr_in *in = &out->address.in;

	if (strcmp(host, "localhost") == 0)
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		out->size = sizeof(*in);
		return NULL;
	}
	out->both = *host == '\0';
	if (inet_pton(AF_INET6, out->both ? "::" : host, &in6->sin6_addr) != 1)
		return "the host must be a numeric address or localhost: names are not looked up";
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	out->size = sizeof(*in6);
	return NULL;
}

static const char *read_port(const char *text, struct listen_config *out)
{
	struct endpoint endpoint;
	const char *problem = endpoint_parse(text, strlen(text), &endpoint);

	if (problem)
		return problem;
	if (!endpoint.has_port)
		return "there is no port; expected tcp:host:port or udp:host:port";
	if (endpoint.port == 0)
		return "the port must be a number from 1 to 65535";
	return read_host(endpoint.host, endpoint.port, out);
}

static const char *read_path(const char *text, struct listen_config *out)
{
	struct sockaddr_un *un = &out->address.un;
	size_t len = strlen(text);

	if (*text != '/' || text[len - 1] == '/')
		return "expected the absolute path of a socket";
	if (len > SOCKET_PATH_MAX)
		return "a socket's path has at most 107 characters";
	un->sun_family = AF_UNIX;
	memcpy(un->sun_path, text, len + 1);
	out->size = sizeof(*un);
	return NULL;
}

static const struct {
	char prefix[6];
	uint8_t kind;
	const char *(*read)(const char *text, struct listen_config *out);
} kinds[] = {
	{"tcp:", LISTEN_TCP, read_port},
	{"udp:", LISTEN_UDP, read_port},
	{"unix:", LISTEN_UNIX, read_path},
};

static const char *read_socket(const char *text, struct listen_config *out)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(text, kinds[i].prefix, len) != 0)
			continue;
		out->kind = kinds[i].kind;
		return kinds[i].read(text + len, out);
	}
	return "expected tcp:host:port, udp:host:port or unix:/path";
}

/* ---- sockets that get into each other's way ---- */

/* The address in this family, NULL when the socket is not of it. */
static const unsigned char *bytes_of(const struct listen_config *listen, int family)
{
	if (listen->both)
		return listen->address.in6.sin6_addr.s6_addr; /* all zero, for either */
	if (listen->address.any.sa_family != family)
		return NULL;
	return family == AF_INET6
		       ? listen->address.in6.sin6_addr.s6_addr
		       : (const unsigned char *)(const void *)&listen->address.in.sin_addr;
}

static bool meet(const struct listen_config *a, const struct listen_config *b, int family,
		 size_t size)
{
	static const unsigned char any[sizeof(struct in6_addr)];
	const unsigned char *x = bytes_of(a, family), *y = bytes_of(b, family);

	return x && y &&
	       (memcmp(x, any, size) == 0 || memcmp(y, any, size) == 0 || memcmp(x, y, size) == 0);
}

static bool overlap(const struct listen_config *a, const struct listen_config *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == LISTEN_UNIX)
		return strcmp(a->address.un.sun_path, b->address.un.sun_path) == 0;
	/* the port is at the same place in both families */
	if (a->address.in.sin_port != b->address.in.sin_port)
		return false;
	return meet(a, b, AF_INET, sizeof(struct in_addr)) ||
	       meet(a, b, AF_INET6, sizeof(struct in6_addr));
}

/* Kind and port, or the path: only those that have it in common can meet. */
static const char *key_of(struct load *load, const struct listen_config *listen)
{
	if (listen->kind == LISTEN_UNIX)
		return listen->address.un.sun_path;
	return load_format(load, "%u %u", listen->kind, listen->address.in.sin_port);
}

/* Whether two sockets are one that replicas share. */
static bool is_shared(struct load *load, struct listen_config *a, struct listen_config *b)
{
	const struct service_config *services = load->config->services;

	if (a->service == b->service || !services[a->service].replica_of ||
	    services[a->service].replica_of != services[b->service].replica_of ||
	    strcmp(a->text, b->text) != 0)
		return false;
	a->shared = b->shared = true;
	return true;
}

/* The service that has asked for this address, or NULL; notes it for the next. */
static const char *taken_by(struct load *load, struct listen_config *listen)
{
	const char *key = key_of(load, listen);
	struct table_entry *entry = load_check(load, table_add(load->ports, key, strlen(key)));

	if (entry->value == TABLE_NEW) {
		entry->key = load_intern(load, key);
		entry->value = 0;
		return NULL;
	}
	for (uint32_t i = 0; i < load->config->listen_count; i++)
		if (overlap(&load->listens[i], listen) &&
		    !is_shared(load, &load->listens[i], listen))
			return load->config->services[load->listens[i].service].name;
	return NULL;
}

/* ---- the sockets of a service ---- */

/* Takes NAME= off the text. NULL: what is there is no name. */
static const char *split_name(struct load *load, const char **text)
{
	size_t len = strcspn(*text, "=:");
	const char *name;

	if ((*text)[len] != '=')
		return "";
	name = load_strndup(load, *text, len);
	*text += len + 1;
	return name_problem(name) ? NULL : name;
}

static const char *take_socket(struct load *load, struct listen_config *listen, const char *text,
			       const char **names)
{
	const char *name = split_name(load, &text), *problem, *other;

	if (!name)
		return "the name before = has letters, digits, - _ . (at most 63)";
	problem = read_socket(text, listen);
	if (problem)
		return problem;
	listen->text = load_intern(load, text);
	other = taken_by(load, listen);
	if (other)
		return load_format(load, "service %s listens there already", other);
	*names = load_format(load, "%s%s%s", *names ? *names : "LISTEN_FDNAMES=", *names ? ":" : "",
			     *name ? name : load->config->services[listen->service].name);
	return NULL;
}

static void read_sockets(struct load *load, const struct entry *entry, uint32_t index,
			 const char **names)
{
	struct items items = value_items(load, entry);
	uint32_t *count = &load->config->listen_count;

	for (size_t i = 0; i < items.count; i++) {
		struct listen_config listen = {.service = (uint16_t)index};
		const char *problem;
		char q[QUOTE_SIZE];

		if (i == SOCKETS_MAX) {
			report_line(load, entry, items.list[i].line, "more than %d sockets",
				    SOCKETS_MAX);
			return;
		}
		problem = take_socket(load, &listen, items.list[i].text, names);
		if (problem) {
			report_line(load, entry, items.list[i].line, "%s: %s",
				    quote(q, items.list[i].text), problem);
			continue;
		}
		listen.place = report_place(load, entry, items.list[i].line);
		load->listens = load_grow(load, load->listens, *count, &load->listen_room,
					  sizeof(*load->listens));
		load->listens[(*count)++] = listen;
	}
}

/* The readiness descriptor stands in the way of none of them. */
static void check_descriptors(struct load *load, const struct service_load *service,
			      const struct service_config *out)
{
	const struct entry *entry = section_get(service->section, "readiness_probe");
	int end = LISTEN_FIRST_FD + out->listen_count;

	for (const struct probe_config *p = out->probes[ROLE_READINESS]; p; p = p->next)
		if (entry && p->kind == PROBE_FD && p->fd < end)
			report_entry(
				load, entry,
				"descriptors %d to %d are the sockets of listen; expected fd:%d or "
				"above",
				LISTEN_FIRST_FD, end - 1, end);
}

void load_listen(struct load *load, struct service_load *service, uint32_t index)
{
	struct service_config *out = &load->config->services[index];
	const struct entry *entry = section_get(service->section, "listen");
	const char *names = NULL;

	out->listen_first = load->config->listen_count;
	if (!entry)
		return;
	if (service->draft.type != TYPE_SERVICE) {
		report_entry(load, entry, "only a service of type service has sockets");
		return;
	}
	read_sockets(load, entry, index, &names);
	if (!names)
		return;
	out->listen_count = (uint16_t)(load->config->listen_count - out->listen_first);
	out->listen_names = load_intern(load, names);
	out->listen_number =
		load_intern(load, load_format(load, "LISTEN_FDS=%u", out->listen_count));
	check_descriptors(load, service, out);
}

void load_listens(struct load *load)
{
	size_t size = load->config->listen_count * sizeof(*load->listens);
	struct listen_config *copy;

	if (!size)
		return;
	copy = load_check(load, arena_alloc(load->arena, size));
	memcpy(copy, load->listens, size);
	load->config->listens = copy;
}
