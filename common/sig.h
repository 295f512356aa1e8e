/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SIG_H
#define MUSTER_SIG_H

#include <stddef.h>

/*
 * Names of signals, 1..64: SIGTERM, TERM, 15, SIGRTMIN+3, RTMIN+3, RTMAX-1. Real-time names count
 * from 34 and to 64 as glibc does, so that a name means the same with every libc.
 */
#define SIG_FIRST_RT 34
#define SIG_LAST_RT  64

/* The number, or -1. Case does not matter. */
int sig_parse(const char *text);
/* The name without SIG ("TERM", "RTMIN+3"); "?" out of range. buffer takes at least 12 bytes. */
const char *sig_name(int signal, char *buffer, size_t size);

#endif
