/* SPDX-License-Identifier: MIT */
/* The bytes are a question to the name server, then, behind a copy of its head, an upstream's
 * answer. What is written of a question can be read again, and never beyond its room. */
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "dns_names.h"
#include "dns_packet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct address_entry entries[] = {
	{.name = "redis"}, {.name = "Db.Main"}, {.name = "x"}};
static const struct address_book book = {.entries = entries, .count = 3};

static void check_answer(const uint8_t *out, size_t size, size_t room,
			 const struct dns_query *query)
{
	if (size > room || size < DNS_HEADER || !(dns_two(out + 2) & DNS_QR) ||
	    dns_two(out) != query->id)
		abort();
	if (query->question_end && memcmp(out + DNS_HEADER, query->packet + DNS_HEADER,
					  query->question_end - DNS_HEADER) != 0)
		abort();
}

/* Every kind of record, as many as go in. */
static void write_answer(const struct dns_query *query, enum dns_code code, size_t name)
{
	static const uint8_t number[16];
	uint8_t out[DNS_UDP_LEAST];
	struct dns_writer writer;

	dns_begin(&writer, query, out, sizeof(out));
	if (code == DNS_NOERROR) {
		dns_put_srv(&writer, DNS_HEADER, 5, 6379, DNS_HEADER + name);
		dns_put_soa(&writer, DNS_AUTHORITY, DNS_HEADER + name, 5);
		for (int i = 0; i < 8; i++)
			dns_put_address(&writer, DNS_ADDITIONAL, DNS_HEADER + name, 5, number,
					i % 2 ? 4 : 16);
	}
	check_answer(out, dns_end(&writer, code, DNS_AA), sizeof(out), query);
}

/* An answer to it, as far as the bytes are one. */
static void adopt(const struct dns_query *query, const uint8_t *data, size_t size)
{
	uint8_t *answer = malloc(size + 1);

	if (!answer)
		abort();
	memcpy(answer, data, size);
	if (size > 4) {
		dns_put_two(answer, 7);
		answer[2] |= DNS_QR >> 8;
		answer[2] &= 0x87;
	}
	if (dns_adopt(answer, size, query, 7) && dns_two(answer) != query->id)
		abort();
	if (size >= query->question_end && dns_cut(answer, query) > size)
		abort();
	free(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_names *names;
	struct dns_query query;
	struct dns_match match;
	int code = dns_read(&query, data, size);

	if (!names) {
		names = dns_names_create("Zone.test");
		dns_names_set(names, &book);
	}
	if (code < 0)
		return 0;
	if (query.name_len >= sizeof(query.name) || query.name[query.name_len])
		abort();
	if (code == DNS_NOERROR) {
		dns_names_match(names, query.name, query.name_len, &match);
		if (match.name > query.name_len || match.apex > query.name_len)
			abort();
		if (match.meaning >= NAME_ADDRESS && match.index >= book.count)
			abort();
		adopt(&query, data, size);
	} else {
		match.name = 0;
	}
	write_answer(&query, (enum dns_code)code, match.name);
	return 0;
}
