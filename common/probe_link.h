/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_PROBE_LINK_H
#define MUSTER_PROBE_LINK_H

#include <stdint.h>

/*
 * The private channel between muster-init and muster-sidecar: a SOCK_SEQPACKET pair, its
 * descriptor number in the sidecar's environment as LINK_VARIABLE; or, to a sidecar that init has
 * not started, a connection to the control socket after WIRE_SIDECAR (wire.h). Init says what to
 * probe; the sidecar answers with verdicts. Fixed-size structs, no text to parse: what comes from a
 * network ends in the sidecar. The first field of every message is its type.
 *
 * Init sends LINK_WATCH when a probe is to run and LINK_DROP when not. `probe` is a slot number
 * below 65536; `serial` is new with each LINK_WATCH, and an answer with another serial is old.
 * The sidecar sends every failure, and every success until `success_threshold` successes in a row
 * have been sent; further successes only as LINK_BEAT, which it also sends at least every
 * LINK_BEAT_MS. Init ends a sidecar that was not heard for LINK_DEAD_MS.
 */
#define LINK_VARIABLE "MUSTER_LINK_FD"
#define LINK_BEAT_MS  10000
#define LINK_DEAD_MS  35000

enum link_type {
	LINK_WATCH = 1,
	LINK_DROP = 2,
	LINK_RESULT = 3,
	LINK_BEAT = 4,
	LINK_STEP = 5,
	LINK_BOOK = 6,
	LINK_ANSWER = 7
};

struct link_watch {
	uint32_t type;
	uint32_t serial;
	uint16_t probe;
	uint16_t service; /* index in the status page */
	uint8_t role;     /* enum probe_role */
	uint8_t kind;     /* PROBE_TCP, PROBE_HTTP or PROBE_GRPC */
	uint8_t pad[2];
	uint32_t period_ms;
	uint32_t timeout_ms;
	uint32_t initial_delay_ms;
	uint32_t success_threshold;
	uint32_t failure_threshold;
	/* tcp://host:port, grpc://host:port/SERVICE, a URL, or address:NAME, which succeeds when
	 * what is in force answers; NUL-terminated */
	char target[1024];
};

struct link_drop {
	uint32_t type;
	uint32_t serial;
	uint16_t probe;
	uint16_t pad;
};

struct link_result {
	uint32_t type;
	uint32_t serial;
	uint16_t probe;
	uint8_t ok;
	uint8_t pad;
	uint32_t latency_us;
	char reason[64]; /* why it failed, NUL-terminated: "connection refused", "status 503" */
};

struct link_beat {
	uint32_t type;
};

/*
 * The address book, whenever there is a new one: LINK_STEP for each step of each address, in order,
 * then LINK_BOOK, which puts them in force. An address has one step at least. `serial` is new with
 * each book. Text that does not fit is cut; all of it is NUL-terminated.
 */
struct link_step {
	uint32_t type;
	uint32_t serial;
	uint16_t address;
	uint16_t port;         /* of the candidate */
	uint32_t check_period; /* ms */
	uint8_t check;         /* enum address_check */
	uint8_t found;         /* the step gave a candidate: host, port, srv */
	uint8_t pad[2];
	char name[64];
	char host[256];
	char srv[256];
	char source[192];
	char note[192];
};

struct link_book {
	uint32_t type;
	uint32_t serial;
	uint32_t addresses;
	char mode[16];
	char mode_source[128];
};

/*
 * What the sidecar found: of this address that candidate is in force. For an SRV record `host` and
 * `port` are what DNS said; `host` is empty where they are the candidate's own. `number` is the
 * numeric address behind it, empty when it is not known. `moved`: that has become another one, so
 * that who holds a connection holds it to the wrong place. Init takes nothing but characters of
 * host names from it.
 */
struct link_answer {
	uint32_t type;
	uint32_t serial; /* of the book */
	uint16_t address;
	uint16_t candidate;
	uint16_t port;
	uint8_t moved;
	uint8_t pad;
	char host[256];
	char number[48];
};

#endif
