/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PROBE_GRPC_H
#define SIDECAR_PROBE_GRPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * grpc.health.v1.Health/Check as gRPC has it over HTTP/2: a message is five bytes (not compressed,
 * length) and a protobuf. Nothing here knows libcurl.
 */
#define GRPC_PATH        "/grpc.health.v1.Health/Check"
#define GRPC_SERVICE_MAX 512
#define GRPC_MESSAGE_MAX 256 /* of an answer; HealthCheckResponse has 2 bytes */

/* The request for `service` (empty: the server as a whole). Returns its size; 0: the name is longer
 * than GRPC_SERVICE_MAX. */
#define GRPC_REQUEST_MAX (5 + 3 + GRPC_SERVICE_MAX)
size_t grpc_request(uint8_t out[GRPC_REQUEST_MAX], const char *service);

/* What is known of an answer. */
struct grpc_answer {
	unsigned status; /* of HTTP */
	bool typed;      /* content-type: application/grpc... */
	int code;        /* grpc-status; -1: none came */
};
/* Takes a header or trailer line, which ends in a line feed. */
void grpc_take_line(struct grpc_answer *answer, const char *line, size_t len);

enum grpc_verdict {
	GRPC_HEALTHY,
	GRPC_UNHEALTHY, /* the server says so */
	GRPC_NO_ANSWER  /* this is not an answer in gRPC */
};
#define GRPC_REASON 64
/* `message`: the body. The reason is filled unless healthy. */
enum grpc_verdict grpc_judge(const struct grpc_answer *answer, const uint8_t *message, size_t len,
			     char reason[GRPC_REASON]);

#endif
