/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_GPU_HELPER_H
#define SIDECAR_GPU_HELPER_H

/*
 * Who asks the driver, so that a call that hangs or a library that crashes does no harm: two
 * processes of this program beside the sidecar, forked from it before it confines itself.
 *
 * The keeper does nothing but wait; it starts a reader when the sidecar orders one, kills it when
 * the sidecar orders that, and says when one has ended. The reader opens the library, says what it
 * found (struct gpu_ready), then answers questions; a thread of its own waits for the events of the
 * driver. Neither wakes up by itself. Both end with the sidecar: it closes its ends, and the kernel
 * kills them when it dies.
 *
 * Both have no capabilities, no way to any, cannot execute programs, have no network, and of what
 * the driver's library has no use for nothing (the table in gpu_helper.c): it is a list of what is
 * denied, as what the library does use differs with the driver.
 */

/* Run in the child of a fork; does not return. `orders` and `talk` are its ends. */
_Noreturn void gpu_keep(int orders, int talk, const char *library, int parent);

#endif
