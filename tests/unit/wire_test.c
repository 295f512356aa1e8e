/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PACKET (sizeof(struct wire_header) + WIRE_BODY_MAX)

static void the_layout_is_what_the_manual_says(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct wire_header), 8);
	assert_int_equal(offsetof(struct wire_header, type), 2);
	assert_int_equal(offsetof(struct wire_header, size), 4);
	assert_int_equal(sizeof(struct wire_service), 68);
	assert_int_equal(offsetof(struct wire_service, name), 4);
	assert_int_equal(sizeof(struct wire_logs), 12);
	assert_int_equal(sizeof(struct wire_event), 168);
	assert_int_equal(offsetof(struct wire_event, service), 16);
	assert_int_equal(offsetof(struct wire_event, old_state), 18);
	assert_int_equal(offsetof(struct wire_event, state), 19);
	assert_int_equal(offsetof(struct wire_event, pid), 20);
	assert_int_equal(offsetof(struct wire_event, last_exit), 24);
	assert_int_equal(offsetof(struct wire_event, name), 28);
	assert_int_equal(offsetof(struct wire_event, reason), 92);
	assert_int_equal(sizeof(struct wire_line), 80);
	assert_int_equal(offsetof(struct wire_line, stream), 10);
	assert_int_equal(offsetof(struct wire_line, part), 11);
	assert_int_equal(offsetof(struct wire_line, name), 16);
}

static void the_bytes_are_golden(void **state)
{
	static const unsigned char golden[] = {1, 0,   5,   0,   6,   0,   0,
					       0, 'a', 'b', 'c', 'd', 'e', 'f'};
	unsigned char packet[PACKET];

	(void)state;
	assert_int_equal(wire_encode(packet, WIRE_SIGNAL, "abc", 3, "def", 3), sizeof(golden));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	assert_memory_equal(packet, golden, sizeof(golden));
#else
	assert_memory_equal(packet + 8, golden + 8, sizeof(golden) - 8);
#endif
}

static void what_is_encoded_is_decoded(void **state)
{
	struct wire_service request = {.number = 15, .name = "web"};
	char packet[PACKET];
	const void *body;
	size_t len, size;

	(void)state;
	len = wire_encode(packet, WIRE_SIGNAL, &request, sizeof(request), NULL, 0);
	assert_int_equal(wire_decode(packet, len, &body, &size), WIRE_SIGNAL);
	assert_int_equal(size, sizeof(request));
	assert_memory_equal(body, &request, sizeof(request));
	len = wire_encode(packet, WIRE_PING, NULL, 0, NULL, 0);
	assert_int_equal(len, 8);
	assert_int_equal(wire_decode(packet, len, &body, &size), WIRE_PING);
	assert_int_equal(size, 0);
}

static void what_does_not_fit_is_cut(void **state)
{
	static char big[WIRE_BODY_MAX + 100];
	char packet[PACKET + 16];
	const void *body;
	size_t len, size;

	(void)state;
	memset(big, 'x', sizeof(big));
	memset(packet, '#', sizeof(packet));
	len = wire_encode(packet, WIRE_LINE, "head", 4, big, sizeof(big));
	assert_int_equal(len, PACKET);
	assert_int_equal(wire_decode(packet, len, &body, &size), WIRE_LINE);
	assert_int_equal(size, WIRE_BODY_MAX);
	assert_memory_equal(body, "headxxxx", 8);
	assert_int_equal(packet[PACKET], '#');
	assert_int_equal(wire_encode(packet, WIRE_DONE, big, sizeof(big), "tail", 4), PACKET);
	assert_int_equal(packet[PACKET - 1], 'x');
	assert_int_equal(packet[PACKET], '#');
}

static int decode(const void *packet, size_t len)
{
	const void *body;
	size_t size;

	return wire_decode(packet, len, &body, &size);
}

static void malformed_packets_are_refused(void **state)
{
	char packet[PACKET + 1] = {0};
	struct wire_header header = {.version = WIRE_VERSION, .type = WIRE_PING, .size = 4};
	size_t len;

	(void)state;
	for (len = 0; len < sizeof(header); len++)
		assert_int_equal(decode(packet, len), -EPROTO); /* no whole header */

	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, 12), WIRE_PING);
	assert_int_equal(decode(packet, 11), -EPROTO); /* body cut */
	assert_int_equal(decode(packet, 8), -EPROTO);
	assert_int_equal(decode(packet, 13), -EPROTO); /* more than it says */

	header.size = UINT32_MAX;
	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, 12), -EPROTO);
	header.size = WIRE_BODY_MAX + 1;
	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, sizeof(packet)), -EPROTO); /* true, but too large */
	header.size = WIRE_BODY_MAX;
	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, PACKET), WIRE_PING);

	header.version = 0;
	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, PACKET), -EPROTO);
	header.version = WIRE_VERSION + 1;
	memcpy(packet, &header, sizeof(header));
	assert_int_equal(decode(packet, PACKET), -EPROTO);
}

static void unknown_types_are_for_the_caller(void **state)
{
	struct wire_header header = {.version = WIRE_VERSION, .type = 999};

	(void)state;
	assert_int_equal(decode(&header, sizeof(header)), 999);
	header.type = UINT16_MAX; /* still no error number */
	assert_int_equal(decode(&header, sizeof(header)), UINT16_MAX);
}

static void names_end_within_their_field(void **state)
{
	char name[64];

	(void)state;
	memset(name, 'a', sizeof(name));
	assert_false(wire_name_valid(name));
	name[63] = '\0';
	assert_true(wire_name_valid(name));
	name[1] = '\0';
	assert_true(wire_name_valid(name));
	name[0] = '\0';
	assert_false(wire_name_valid(name));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_what_the_manual_says),
		cmocka_unit_test(the_bytes_are_golden),
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(what_does_not_fit_is_cut),
		cmocka_unit_test(malformed_packets_are_refused),
		cmocka_unit_test(unknown_types_are_for_the_caller),
		cmocka_unit_test(names_end_within_their_field),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
