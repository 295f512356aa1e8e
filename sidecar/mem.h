/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_MEM_H
#define SIDECAR_MEM_H

#include <stddef.h>

/*
 * Memory that is there or the program ends: a sidecar without memory is of no use, and muster-init
 * starts it again without harm to the services. Never returns NULL. Freed with free(3).
 */
void *mem_alloc(size_t size); /* zeroed */
/* As realloc for `count` elements of `size` bytes; new ones are not zeroed. */
void *mem_resize(void *old, size_t count, size_t size);
char *mem_strdup(const char *text);
void *mem_check(void *memory); /* what another allocator gave */

#endif
