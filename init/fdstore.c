/* SPDX-License-Identifier: MIT */
#include "fdstore.h"

#include <linux/kcmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "spawn.h"
#include "supervisor.h"

#define FDNAME_DEFAULT "stored"
/* What init keeps free of its descriptors, so that no store stands in the way of a start. */
#define FDS_SPARE 128

static void drop(struct supervisor *sup, struct stored_fd *entry)
{
	loop_remove(&sup->loop, &entry->source);
	close(entry->fd);
	entry->used = false;
	entry->store->count--;
}

static void fd_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	(void)events; /* none is asked for: an error, or the other end has gone */
	drop(supervisor_of(loop), container_of(source, struct stored_fd, source));
}

static bool is_same_file(int a, int b)
{
	pid_t self = getpid();

	return syscall(SYS_kcmp, self, self, KCMP_FILE, (unsigned long)a, (unsigned long)b) == 0;
}

static bool holds(const struct fdstore *store, int fd)
{
	for (unsigned i = 0; store->count && i < FDSTORE_MAX; i++)
		if (store->entries[i].used && is_same_file(store->entries[i].fd, fd))
			return true;
	return false;
}

/* The kernel gives out the lowest number, so it says how full the table is. */
static bool table_is_full(int fd)
{
	struct rlimit own;

	return getrlimit(RLIMIT_NOFILE, &own) == 0 && (rlim_t)fd + FDS_SPARE > own.rlim_cur;
}

static struct stored_fd *free_entry(struct fdstore *store)
{
	for (unsigned i = 0; i < FDSTORE_MAX; i++)
		if (!store->entries[i].used)
			return &store->entries[i];
	return NULL;
}

bool fdstore_add(struct supervisor *sup, struct fdstore *store, int fd, const struct notice *notice)
{
	bool held = holds(store, fd);
	struct stored_fd *entry = held ? NULL : free_entry(store);

	if (!entry || table_is_full(fd)) {
		close(fd);
		return held;
	}
	entry->store = store;
	entry->fd = fd;
	entry->used = true;
	entry->source.fd =
		-1; /* its generation goes on: an event of the last one may be on its way */
	entry->source.ready = fd_ready;
	entry->source.class = CLASS_FACT;
	snprintf(entry->name, sizeof(entry->name), "%s",
		 notice->fd_name ? notice->fd_name : FDNAME_DEFAULT);
	if (!notice->unpolled)
		loop_add(&sup->loop, &entry->source, fd, 0); /* a file cannot be watched: fine */
	store->count++;
	return true;
}

void fdstore_remove(struct supervisor *sup, struct fdstore *store, const char *name)
{
	for (unsigned i = 0; store->count && i < FDSTORE_MAX; i++)
		if (store->entries[i].used && (!name || strcmp(store->entries[i].name, name) == 0))
			drop(sup, &store->entries[i]);
}

void fdstore_clear(struct supervisor *sup, struct fdstore *store)
{
	fdstore_remove(sup, store, NULL);
}

unsigned fdstore_list(const struct fdstore *store, struct spawn_fd *fds, int first, char *names,
		      size_t size)
{
	size_t used = strlen(names);
	unsigned count = 0;

	for (unsigned i = 0; store->count && i < FDSTORE_MAX; i++) {
		const struct stored_fd *entry = &store->entries[i];

		if (!entry->used)
			continue;
		fds[count] = (struct spawn_fd){entry->fd, first + (int)count};
		count++;
		if (used < size)
			used += (size_t)snprintf(names + used, size - used, ":%s", entry->name);
	}
	return count;
}
