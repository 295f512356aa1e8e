/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_LANDLOCK_H
#define MUSTER_LANDLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Landlock: a process gives up what of the file system and the network it does not need, without
 * any privilege (landlock(7)). Raw system calls only, nothing allocated: also for use between fork
 * and exec. Behind no_new_privs, and before a seccomp filter.
 */
struct landlock_config;

/* TCP ports; `limited` with none: not at all. Kernels before ABI 4 cannot limit them. */
struct landlock_ports {
	const uint16_t *list;
	size_t count;
	bool limited;
};

struct landlock_rules {
	const struct landlock_config *files; /* config.h; NULL: not limited */
	struct landlock_ports bind, connect;
	/* no signals to processes outside, and no connections to their abstract sockets (ABI 6) */
	bool scope;
};

/* The version of Landlock that the kernel offers; 0: none, or turned off, or refused here. */
int landlock_abi(void);

/*
 * Confines the calling thread for good. What the kernel does not know is left out, as far back as
 * ABI 1 and no Landlock at all; but with LANDLOCK_REQUIRE files must be out of reach for reading
 * and changing (ABI 3), else it is -EOPNOTSUPP. 0 or -errno; of a path, landlock_culprit names it.
 */
int landlock_restrict(const struct landlock_rules *rules);
/* The same for a service, whose confinement is about files. */
int landlock_apply(const struct landlock_config *config);

/* The path that the last call stumbled over, or NULL. Also of a child that shares memory. */
const char *landlock_culprit(void);

/* What a kernel with this version cannot keep of `read_only` and `writable`, as a sentence; NULL:
 * it can do all. */
const char *landlock_shortfall(int abi);

#endif
