/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_ROUTES_H
#define SIDECAR_ROUTES_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stdint.h>

#include "snapshot.h"
#include "text.h"

/*
 * Paths and what is answered there. A handler reads a view and fills a reply; one function turns
 * every reply into HTTP. No request changes anything.
 */
struct head;
struct hosts;
struct routes;
struct sidecar;

struct request {
	struct sidecar *sidecar;
	struct MHD_Connection *connection;
	const char *rest; /* what follows the path of a route that ends in '/' */
	bool head;        /* of the answer only the head is wanted */
	bool verbose;     /* ?verbose */
};

struct reply {
	unsigned status;               /* 200 unless the handler says otherwise */
	const char *type;              /* text/plain unless the handler says otherwise */
	struct text body;              /* taken over */
	char etag[64];                 /* empty: none */
	char policy[384];              /* Content-Security-Policy; empty: none */
	unsigned retry_after;          /* seconds; 0: not said */
	unsigned max_age;              /* seconds for which it may be used again; 0: not at all */
	bool vary;                     /* the answer depends on Accept */
	struct MHD_Response *response; /* in place of the body; taken over */
};

typedef void route_handler(struct request *request, struct reply *reply);

/* Whether the client has this ETag already (If-None-Match). */
bool request_has(const struct request *request, const char *etag);
/* Whether the URL has this word behind the question mark. */
bool request_asks(const struct request *request, const char *word);

struct routes *routes_create(struct sidecar *sidecar, struct hosts *hosts);
void routes_destroy(struct routes *routes);

/*
 * Looks at the head of a request: one that is not HTTP to the letter, another method
 * than GET and HEAD, or a body, is refused at once, and the connection ends with that.
 */
enum MHD_Result routes_refuse(struct routes *routes, struct MHD_Connection *connection,
			      const char *method, const struct head *head);
enum MHD_Result routes_answer(struct routes *routes, struct MHD_Connection *connection,
			      const char *method, const char *path, const struct head *head);

/* For muster_http_requests_total: walks paths and statuses that were seen. */
typedef void routes_count(void *data, const char *path, unsigned status, uint64_t requests);
void routes_counts(const struct routes *routes, routes_count *call, void *data);

#endif
