/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PEER_PULL_H
#define SIDECAR_PEER_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * One request to another host's sidecar, from name to body: looked up, connected, asked with
 * If-None-Match, read. One deadline covers all of it; head and body are bounded; no redirect is
 * followed, no proxy asked, nothing unpacked; addresses of this link only (169.254.0.0/16,
 * fe80::/10) are refused. At most PULLS_MAX are under way; their connections are kept.
 */
struct loop;
struct puller;
struct resolver;

#define PULLS_MAX       16
#define PULL_TIMEOUT_MS 5000
#define PULL_CONNECT_MS 2000 /* of it, to one address */
#define PULL_KEPT_MAX   32   /* connections between pulls */
#define PULL_HEAD_MAX   16384
#define ETAG_SIZE       64 /* with the NUL; a longer one is not kept */
#define PULL_ERROR_SIZE 56 /* with the NUL */

/* What came of it; valid during the call. */
struct pulled {
	const char *error; /* NULL: an answer came, with status 200 or 304 */
	bool same;         /* 304: what carried the ETag is still so */
	const char *etag;  /* "": none */
	const char *body;  /* with a NUL behind it; NULL with 304 */
	size_t len;
	size_t received; /* bytes of head and body */
};
typedef void pull_done(void *data, const struct pulled *pulled);

struct puller *puller_create(struct loop *loop, struct resolver *resolver);
void puller_destroy(struct puller *puller);

bool puller_has_room(const struct puller *puller);
/* There must be room. `done` is called once, later or before this returns, unless the pull is
 * cancelled. `url` and `etag` ("": none) are read before it returns. */
void pull_begin(struct puller *puller, const char *url, const char *etag, pull_done *done,
		void *data);
/* Ends the pull of `data`, if there is one. */
void pull_cancel(struct puller *puller, const void *data);

#endif
