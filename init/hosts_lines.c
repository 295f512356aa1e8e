/* SPDX-License-Identifier: MIT */
#include "hosts_lines.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "address.h"
#include "fd.h"
#include "hosts_file.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"
#include "writers.h"

void hosts_changed(struct supervisor *sup)
{
	sup->hosts.dirty = sup->config->hosts || sup->hosts.path[0];
}

/* A name that leads to itself is the DNS's: our line would hide what the DNS says next. */
static void write_entry(int fd, const struct address_entry *entry)
{
	char line[sizeof(entry->now->number) + HOST_SIZE + 4];
	int len;

	if (!entry->now || !entry->now->number[0] || strchr(entry->now->number, '%'))
		return;
	for (char *const *name = entry->hosts; *name; name++) {
		if (strcasecmp(*name, entry->now->host) == 0)
			continue;
		len = snprintf(line, sizeof(line), "%s %s\n", entry->now->number, *name);
		if (len > 0 && (size_t)len < sizeof(line))
			fd_write_all(fd, line, (size_t)len);
	}
}

/* All lines, in a file in memory, to be read from its beginning; -1: it cannot be had. Without a
 * book there are none. */
static int make_lines(const struct address_book *book)
{
	int fd = memfd_create("hosts", MFD_CLOEXEC);

	for (uint32_t i = 0; fd >= 0 && book && i < book->count; i++)
		write_entry(fd, &book->entries[i]);
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

static void start_writer(struct supervisor *sup, int lines)
{
	pid_t pid =
		writer_start_once(sup, HOSTS_WRITER_OPTION, sup->hosts.path, lines, CHILD_HOSTS);

	sup->hosts.pid = pid > 0 ? pid : 0;
}

void hosts_run(struct supervisor *sup)
{
	struct hosts_run *hosts = &sup->hosts;
	const char *path = sup->config->hosts;
	bool leaves = hosts->path[0] && (!path || strcmp(path, hosts->path) != 0);
	int lines;

	if (!hosts->dirty || hosts->pid || sup->stage >= STAGE_STOP)
		return;
	if (!leaves && path)
		snprintf(hosts->path, sizeof(hosts->path), "%s", path);
	lines = make_lines(leaves ? NULL : sup->config->addresses);
	if (lines >= 0)
		start_writer(sup, lines);
	else
		log_warning("no descriptor for the lines of %s", hosts->path);
	if (lines >= 0)
		close(lines);
	/* another file may be next */
	hosts->dirty = leaves && path;
	if (leaves)
		hosts->path[0] = '\0';
}

void hosts_ended(struct supervisor *sup)
{
	sup->hosts.pid = 0;
}

void hosts_restore(struct supervisor *sup)
{
	if (sup->hosts.path[0])
		hosts_write(sup->hosts.path, "");
}
