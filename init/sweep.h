/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SWEEP_H
#define MUSTER_SWEEP_H

/*
 * Sends a signal to every living descendant of this process, at any depth, and to nothing else: for
 * an init that shares its PID namespace with others and must not use kill(-1). Returns how many
 * were found, or -errno when /proc cannot be read.
 */
int sweep_signal(int signo);

#endif
