/* SPDX-License-Identifier: MIT */
#include "probe_curl.h"

#include <string.h>
#include <time.h>

const char *tls_text(CURL *easy)
{
	long result = 0;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &result);
	switch (result) { /* numbers of OpenSSL's X509_V_ERR_ */
	case 9:
		return "the certificate is not valid yet";
	case 10:
		return "the certificate has expired";
	case 18:
	case 19:
		return "the certificate is self-signed";
	case 2:
	case 20:
	case 21:
		return "the certificate's issuer is not known";
	case 0: /* or 1: nothing was wrong with it so far, then libcurl compared the names */
	case 1:
	case 62:
	case 63:
	case 64:
		return "the certificate is for another name";
	default:
		return "the certificate is not accepted";
	}
}

/* libcurl's words for a date depend on the library that it has TLS from. */
static int64_t date_of(const char *text)
{
	static const char *const forms[] = {"%b %d %H:%M:%S %Y GMT", "%Y-%m-%d %H:%M:%S GMT"};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = {0};

		if (strptime(text, forms[i], &tm))
			return timegm(&tm);
	}
	return 0;
}

int64_t tls_expiry(CURL *easy)
{
	static const char key[] = "Expire date:";
	struct curl_certinfo *chain = NULL;
	int64_t first = 0;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || !chain)
		return 0;
	for (int i = 0; i < chain->num_of_certs; i++)
		for (const struct curl_slist *line = chain->certinfo[i]; line; line = line->next) {
			int64_t date = strncmp(line->data, key, strlen(key)) == 0
					       ? date_of(line->data + strlen(key))
					       : 0;

			if (date && (!first || date < first))
				first = date;
		}
	return first;
}
