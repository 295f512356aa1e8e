/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_STRICT_H
#define SIDECAR_STRICT_H

#include <microhttpd.h>
#include <stdbool.h>

/* What one walk over the head of a request tells. */
struct head {
	bool whole;       /* HTTP to the letter; if it is not, nothing else is known */
	bool body;        /* one is announced */
	bool query;       /* there may be one: the target is more than the path */
	const char *host; /* NULL: not said; as long as the request */
};

/*
 * Whether libmicrohttpd is to be strict by itself (MHD_OPTION_STRICT_FOR_CLIENT): from 0.9.76 on.
 * Of what earlier ones refuse while they read the head they send the head of the answer twice, so
 * there all is looked at here.
 */
#define STRICT_BY_LIBRARY (MHD_VERSION >= 0x00097600)

/* The end of a request's target with its query, before anything in it is decoded; NULL: it has what
 * no target may have. */
const char *strict_target(const char *target);

/*
 * Whether the head of a request is HTTP to the letter (RFC 9112). libmicrohttpd takes what it can
 * make sense of: a NUL in the middle of a header, lines that end in LF alone, a blank before the
 * colon, blanks in the target, headers that go on in another line, two hosts or, in HTTP/1.1, none.
 * Where another program on the way makes another sense of that, a request is smuggled past it; so
 * here they are all refused.
 *
 * `method`, `path` and `version` as the first call of the handler has them, `uri_end` by
 * strict_target.
 */
struct head strict_head(struct MHD_Connection *connection, const char *method, const char *path,
			const char *uri_end, const char *version);

#endif
