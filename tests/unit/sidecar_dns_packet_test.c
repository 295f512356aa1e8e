/* SPDX-License-Identifier: MIT */
#include "dns_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NAME "\3web\7example\0"
#define ASK  NAME "\0\1\0\1"
#define HEAD "\x12\x34\1\0\0\1\0\0\0\0\0\0"
/* an OPT record: no name, 41, size 4096, code, version, flags, no data */
#define OPT "\0\0\x29\x10\0\0\0\0\0\0\0"

static uint8_t packet[1024];
static struct dns_query query;

static int take(const char *bytes, size_t size)
{
	memcpy(packet, bytes, size);
	return dns_read(&query, packet, size);
}

#define TAKE(text) take(text, sizeof(text) - 1)

static void a_question_is_read(void **state)
{
	(void)state;
	assert_int_equal(TAKE(HEAD ASK), DNS_NOERROR);
	assert_string_equal(query.name, "web.example");
	assert_int_equal(query.udp_size, DNS_UDP_LEAST);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK OPT), DNS_NOERROR);
	assert_int_equal(query.udp_size, 4096);
	/* who says that less than the least fits is not believed */
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\0\0\x29\0\x10\0\0\0\0\0\0"),
			 DNS_NOERROR);
	assert_int_equal(query.udp_size, DNS_UDP_LEAST);
	/* a record of another kind behind it is passed over, with a name, a pointer, or none */
	assert_int_equal(
		TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\2" ASK "\xc0\x0c\0\1\0\1\0\0\0\0\0\1x" OPT),
		DNS_NOERROR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\1a\0\0\1\0\1\0\0\0\0\0\0"),
			 DNS_NOERROR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\0\0\x29\x10\0\0\1\0\0\0\0"),
			 DNS_BADVERS);
}

static void what_is_none_is_refused(void **state)
{
	(void)state;
	assert_int_equal(TAKE("\x12\x34\1\0"), -1);
	assert_int_equal(TAKE("\x12\x34\x81\0\0\1\0\0\0\0\0\0" ASK), -1);
	assert_int_equal(TAKE("\x12\x34\x28\0\0\1\0\0\0\0\0\0" ASK), DNS_NOTIMP);
	assert_int_equal(TAKE("\x12\x34\1\0\0\2\0\0\0\0\0\0" ASK ASK), DNS_FORMERR);
	assert_int_equal(TAKE(HEAD ASK "x"), DNS_FORMERR);
	/* OPT twice, with a name, or in another section than the last */
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\2" ASK OPT OPT), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\1a" OPT), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\1\0\0\0\0" ASK OPT), DNS_FORMERR);
	/* records that go on behind the end, or are more than anybody sends */
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\0\0\x29\x10\0\0\0\0\0\0\5ab"),
			 DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\0\0\x29"), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\3a"), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\xc0"), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK "\x55"), DNS_FORMERR);
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\xff\xff\0\0\0\0" ASK), DNS_FORMERR);
	/* names that do not end, are too long, or point elsewhere */
	assert_int_equal(TAKE(HEAD "\3web"), DNS_FORMERR);
	assert_int_equal(TAKE(HEAD "\xc0\x0c\0\1\0\1"), DNS_FORMERR);
	assert_int_equal(TAKE(HEAD "\x40web"), DNS_FORMERR);
	assert_int_equal(TAKE(HEAD NAME "\0\1\0"), DNS_FORMERR);
}

/* How many records a section of the answer has. */
static unsigned count(const uint8_t *out, enum dns_section section)
{
	return dns_two(out + 6 + 2 * section);
}

static void what_does_not_fit_is_left_out(void **state)
{
	static const uint8_t address[16] = {10, 0, 0, 1};
	uint8_t out[2048];
	struct dns_writer writer;
	size_t size, many = 0;

	(void)state;
	assert_int_equal(TAKE("\x12\x34\1\0\0\1\0\0\0\0\0\1" ASK OPT), DNS_NOERROR);
	/* answers: all that fit; one more cuts the message, and then none is given */
	for (bool cut = false; !cut; many++) {
		dns_begin(&writer, &query, out, DNS_UDP_LEAST);
		for (size_t i = 0; i <= many; i++)
			dns_put_address(&writer, DNS_ANSWER, DNS_HEADER, 5, address,
					i % 2 ? 16 : 4);
		size = dns_end(&writer, DNS_NOERROR, DNS_AA);
		assert_true(size <= DNS_UDP_LEAST);
		cut = dns_two(out + 2) & DNS_TC;
		assert_int_equal(count(out, DNS_ANSWER), cut ? 0 : many + 1);
		assert_int_equal(count(out, DNS_ADDITIONAL), 1); /* OPT is always there */
	}
	assert_in_range(many, 18, 22);
	assert_int_equal(size, query.question_end + 11);

	/* the same for the other kinds of records */
	dns_begin(&writer, &query, out, query.question_end + 11 + 12);
	dns_put_srv(&writer, DNS_HEADER, 5, 80, DNS_HEADER);
	size = dns_end(&writer, DNS_NOERROR, 0);
	assert_true(dns_two(out + 2) & DNS_TC);
	assert_int_equal(count(out, DNS_ANSWER), 0);
	/* elsewhere than in the answer it is no loss */
	dns_begin(&writer, &query, out, query.question_end + 11 + 12);
	dns_put_soa(&writer, DNS_AUTHORITY, DNS_HEADER, 5);
	dns_put_address(&writer, DNS_ADDITIONAL, DNS_HEADER, 5, address, 4);
	size = dns_end(&writer, DNS_NXDOMAIN, 0);
	assert_false(dns_two(out + 2) & DNS_TC);
	assert_int_equal(count(out, DNS_AUTHORITY), 0);
	assert_int_equal(size, query.question_end + 11);
	/* behind a record that was cut there is none that would have fitted */
	dns_begin(&writer, &query, out, query.question_end + 11 + 16);
	dns_put_address(&writer, DNS_ANSWER, DNS_HEADER, 5, address, 16);
	dns_put_address(&writer, DNS_ANSWER, DNS_HEADER, 5, address, 4);
	dns_end(&writer, DNS_NOERROR, 0);
	assert_int_equal(count(out, DNS_ANSWER), 0);
}

static bool adopts(const char *bytes, size_t size)
{
	uint8_t answer[512];

	memcpy(answer, bytes, size);
	if (!dns_adopt(answer, size, &query, 0xabcd))
		return false;
	assert_int_equal(dns_two(answer), 0x1234);
	if (size > DNS_HEADER)
		assert_memory_equal(answer + DNS_HEADER, packet + DNS_HEADER,
				    query.question_end - DNS_HEADER);
	return true;
}

#define ADOPTS(text) adopts(text, sizeof(text) - 1)

static void only_the_answer_to_a_question_is_taken(void **state)
{
	(void)state;
	assert_int_equal(TAKE(HEAD ASK), DNS_NOERROR);
	assert_true(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0" ASK));
	assert_true(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3WeB\7EXAMPLE\0\0\1\0\1"));
	/* who does not understand leaves out the question */
	assert_true(ADOPTS("\xab\xcd\x81\x81\0\0\0\0\0\0\0\0"));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\0\0\0\0\0\0\0"));
	assert_false(ADOPTS("\xab\xcd\x81\x81\0\0\0\0\0\0\0\0x"));
	/* another id, a question, another operation, two questions, cut, another name or type */
	assert_false(ADOPTS("\xab\xce\x81\x80\0\1\0\0\0\0\0\0" ASK));
	assert_false(ADOPTS("\xab\xcd\1\0\0\1\0\0\0\0\0\0" ASK));
	assert_false(ADOPTS("\xab\xcd\xa9\x80\0\1\0\0\0\0\0\0" ASK));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\2\0\0\0\0\0\0" ASK));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3web"));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3wea\7example\0\0\1\0\1"));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3we!\7example\0\0\1\0\1"));
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0" NAME "\0\x1c\0\1"));
	assert_false(ADOPTS("\xab\xcd"));
	/* bytes that no host's name has are not the same because both are none */
	assert_int_equal(TAKE(HEAD "\3we!\7example\0\0\1\0\1"), DNS_NOERROR);
	assert_string_equal(query.name, "we?.example");
	assert_false(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3we$\7example\0\0\1\0\1"));
	assert_true(ADOPTS("\xab\xcd\x81\x80\0\1\0\0\0\0\0\0\3we!\7example\0\0\1\0\1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_is_read),
		cmocka_unit_test(what_is_none_is_refused),
		cmocka_unit_test(what_does_not_fit_is_left_out),
		cmocka_unit_test(only_the_answer_to_a_question_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
