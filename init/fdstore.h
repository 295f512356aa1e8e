/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FDSTORE_H
#define MUSTER_FDSTORE_H

#include <stdbool.h>
#include <stddef.h>

#include "loop.h"
#include "notice.h"

/*
 * Descriptors that a service leaves with init (FDSTORE=1 of sd_notify(3)): kept while it is started
 * again, handed back at each start behind its sockets in the way of sd_listen_fds(3), and closed
 * when it comes to rest. One whose other end has gone is dropped, unless FDPOLL=0 came with it.
 */
#define FDSTORE_MAX 16 /* of one service */

struct spawn_fd;
struct supervisor;

struct stored_fd {
	struct loop_source source; /* its fd is -1 unless it is watched */
	struct fdstore *store;
	int fd;
	bool used;
	char name[NOTICE_NAME_MAX + 1];
};

/* Zeroed is empty. */
struct fdstore {
	unsigned count;
	struct stored_fd entries[FDSTORE_MAX];
};

/* Takes fd over. False: there is no room, in the store or in init, and it was closed. One that is
 * there already is closed and counts as taken. */
bool fdstore_add(struct supervisor *sup, struct fdstore *store, int fd,
		 const struct notice *notice);
/* Drops those with this name. */
void fdstore_remove(struct supervisor *sup, struct fdstore *store, const char *name);
void fdstore_clear(struct supervisor *sup, struct fdstore *store);

/* Writes what a new process gets, from descriptor `first` on, and appends their names, each with a
 * colon before it, to `names` (cut to fit). Returns how many. */
unsigned fdstore_list(const struct fdstore *store, struct spawn_fd *fds, int first, char *names,
		      size_t size);

#endif
