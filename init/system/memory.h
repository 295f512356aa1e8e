/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_MEMORY_H
#define MUSTER_MEMORY_H

/*
 * The start touches code all over the program and the C library; waiting needs a few pages of it.
 * Unmapped, the rest is the kernel's to take back whenever it likes, without having to look for who
 * uses it; what is needed again comes from the page cache. Allocates nothing and cannot fail.
 */
void memory_give_back_code(void);

#endif
