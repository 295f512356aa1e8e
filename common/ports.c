/* SPDX-License-Identifier: MIT */
#include "ports.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fd.h"
#include "str.h"

#define SERVICES_FILE "/etc/services"
#define SERVICES_MAX  ((size_t)256 << 10)

static const struct {
	const char *name;
	uint16_t port;
} known[] = {
	{"http", 80},         {"https", 443},       {"redis", 6379}, {"rediss", 6379},
	{"postgres", 5432},   {"postgresql", 5432}, {"mysql", 3306}, {"amqp", 5672},
	{"amqps", 5671},      {"mongodb", 27017},   {"nats", 4222},  {"memcached", 11211},
	{"mqtt", 1883},       {"mqtts", 8883},      {"ldap", 389},   {"ldaps", 636},
	{"kafka", 9092},      {"grpc", 50051},      {"domain", 53},  {"smtp", 25},
	{"prometheus", 9090},
};

uint16_t port_well_known(const char *name, unsigned long len)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0)
			return known[i].port;
	return 0;
}

const char *port_service(uint16_t port)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].port == port)
			return known[i].name;
	return NULL;
}

/* NAME PORT/PROTOCOL ALIAS... # comment. The port, when NAME or an alias is the one. */
static uint16_t port_of_line(char *line, const char *name)
{
	char *rest, *word, *slash;
	uint64_t port = 0;
	bool same;

	line[strcspn(line, "#")] = '\0';
	word = strtok_r(line, " \t", &rest);
	same = word && strcmp(word, name) == 0;
	word = word ? strtok_r(NULL, " \t", &rest) : NULL;
	slash = word ? strchr(word, '/') : NULL;
	if (!slash)
		return 0;
	*slash = '\0';
	if (!parse_uint(word, 65535, &port))
		return 0;
	while (!same && (word = strtok_r(NULL, " \t", &rest)))
		same = strcmp(word, name) == 0;
	return same ? (uint16_t)port : 0;
}

uint16_t port_by_name(const char *name)
{
	uint16_t port = port_well_known(name, strlen(name));
	char *text = port ? NULL : malloc(SERVICES_MAX), *rest, *line;

	if (text && fd_read_file(SERVICES_FILE, text, SERVICES_MAX) > 0)
		for (line = strtok_r(text, "\n", &rest); line && !port;
		     line = strtok_r(NULL, "\n", &rest))
			port = port_of_line(line, name);
	free(text);
	return port;
}
