/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_NOTICE_H
#define MUSTER_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What one datagram of sd_notify(3) says: assignments, one a line, in any order; of several with
 * the same name the last one counts. Names and values that mean nothing are passed over, as the
 * protocol wants it. docs/notify.md holds the table of what becomes of each.
 */
#define NOTICE_MAX      4096 /* bytes of a datagram, as systemd has it */
#define NOTICE_NAME_MAX 255  /* of FDNAME */

enum notice_state { NOTICE_NONE, NOTICE_READY, NOTICE_RELOADING, NOTICE_STOPPING };

#define NOTICE_ABSENT UINT64_MAX /* a number that is not given */

struct notice {
	const char *status;     /* STATUS; NULL: not given. Not cleaned */
	const char *error;      /* BUSERROR or VARLINKERROR; NULL. Not cleaned */
	const char *fd_name;    /* FDNAME, where it may be one; NULL */
	uint64_t main_pid;      /* MAINPID */
	uint64_t error_number;  /* ERRNO */
	uint64_t watchdog_usec; /* WATCHDOG_USEC */
	uint64_t extend_usec;   /* EXTEND_TIMEOUT_USEC */
	uint8_t state;          /* enum notice_state */
	bool ping;              /* WATCHDOG=1 */
	bool trigger;           /* WATCHDOG=trigger */
	bool store;             /* FDSTORE=1 */
	bool remove;            /* FDSTOREREMOVE=1 */
	bool unpolled;          /* FDPOLL=0 */
};

/*
 * Reads `size` bytes, which are changed, and behind which there is room for a NUL; pointers in *out
 * lead into them. False: longer than NOTICE_MAX, or with a NUL inside, and nothing of it counts.
 */
bool notice_read(char *text, size_t size, struct notice *out);

/* Copies text for people to read, cut at a character's end: what cannot be shown becomes '?'. */
void notice_clean(char *out, size_t size, const char *text);

#endif
