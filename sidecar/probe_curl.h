/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_PROBE_CURL_H
#define SIDECAR_PROBE_CURL_H

#include <curl/curl.h>
#include <stdint.h>

/* What an HTTP check asks libcurl about certificates and about URLs. */

/* Why the certificate was not accepted. */
const char *tls_text(CURL *easy);
/* When the first certificate of the chain expires that was shown in this transfer's handshake, in
 * seconds of CLOCK_REALTIME; 0: there was no handshake, or no date in it. */
int64_t tls_expiry(CURL *easy);

/* Where a redirect from the URL `from` leads, malloc'ed. NULL: to another scheme, host or port;
 * then `elsewhere` is SCHEME://HOST[:PORT] of that. */
#define REDIRECT_TEXT 48
char *redirect_url(const char *from, const char *location, char elsewhere[REDIRECT_TEXT]);

#endif
