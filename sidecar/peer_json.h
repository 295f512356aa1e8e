/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PEER_JSON_H
#define SIDECAR_PEER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What another host's /status says, as far as it concerns us: bytes from a network, believed only
 * in form. Names are names, texts and lists are bounded, numbers lie in their range; what is not so
 * makes the whole answer a bad one. Fields that are not known are passed over.
 */
#define PEER_SCHEMA       1                 /* of /status, that we understand */
#define PEER_BODY_MAX     ((size_t)1 << 20) /* bytes of an answer */
#define PEER_VALUES_MAX   131072            /* values in it */
#define PEER_SERVICES_ALL 1024              /* services of one host */
#define PEER_DEPS_MAX     8192              /* dependencies of all of them */

struct peer_service {
	uint32_t name;      /* in `text` */
	uint32_t first_dep; /* in `deps` */
	uint16_t dep_count;
	uint8_t state; /* enum service_state; STATE_COUNT: a word that is not known */
	uint8_t type;  /* enum service_type, likewise */
	bool ready;
	bool running; /* it has a process */
};

struct peer_report {
	char host[64];
	char mode[16];
	uint8_t phase; /* enum system_phase; PHASE_COUNT: not said, or not known */
	bool ready;
	int score; /* 0 to 100; -1: not said */
	uint32_t service_count, dep_count;
	struct peer_service *services;
	uint32_t *deps; /* names, in `text`; PEER/NAME[:condition] is a service of another host */
	char *text;     /* NUL-ended names, one behind the other */
	uint32_t text_len;
};

/* Reads it; `body` has a NUL behind its `len` bytes. NULL with *error (static text). */
struct peer_report *peer_report_read(const char *body, size_t len, const char **error);
void peer_report_free(struct peer_report *report);
bool peer_report_same(const struct peer_report *a, const struct peer_report *b);

static inline const char *peer_service_name(const struct peer_report *report, uint32_t index)
{
	return report->text + report->services[index].name;
}
/* The index of the service with this name, or -1. */
int peer_report_find(const struct peer_report *report, const char *name);

#endif
