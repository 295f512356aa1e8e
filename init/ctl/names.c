/* SPDX-License-Identifier: MIT */
#include "names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

/* What was made last: the pointers, and behind them their texts. */
static char **made;

static bool is_replica_of(const struct status_record *record, const char *name, size_t len)
{
	const char *dot = strrchr(record->name, '.');

	return record->flags & STATUS_REPLICA && dot && (size_t)(dot - record->name) == len &&
	       memcmp(record->name, name, len) == 0;
}

static int count_replicas(const struct view *view, const char *name)
{
	size_t len = strcspn(name, ":");
	int count = 0;

	for (uint32_t i = 0; i < view->header.record_count; i++)
		count += is_replica_of(&view->records[i], name, len);
	return count;
}

/* Writes the names of all replicas to `text`; returns what is behind them. */
static char *add_replicas(const struct view *view, const char *name, char ***list, char *text)
{
	size_t len = strcspn(name, ":");

	for (uint32_t i = 0; i < view->header.record_count; i++) {
		const struct status_record *record = &view->records[i];

		if (!is_replica_of(record, name, len))
			continue;
		*(*list)++ = text;
		text += sprintf(text, "%s%s", record->name, name + len) + 1;
	}
	return text;
}

char **names_expand(const struct view *view, char **names, int *count)
{
	size_t total = 0, size = 0;
	char **list, *text;
	bool any = false;

	for (int i = 0; i < *count; i++) {
		int replicas = count_replicas(view, names[i]);

		any |= replicas > 0;
		total += replicas > 0 ? (size_t)replicas : 1;
		size += (size_t)replicas * (STATUS_NAME_MAX + strlen(names[i]));
	}
	list = any ? malloc((total + 1) * sizeof(*list) + size) : NULL;
	if (!list)
		return names;
	free(made);
	made = list;
	text = (char *)(list + total + 1);
	for (int i = 0; i < *count; i++) {
		if (count_replicas(view, names[i]) > 0)
			text = add_replicas(view, names[i], &list, text);
		else
			*list++ = names[i];
	}
	*list = NULL;
	*count = (int)total;
	return made;
}

char **names_look_up(const struct ctl *ctl, char **names, int *count)
{
	struct view view;

	if (!*names || view_open(&view, ctl->run_dir))
		return names;
	names = names_expand(&view, names, count);
	view_close(&view);
	return names;
}
