/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_HOSTS_FILE_H
#define MUSTER_HOSTS_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Our lines in a hosts file: each ends with HOSTS_MARK, so that they are known again after a crash,
 * and whatever else is in the file stays, byte for byte.
 */
#define HOSTS_PATH "/etc/hosts"
#define HOSTS_MARK "# muster"
#define HOSTS_MAX  ((size_t)8 << 20) /* a larger file is left alone */

/*
 * The file's text with `lines` ("ADDRESS NAME...\n" each) in place of our earlier ones. A name that
 * somebody else's line has is left out: that line counts. Malloc'ed; NULL: no memory.
 */
char *hosts_edit(const char *text, const char *lines);

/* Whether one of our lines in the text has this name. */
bool hosts_has_ours(const char *text, const char *name);

/*
 * Changes the file: by a rename where that can be, in place where the file is a mount (as Docker
 * and Kubernetes have it) or a link. 0, or -errno; nothing is written when nothing changes.
 */
int hosts_write(const char *path, const char *lines);

#endif
