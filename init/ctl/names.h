/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_NAMES_H
#define MUSTER_NAMES_H

#include "view.h"

/*
 * A name of a service that has replicas means all of them: it is replaced by theirs, each with the
 * condition that stood behind it, if any. Other names stay as they are. `*count` is how many there
 * are. The list is NULL-ended; it is `names` itself where nothing is replaced, else the memory
 * belongs to this module until the next call.
 */
char **names_expand(const struct view *view, char **names, int *count);
/* The same with a view of its own; without a page the names stay as they are. */
char **names_look_up(const struct ctl *ctl, char **names, int *count);

#endif
