/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_EVENTS_H
#define MUSTER_EVENTS_H

#include <stdint.h>

/*
 * The last changes of state, for `musterctl events` and `wait`. A ring: each client has a number of
 * its own up to which it has read, so a slow client costs init nothing but its own losses.
 */
#define EVENT_LOG_SIZE 1024

struct event_entry {
	uint64_t time; /* CLOCK_MONOTONIC */
	int32_t pid;
	int32_t last_exit;
	uint16_t slot; /* of the service; WIRE_EVENT_SYSTEM: the whole */
	uint8_t old_state;
	uint8_t state;
};

struct event_log {
	struct event_entry ring[EVENT_LOG_SIZE];
	uint64_t next; /* number of the next event; the oldest kept is next - EVENT_LOG_SIZE */
};

static inline void event_log_add(struct event_log *log, struct event_entry entry)
{
	log->ring[log->next % EVENT_LOG_SIZE] = entry;
	log->next++;
}

#endif
