/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LISTENER_H
#define MUSTER_LISTENER_H

#include <stdbool.h>
#include <sys/stat.h>

/* A socket that is bound, and listens where its kind does. */
struct identity_config;
struct listen_config;

struct listener {
	int fd;       /* -1: not open */
	dev_t device; /* of the file of a unix socket */
	ino_t inode;
};

/* Both: 0 or -errno, and it is not open. */
/* Opens it, for a service of this identity. */
int listener_open(struct listener *l, const struct listen_config *where,
		  const struct identity_config *identity);
/* Another descriptor of one that is open. */
int listener_share(struct listener *l, const struct listener *other);
/* Closes it; with `remove` the file of a unix socket goes, too, if it is still ours. */
void listener_close(struct listener *l, const struct listen_config *where, bool remove);

#endif
