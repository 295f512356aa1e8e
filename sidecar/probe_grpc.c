/* SPDX-License-Identifier: MIT */
#include "probe_grpc.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FRAME 5 /* bytes before each message */

/* ---- the request ---- */

static size_t put_varint(uint8_t *out, size_t value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		out[len++] = (uint8_t)(value | 0x80);
	out[len++] = (uint8_t)value;
	return len;
}

size_t grpc_request(uint8_t out[GRPC_REQUEST_MAX], const char *service)
{
	size_t len = strlen(service), at = FRAME;

	if (len > GRPC_SERVICE_MAX)
		return 0;
	if (len) {
		out[at++] = 1 << 3 | 2; /* field 1, bytes */
		at += put_varint(out + at, len);
		memcpy(out + at, service, len);
		at += len;
	}
	memset(out, 0, FRAME);
	out[3] = (uint8_t)((at - FRAME) >> 8);
	out[4] = (uint8_t)(at - FRAME);
	return at;
}

/* ---- the answer's head and trailers ---- */

/* The value of the line, without blanks before it; NULL: it has another name. */
static const char *value_of(const char *line, size_t len, const char *name, size_t *left)
{
	size_t skip = strlen(name);

	if (len <= skip || strncasecmp(line, name, skip) != 0)
		return NULL;
	while (skip < len && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	*left = len - skip;
	return line + skip;
}

static int read_code(const char *value, size_t len)
{
	int code = 0;
	size_t i;

	for (i = 0; i < len && i < 4 && value[i] >= '0' && value[i] <= '9'; i++)
		code = code * 10 + (value[i] - '0');
	return i > 0 && (i == len || value[i] == '\r' || value[i] == '\n') ? code : -1;
}

void grpc_take_line(struct grpc_answer *answer, const char *line, size_t len)
{
	static const char type[] = "application/grpc";
	const char *value;
	size_t left;

	value = value_of(line, len, "content-type:", &left);
	if (value && left >= strlen(type) && strncasecmp(value, type, strlen(type)) == 0)
		answer->typed = true;
	value = value_of(line, len, "grpc-status:", &left);
	if (value)
		answer->code = read_code(value, left);
}

/* ---- the message ---- */

struct reader {
	const uint8_t *at, *end;
};

static bool read_varint(struct reader *reader, uint64_t *value)
{
	*value = 0;
	for (unsigned shift = 0; reader->at < reader->end && shift < 64; shift += 7) {
		uint8_t byte = *reader->at++;

		*value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip_bytes(struct reader *reader, uint64_t count)
{
	if (count > (uint64_t)(reader->end - reader->at))
		return false;
	reader->at += count;
	return true;
}

static bool skip_field(struct reader *reader, unsigned type)
{
	uint64_t value;

	switch (type) {
	case 0:
		return read_varint(reader, &value);
	case 1:
		return skip_bytes(reader, 8);
	case 2:
		return read_varint(reader, &value) && skip_bytes(reader, value);
	case 5:
		return skip_bytes(reader, 4);
	default:
		return false;
	}
}

/* Field 1 of the HealthCheckResponse, 0 when it is not there; -1: this is none. */
static int64_t read_serving(const uint8_t *message, size_t len)
{
	struct reader reader = {message + FRAME, message + len};
	uint64_t key, serving = 0;

	if (len < FRAME || message[0] != 0 || message[1] || message[2] ||
	    (size_t)(message[3] << 8 | message[4]) != len - FRAME)
		return -1;
	while (reader.at < reader.end) {
		if (!read_varint(&reader, &key))
			return -1;
		if (key == (1 << 3 | 0) ? !read_varint(&reader, &serving)
					: !skip_field(&reader, key & 7))
			return -1;
	}
	return serving > INT32_MAX ? INT32_MAX : (int64_t)serving;
}

/* ---- the verdict ---- */

static const char *const codes[] = {
	"OK",
	"CANCELLED",
	"UNKNOWN",
	"INVALID_ARGUMENT",
	"DEADLINE_EXCEEDED",
	"NOT_FOUND",
	"ALREADY_EXISTS",
	"PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION",
	"ABORTED",
	"OUT_OF_RANGE",
	"UNIMPLEMENTED",
	"INTERNAL",
	"UNAVAILABLE",
	"DATA_LOSS",
	"UNAUTHENTICATED",
};
static const char *const servings[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

static enum grpc_verdict say(enum grpc_verdict verdict, char *reason, const char *text)
{
	snprintf(reason, GRPC_REASON, "%s", text);
	return verdict;
}

static enum grpc_verdict judge_code(int code, char *reason)
{
	if (code == 5)
		return say(GRPC_UNHEALTHY, reason, "the server has no service of this name");
	if (code == 12)
		return say(GRPC_UNHEALTHY, reason, "the server has no health service");
	if ((size_t)code < sizeof(codes) / sizeof(codes[0]))
		snprintf(reason, GRPC_REASON, "grpc status %d (%s)", code, codes[code]);
	else
		snprintf(reason, GRPC_REASON, "grpc status %d", code);
	return GRPC_UNHEALTHY;
}

enum grpc_verdict grpc_judge(const struct grpc_answer *answer, const uint8_t *message, size_t len,
			     char reason[GRPC_REASON])
{
	int64_t serving;

	if (answer->status != 200) {
		snprintf(reason, GRPC_REASON, "status %u", answer->status);
		return GRPC_UNHEALTHY;
	}
	if (!answer->typed)
		return say(GRPC_NO_ANSWER, reason, "the answer is not gRPC");
	if (answer->code < 0)
		return say(GRPC_NO_ANSWER, reason, "the answer has no grpc-status");
	if (answer->code > 0)
		return judge_code(answer->code, reason);
	serving = read_serving(message, len);
	if (serving < 0)
		return say(GRPC_NO_ANSWER, reason, "the answer is not a HealthCheckResponse");
	if (serving == 1)
		return GRPC_HEALTHY;
	return say(GRPC_UNHEALTHY, reason, serving < 4 ? servings[serving] : "unknown state");
}
