/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_CONFINE_H
#define SIDECAR_CONFINE_H

/*
 * The sidecar reads what strangers send. So before it does it gives up what it does not need, for
 * good: all capabilities and the way to get any; what of the file system and of TCP is not in the
 * tables of confine.c (landlock(7), as far as the kernel has it); system calls that are not in the
 * list there (seccomp(2)): they fail with EPERM, and the kernel logs them.
 *
 * To be called when all is open that has to be (ports, configuration, libraries) and before a
 * thread is started. What the machine cannot do is said once, and is no reason not to run: the
 * sidecar is a user without rights anyway.
 */
struct sidecar;

void confine(const struct sidecar *sidecar);
/* Only the capabilities, for a process of this program that needs more of the rest. */
void confine_capabilities(void);

#endif
