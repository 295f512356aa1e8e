/* SPDX-License-Identifier: MIT */
/* gRPC's health check, byte by byte: what is asked, and what each answer means. */
#include "probe_grpc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The frame's length, the field, the length of the name, and the name. */
static void the_question_is_whole(void **state)
{
	static const struct {
		size_t name;
		uint8_t head[9]; /* without the frame's first byte */
		size_t head_len;
	} cases[] = {
		{1, {0, 0, 0, 3, 0x0a, 1}, 6},
		{127, {0, 0, 0, 129, 0x0a, 127}, 6},
		{128, {0, 0, 0, 131, 0x0a, 0x80, 1}, 7},
		{300, {0, 0, 1, 47, 0x0a, 0xac, 2}, 7},
		{GRPC_SERVICE_MAX, {0, 0, 2, 3, 0x0a, 0x80, 4}, 7},
	};
	uint8_t out[GRPC_REQUEST_MAX];
	char name[GRPC_SERVICE_MAX + 2];

	(void)state;
	assert_int_equal(grpc_request(out, ""), 5);
	assert_memory_equal(out, "\0\0\0\0\0", 5);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(name, 'n', cases[i].name);
		name[cases[i].name] = '\0';
		assert_int_equal(grpc_request(out, name), 1 + cases[i].head_len + cases[i].name);
		assert_int_equal(out[0], 0);
		assert_memory_equal(out + 1, cases[i].head, cases[i].head_len);
		assert_memory_equal(out + 1 + cases[i].head_len, name, cases[i].name);
	}
	memset(name, 'n', GRPC_SERVICE_MAX + 1);
	name[GRPC_SERVICE_MAX + 1] = '\0';
	assert_int_equal(grpc_request(out, name), 0);
}

static void lines_are_read_by_their_names(void **state)
{
	static const struct {
		const char *line;
		bool typed;
		int code;
	} cases[] = {
		{"content-type: application/grpc\r\n", true, -1},
		{"Content-Type:application/GRPC+proto\r\n", true, -1},
		{"content-type: application/json\r\n", false, -1},
		{"content-type: application/grp", false, -1},
		{"x-content-type: application/grpc\r\n", false, -1},
		{"grpc-status: 0\r\n", false, 0},
		{"GRPC-Status:\t12\n", false, 12},
		{"grpc-status: 1x\r\n", false, -1},
		{"grpc-status: 99999\r\n", false, -1},
		{"grpc-status:\r\n", false, -1},
		{"grpc-message: 0\r\n", false, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct grpc_answer answer = {200, false, -1};

		grpc_take_line(&answer, cases[i].line, strlen(cases[i].line));
		if (answer.typed != cases[i].typed || answer.code != cases[i].code)
			fail_msg("%s: %d %d", cases[i].line, answer.typed, answer.code);
	}
}

static void answers_mean_what_they_say(void **state)
{
#define BODY(bytes) bytes, sizeof(bytes) - 1
	static const struct {
		struct grpc_answer answer;
		const char *body;
		size_t len;
		enum grpc_verdict verdict;
		const char *reason;
	} cases[] = {
		{{200, true, 0}, BODY("\0\0\0\0\2\x08\1"), GRPC_HEALTHY, ""},
		/* fields that are not known lie around it; the last one counts */
		{{200, true, 0},
		 BODY("\0\0\0\0\x1a\x08\2\x10\x85\1\x19"
		      "12345678\x22\3abc\x2d"
		      "1234\x08\1"),
		 GRPC_HEALTHY,
		 ""},
		{{200, true, 0}, BODY("\0\0\0\0\0"), GRPC_UNHEALTHY, "UNKNOWN"},
		{{200, true, 0}, BODY("\0\0\0\0\2\x08\2"), GRPC_UNHEALTHY, "NOT_SERVING"},
		{{200, true, 0}, BODY("\0\0\0\0\2\x08\3"), GRPC_UNHEALTHY, "SERVICE_UNKNOWN"},
		{{200, true, 0}, BODY("\0\0\0\0\2\x08\7"), GRPC_UNHEALTHY, "unknown state"},
		{{200, true, 5},
		 BODY(""),
		 GRPC_UNHEALTHY,
		 "the server has no service of this name"},
		{{200, true, 12}, BODY(""), GRPC_UNHEALTHY, "the server has no health service"},
		{{200, true, 14}, BODY(""), GRPC_UNHEALTHY, "grpc status 14 (UNAVAILABLE)"},
		{{200, true, 17}, BODY(""), GRPC_UNHEALTHY, "grpc status 17"},
		{{503, true, 0}, BODY("\0\0\0\0\2\x08\1"), GRPC_UNHEALTHY, "status 503"},
		{{200, false, 0},
		 BODY("\0\0\0\0\2\x08\1"),
		 GRPC_NO_ANSWER,
		 "the answer is not gRPC"},
		{{200, true, -1},
		 BODY("\0\0\0\0\2\x08\1"),
		 GRPC_NO_ANSWER,
		 "the answer has no grpc-status"},
#define NO_RESPONSE GRPC_NO_ANSWER, "the answer is not a HealthCheckResponse"
		{{200, true, 0}, BODY("\0\0\0\0"), NO_RESPONSE},
		{{200, true, 0}, BODY("\1\0\0\0\2\x08\1"), NO_RESPONSE},   /* compressed */
		{{200, true, 0}, BODY("\0\0\0\0\3\x08\1"), NO_RESPONSE},   /* cut */
		{{200, true, 0}, BODY("\0\1\0\0\2\x08\1"), NO_RESPONSE},   /* far too long */
		{{200, true, 0}, BODY("\0\0\0\0\2\x08\x81"), NO_RESPONSE}, /* a number's half */
		{{200, true, 0}, BODY("\0\0\0\0\3\x22\2x"), NO_RESPONSE},
		{{200, true, 0}, BODY("\0\0\0\0\4\x2d\1\2\3"), NO_RESPONSE},
		{{200, true, 0}, BODY("\0\0\0\0\1\x0b"), NO_RESPONSE}, /* a group */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char reason[GRPC_REASON] = "";
		enum grpc_verdict verdict = grpc_judge(
			&cases[i].answer, (const uint8_t *)cases[i].body, cases[i].len, reason);

		if (verdict != cases[i].verdict || strcmp(reason, cases[i].reason) != 0)
			fail_msg("case %zu: %d \"%s\", not %d \"%s\"", i, verdict, reason,
				 cases[i].verdict, cases[i].reason);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_question_is_whole),
		cmocka_unit_test(lines_are_read_by_their_names),
		cmocka_unit_test(answers_mean_what_they_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
