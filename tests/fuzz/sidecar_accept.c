/* SPDX-License-Identifier: MIT */
/* The bytes are an Accept header of /metrics. Whatever it says, one of the four types is answered,
 * and what is malformed is answered in text. */
#include <stdlib.h>
#include <string.h>

#include "metrics_accept.h"

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size)
{
	char *header = malloc(size + 1);
	struct metrics_accept accept;
	const char *type;

	if (!header)
		return 0;
	memcpy(header, data, size);
	header[size] = '\0';
	metrics_accept_begin(&accept);
	metrics_accept_read(&accept, header);
	type = metrics_accept_type(&accept);
	if ((strncmp(type, "application/openmetrics-text;", 29) == 0) !=
	    metrics_accept_open(&accept))
		abort();
	if (accept.malformed && strcmp(type, "text/plain; version=0.0.4; charset=utf-8") != 0)
		abort();
	free(header);
	return 0;
}
