/* SPDX-License-Identifier: MIT */
/* The bytes are a datagram of sd_notify(3). What comes of it is bounded, and fit to be shown. */
#include <stdlib.h>
#include <string.h>

#include "notice.h"
#include "utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SHOWN 72

static void check_clean(const char *text)
{
	char out[SHOWN];

	if (!text)
		return;
	notice_clean(out, sizeof(out), text);
	if (strlen(out) >= sizeof(out))
		abort();
	for (const char *at = out; *at; at += utf8_length(at))
		if (!utf8_length(at) || (unsigned char)*at < ' ' || *at == 0x7f)
			abort();
}

static void check_number(uint64_t number, uint64_t most)
{
	if (number != NOTICE_ABSENT && number > most)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* exactly as much room as is promised */
	char *text = malloc(size + 1);
	struct notice notice;

	if (!text)
		return 0;
	memcpy(text, data, size);
	if (notice_read(text, size, &notice)) {
		check_clean(notice.status);
		check_clean(notice.error);
		if (notice.fd_name && (!*notice.fd_name || strchr(notice.fd_name, ':') ||
				       strlen(notice.fd_name) > NOTICE_NAME_MAX))
			abort();
		check_number(notice.main_pid, INT32_MAX);
		check_number(notice.error_number, INT32_MAX);
		check_number(notice.watchdog_usec, UINT64_MAX / 2000);
		check_number(notice.extend_usec, UINT64_MAX / 2000);
		if (notice.state > NOTICE_STOPPING)
			abort();
	} else if (size <= NOTICE_MAX && !memchr(data, '\0', size)) {
		abort();
	}
	free(text);
	return 0;
}
