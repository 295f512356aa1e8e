/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_TRIM_H
#define SIDECAR_TRIM_H

#include <stdint.h>

/*
 * Loading forty libraries touches far more of them than this program ever uses: symbols and
 * relocations are read, constructors run. Some time after the start, when the first checks have
 * been made, all pages that only mirror a file leave the program, once; what is really used comes
 * back from the page cache, page by page. What malloc holds for nothing is returned, too.
 */
#define TRIM_SECONDS 20 /* after the start */

struct loop;

struct trim {
	uint64_t at; /* NEVER: it is done */
};

/* It is done when the loop is awake anyway. */
void trim_begin(struct trim *trim, struct loop *loop);
/* At once, for tests. */
void trim_now(void);

#endif
