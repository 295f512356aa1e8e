/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_CONTROL_H
#define MUSTER_CONTROL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "loop.h"
#include "tail.h"

/*
 * The control socket (wire.h). A client costs init a fixed record: answers are sent without
 * waiting, and streams of events and lines are read from rings by a position that each client has,
 * so one that does not read loses lines and nothing else happens. When all places are taken, the
 * client that has asked for nothing for the longest time has to go.
 */
struct supervisor;

#define CONTROL_CLIENTS 32
#define CONTROL_NAMES   62 /* of WIRE_LOGS */

struct client {
	struct loop_source source;
	uint64_t since; /* when it last asked for something */
	uint64_t event_cursor;
	struct tail_cursor cursor; /* of lines */
	uint32_t line_sent;        /* bytes of the line under way ... */
	uint32_t line_number;      /* ... and which that is */
	uint32_t lines_end;        /* without `follow`: the number of the line to stop at */
	uid_t uid;
	bool events, logs, follow, blocked;
	bool reloading; /* is answered when the new plan is in force */
	uint8_t name_count;
	uint16_t slots[CONTROL_NAMES]; /* services whose lines are wanted; none: all */
};

struct control {
	struct loop_source listener;
	struct client clients[CONTROL_CLIENTS];
	ino_t inode;   /* of the socket's name */
	uid_t own_uid; /* besides root, who may change something */
	int reserve;   /* given up for a moment to refuse a client when descriptors run out */
};

/* Opens the socket in the runtime directory; says so when it cannot. */
void control_open(struct supervisor *sup);
/* Makes it anew where somebody has deleted it. */
void control_renew(struct supervisor *sup);
/* Sends what clients have not got yet; once a turn. */
void control_flush(struct supervisor *sup);
/* A reload that clients asked for is in force, or (why not NULL) could not be: answers them. */
void control_reload_done(struct supervisor *sup, const char *why);
/* Closes and removes the socket. */
void control_close(struct supervisor *sup);

#endif
