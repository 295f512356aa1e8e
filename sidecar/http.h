/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_HTTP_H
#define SIDECAR_HTTP_H

#include <curl/curl.h>
#include <stdbool.h>

#include "target.h"

/*
 * HTTP requests in the sidecar's loop, by libcurl: what those who ask have in common, whatever they
 * ask for. No redirect is followed, no proxy asked, nothing but http and https spoken; names are
 * resolved before (resolve.h), so a call goes to an address that it is given. Connections are kept
 * and used again.
 */
struct http;
struct loop;

struct http *http_create(struct loop *loop, long kept_connections);
void http_destroy(struct http *http);

/* Told once of a call that is over. It is still added: http_call_cancel takes it out, which may be
 * done here. */
typedef void http_done(void *data, CURLcode code);

/* A request that is made again and again; owned by who asks, `done` and `data` set by him, the rest
 * zero. More of `easy` may be set by him: callbacks, headers, the URL. */
struct http_call {
	CURL *easy; /* NULL: not opened */
	struct curl_slist *connect_to;
	bool active; /* added to the multi handle */
	http_done *done;
	void *data;
};

/* False: out of memory. */
bool http_call_open(struct http_call *call, const char *agent);
void http_call_close(struct http_call *call);

/* Whatever host and port the URL has, the connection goes to this address. */
void http_call_begin(struct http *http, struct http_call *call, const union address *address);
void http_call_cancel(struct http *http, struct http_call *call);

#endif
