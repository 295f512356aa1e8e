/* SPDX-License-Identifier: MIT */
#include "probe_curl.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "mem.h"

/* The parts of a URL that say who answers. */
struct origin {
	char *scheme, *host, *port;
};

static void origin_read(struct origin *origin, CURLU *url)
{
	*origin = (struct origin){NULL, NULL, NULL};
	curl_url_get(url, CURLUPART_SCHEME, &origin->scheme, 0);
	curl_url_get(url, CURLUPART_HOST, &origin->host, 0);
	curl_url_get(url, CURLUPART_PORT, &origin->port, CURLU_DEFAULT_PORT);
}

static void origin_free(struct origin *origin)
{
	curl_free(origin->scheme);
	curl_free(origin->host);
	curl_free(origin->port);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && strcasecmp(a, b) == 0;
}

/* It comes from strangers and goes into logs. */
static void write_origin(const struct origin *origin, char text[REDIRECT_TEXT])
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._:/[]";

	bool has_port = origin->port && strcmp(origin->port, "0") != 0; /* file: has none */

	snprintf(text, REDIRECT_TEXT, "%s://%s%s%s", origin->scheme ? origin->scheme : "?",
		 origin->host ? origin->host : "", has_port ? ":" : "",
		 has_port ? origin->port : "");
	for (; *text; text++)
		if (!strchr(plain, *text))
			*text = '?';
}

char *redirect_url(const char *from, const char *location, char elsewhere[REDIRECT_TEXT])
{
	CURLU *old = curl_url(), *new = curl_url();
	struct origin here = {NULL, NULL, NULL}, there = {NULL, NULL, NULL};
	char *text = NULL, *copy = NULL;

	snprintf(elsewhere, REDIRECT_TEXT, "what is not a URL");
	if (old && new &&curl_url_set(old, CURLUPART_URL, from, 0) == CURLUE_OK &&
	    curl_url_set(new, CURLUPART_URL, from, 0) ==
		    CURLUE_OK &&curl_url_set(new, CURLUPART_URL, location,
					     CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK) {
		origin_read(&here, old);
		origin_read(&there, new);
		write_origin(&there, elsewhere);
		if (same_text(here.scheme, there.scheme) && same_text(here.host, there.host) &&
		    same_text(here.port, there.port) &&
		    curl_url_get(new, CURLUPART_URL, &text, 0) == CURLUE_OK)
			copy = mem_strdup(text);
	}
	curl_free(text);
	origin_free(&here);
	origin_free(&there);
	curl_url_cleanup(old);
	curl_url_cleanup(new);
	return copy;
}
