/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_WIRE_H
#define MUSTER_WIRE_H

#include <stddef.h>
#include <stdint.h>

/*
 * The control socket, $MUSTER_RUN_DIR/control.sock: SOCK_SEQPACKET, one message a packet, each a
 * header and a body of at most WIRE_BODY_MAX bytes (docs/control-protocol.md). A number is never
 * used twice; an unknown type is answered with WIRE_UNKNOWN. Byte order is the machine's.
 *
 * Reading (WIRE_EVENTS, WIRE_LOGS, WIRE_PING) is open to whoever can connect; requests that change
 * something need uid 0 or init's own uid, as the kernel tells it (SO_PEERCRED).
 */
#define WIRE_VERSION  1
#define WIRE_BODY_MAX 4000
#define WIRE_SOCKET   "control.sock"

enum wire_type {
	/* requests */
	WIRE_PING = 1,     /* no body: answered WIRE_DONE */
	WIRE_START = 2,    /* struct wire_service */
	WIRE_STOP = 3,     /* struct wire_service */
	WIRE_RESTART = 4,  /* struct wire_service */
	WIRE_SIGNAL = 5,   /* struct wire_service, `number` is the signal */
	WIRE_RELOAD = 6,   /* no body */
	WIRE_SHUTDOWN = 7, /* no body */
	WIRE_EVENTS = 8,   /* no body: WIRE_DONE, then WIRE_EVENT until the client leaves */
	WIRE_LOGS = 9,     /* struct wire_logs: WIRE_LINE ..., then WIRE_DONE unless following */
	/*
	 * u32: so many lines to leave out. What WIRE_RELOAD would do, a line for each service:
	 * ACTION NAME, and behind it the keys that changed (KEY,KEY...), or for `follow` the
	 * service it restarts with. Actions: keep, restart, follow, start, stop; change, add,
	 * remove for what is not to run. WIRE_PART: there is more; ask again.
	 */
	WIRE_PREVIEW = 10,
	/* no body: WIRE_DONE, and from there on the connection is the channel of probe_link.h to a
	 * sidecar that init has not started; WIRE_REFUSED, or WIRE_FAILED: there is one already */
	WIRE_SIDECAR = 11,
	/* answers */
	WIRE_DONE = 64,      /* text, may be empty */
	WIRE_REFUSED = 65,   /* text: not permitted */
	WIRE_NOT_FOUND = 66, /* text: no such service */
	WIRE_FAILED = 67,    /* text: why, possibly several lines */
	WIRE_UNKNOWN = 68,   /* this init does not know that type or version */
	WIRE_EVENT = 69,     /* struct wire_event */
	WIRE_LINE = 70,      /* struct wire_line */
	WIRE_LOST = 71,      /* u64: so many lines were gone before this client could read them */
	WIRE_PART = 72       /* text: complete lines, and there are more */
};

struct wire_header {
	uint16_t version;
	uint16_t type; /* enum wire_type */
	uint32_t size; /* of the body */
};

struct wire_service {
	int32_t number;
	char name[64]; /* NUL-terminated */
};

struct wire_logs {
	uint32_t lines;  /* so many of the last lines first */
	uint32_t follow; /* 1: then whatever comes */
	uint32_t names;  /* how many names follow; 0: all services. Each 64 bytes, NUL-terminated */
};

/*
 * A change of state of a service; or, with service WIRE_EVENT_SYSTEM, of the whole: state is the
 * phase; or, with WIRE_EVENT_ADDRESS, of an address: `reason` says where it is now.
 */
struct wire_event {
	uint64_t time;          /* CLOCK_MONOTONIC, ns */
	uint64_t time_realtime; /* CLOCK_REALTIME, ns */
	uint16_t service;
	uint8_t old_state;
	uint8_t state;
	int32_t pid;
	int32_t last_exit;
	char name[64];
	char reason[72];
};
#define WIRE_EVENT_SYSTEM  0xffff
#define WIRE_EVENT_ADDRESS 0xfffe

/* One line of output; the text follows the struct, without newline, to the end of the body. A long
 * one comes in several messages, one behind another. */
struct wire_line {
	uint64_t time_realtime;
	uint16_t service;
	uint8_t stream; /* 1 stdout, 2 stderr */
	uint8_t part;   /* WIRE_PART_... */
	uint8_t pad[4];
	char name[64];
};
#define WIRE_PART_LATER 1 /* goes on with the line of the message before */
#define WIRE_PART_MORE  2 /* the next message goes on with it, unless that says LOST */

/*
 * Builds a message in `buffer` (at least sizeof(struct wire_header) + WIRE_BODY_MAX bytes) from up
 * to two parts; the second is cut where it does not fit. Returns the whole length.
 */
size_t wire_encode(void *buffer, enum wire_type type, const void *body, size_t size,
		   const void *tail, size_t tail_size);

/*
 * Checks a received packet of `len` bytes. Returns the type and points at the body, or -EPROTO for
 * a packet that is too short, of another version, or whose size is not that of the packet.
 */
int wire_decode(const void *packet, size_t len, const void **body, size_t *size);

/* Whether the 64-byte name in a request is NUL-terminated and not empty. */
int wire_name_valid(const char name[64]);

#endif
