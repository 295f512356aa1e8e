/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_FAULT_H
#define MUSTER_FAULT_H

#include <stdbool.h>

#include "signals.h"

/* The exit code for what must not happen in init itself. */
#define EXIT_INTERNAL 70

/*
 * A fault in init itself (SIGWORD_FAULTS: a bad address, an illegal instruction, abort(), a stack
 * that overflows ...) must not leave a container that looks alive and is not: one line says what
 * and where, everything is killed (as PID 1 all there is, otherwise init's own descendants), and
 * init exits with EXIT_INTERNAL.
 *
 * Returns the signals that are caught, and must not be blocked: a fault that is blocked is the
 * kernel's to end, without a word. The same signals may be sent by somebody, which is no fault.
 * With `keep_sent` such a one is blocked and left pending, for signals_wait() to take, after which
 * the caller sets its mask again; without, it is dropped.
 */
sigword fault_catch(bool keep_sent);

#endif
