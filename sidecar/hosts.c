/* SPDX-License-Identifier: MIT */
#include "hosts.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "mem.h"
#include "target.h"

#define NAMES_MAX 32

struct hosts {
	char *names[NAMES_MAX];
	size_t count;
	char last[128]; /* the last value that was allowed: clients rarely change */
};

static const char *const private_suffixes[] = {".localhost", ".local", ".internal", ".svc"};

struct hosts *hosts_create(void)
{
	struct hosts *hosts = mem_alloc(sizeof(*hosts));
	char name[256] = "";

	if (gethostname(name, sizeof(name) - 1) == 0)
		hosts_add(hosts, name);
	return hosts;
}

void hosts_add(struct hosts *hosts, const char *name)
{
	if (name && *name && hosts->count < NAMES_MAX)
		hosts->names[hosts->count++] = mem_strdup(name);
}

void hosts_destroy(struct hosts *hosts)
{
	for (size_t i = 0; i < hosts->count; i++)
		free(hosts->names[i]);
	free(hosts);
}

static bool is_name(const char *name)
{
	for (; *name; name++)
		if (!(*name >= 'a' && *name <= 'z') && !(*name >= 'A' && *name <= 'Z') &&
		    !(*name >= '0' && *name <= '9') && !strchr("-._", *name))
			return false;
	return true;
}

static bool is_private(const char *name)
{
	size_t len = strlen(name);

	if (!strchr(name, '.'))
		return true;
	for (size_t i = 0; i < sizeof(private_suffixes) / sizeof(private_suffixes[0]); i++) {
		size_t suffix = strlen(private_suffixes[i]);

		if (len > suffix && strcasecmp(name + len - suffix, private_suffixes[i]) == 0)
			return true;
	}
	return false;
}

static bool is_known(const struct hosts *hosts, const char *name)
{
	for (size_t i = 0; i < hosts->count; i++)
		if (strcasecmp(hosts->names[i], name) == 0)
			return true;
	return false;
}

bool hosts_allow(struct hosts *hosts, const char *value)
{
	union address address;
	char name[256];
	uint16_t port;
	size_t len;

	if (strcmp(value, hosts->last) == 0 && *value)
		return true;
	len = strlen(value);
	while (len && strchr(" \t", value[len - 1])) /* is no part of a value */
		len--;
	if (!host_port_split(value, len, name, &port, 80))
		return false;
	len = strlen(name);
	if (len && name[len - 1] == '.') /* fully qualified: the same name */
		name[--len] = '\0';
	if (!len)
		return false;
	if (!address_parse(&address, name, 0) &&
	    (!is_name(name) || (!is_private(name) && !is_known(hosts, name))))
		return false;
	if (strlen(value) < sizeof(hosts->last))
		strcpy(hosts->last, value);
	return true;
}
