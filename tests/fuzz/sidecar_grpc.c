/* SPDX-License-Identifier: MIT */
/*
 * What a server answers to a gRPC check: two bytes of status, lines of its head and trailers, a
 * NUL, and the message. Only what says SERVING is healthy, and the reason is fit to be shown.
 */
#include "probe_grpc.h"

#include "take.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reason(const char *reason)
{
	if (!*reason || strnlen(reason, GRPC_REASON) == GRPC_REASON)
		abort();
	for (; *reason; reason++)
		if (*reason < ' ' || *reason > '~')
			abort();
}

/* Any message but five bytes of frame and the one field needs more than this to say SERVING. */
static void check_healthy(const struct grpc_answer *answer, const uint8_t *message, size_t len)
{
	if (answer->status != 200 || !answer->typed || answer->code != 0 || len < 7 ||
	    message[0] != 0 || !memmem(message + 5, len - 5, "\x08", 1))
		abort();
}

static void check_request(const char *service)
{
	uint8_t out[GRPC_REQUEST_MAX];
	size_t len = strlen(service), size = grpc_request(out, service);

	if ((size == 0) != (len > GRPC_SERVICE_MAX))
		abort();
	if (size && (size < 5 + len || memcmp(out + size - len, service, len) != 0 ||
		     (size_t)(out[3] << 8 | out[4]) != size - 5))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct take take = {data, data + size};
	struct grpc_answer answer = {.code = -1};
	char reason[GRPC_REASON] = "", *head, *line;

	answer.status = take_byte(&take) & 1 ? 200 : take_byte(&take);
	head = take_text(&take);
	check_request(head);
	for (line = head; *line;) {
		size_t len = strcspn(line, "\n");

		len += line[len] == '\n';
		grpc_take_line(&answer, line, len);
		line += len;
	}
	if (answer.code < -1 || answer.code > 9999)
		abort();
	if (grpc_judge(&answer, take.at, take_left(&take), reason) == GRPC_HEALTHY)
		check_healthy(&answer, take.at, take_left(&take));
	else
		check_reason(reason);
	free(head);
	return 0;
}
