/* SPDX-License-Identifier: MIT */
#include "dns_packet.h"

#include <string.h>

#define NAME_MOST    255 /* bytes of a name in a message */
#define LABEL_MOST   63
#define RECORDS_MOST 8  /* behind the question of a query: one is usual */
#define FIXED        10 /* type, class, ttl and size of a record */
#define OPT_SIZE     (1 + FIXED)

/* ---- reading ---- */

/* Of the bytes that names have: as it is compared. Any other byte: `?`. */
static char letter(uint8_t byte)
{
	if (byte >= 'A' && byte <= 'Z')
		return (char)(byte - 'A' + 'a');
	if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' ||
	    byte == '_')
		return (char)byte;
	return '?';
}

/* The name of the question; a name there has nothing to point to. Returns where it ends, or 0. */
static size_t read_name(struct dns_query *query)
{
	const uint8_t *packet = query->packet;
	size_t at = DNS_HEADER;

	while (at < query->size && packet[at]) {
		size_t len = packet[at];

		if (len > LABEL_MOST || at + 1 + len >= query->size ||
		    at + len + 2 - DNS_HEADER > NAME_MOST)
			return 0;
		if (query->name_len)
			query->name[query->name_len++] = '.';
		for (size_t i = 1; i <= len; i++)
			query->name[query->name_len++] = letter(packet[at + i]);
		at += 1 + len;
	}
	query->name[query->name_len] = '\0';
	return at < query->size ? at + 1 : 0;
}

static bool read_question(struct dns_query *query)
{
	size_t end = read_name(query);

	if (!end || query->size - end < 4) {
		query->name_len = 0;
		query->name[0] = '\0';
		return false;
	}
	query->type = (uint16_t)dns_two(query->packet + end);
	query->class = (uint16_t)dns_two(query->packet + end + 2);
	query->question_end = end + 4;
	return true;
}

/* Passes over the name of a record. Returns where it ends, or 0. */
static size_t skip_name(const struct dns_query *query, size_t at)
{
	while (at < query->size) {
		size_t len = query->packet[at];

		if (len == 0)
			return at + 1;
		if (len >= 0xc0)
			return at + 2;
		if (len > LABEL_MOST)
			return 0;
		at += 1 + len;
	}
	return 0;
}

static bool take_opt(struct dns_query *query, const uint8_t *fixed)
{
	unsigned size = dns_two(fixed + 2);

	if (query->edns)
		return false; /* two of them */
	query->edns = true;
	query->udp_size = (uint16_t)(size < DNS_UDP_LEAST ? DNS_UDP_LEAST : size);
	query->edns_version = fixed[5];
	return true;
}

/* Goes through what is behind the question, to its very end. */
static bool read_records(struct dns_query *query)
{
	const uint8_t *packet = query->packet;
	unsigned before = dns_two(packet + 6) + dns_two(packet + 8);
	unsigned count = before + dns_two(packet + 10);
	size_t at = query->question_end;

	if (count > RECORDS_MOST)
		return false;
	for (unsigned i = 0; i < count; i++) {
		size_t name = at, data;

		at = skip_name(query, at);
		if (!at || at > query->size || query->size - at < FIXED)
			return false;
		data = dns_two(packet + at + 8);
		if (query->size - at - FIXED < data)
			return false;
		if (dns_two(packet + at) == DNS_OPT &&
		    (i < before || packet[name] || !take_opt(query, packet + at)))
			return false;
		at += FIXED + data;
	}
	return at == query->size;
}

int dns_read(struct dns_query *query, const uint8_t *packet, size_t size)
{
	query->packet = packet;
	query->size = size;
	query->question_end = query->name_len = 0;
	query->type = query->class = 0;
	query->udp_size = DNS_UDP_LEAST;
	query->edns = false;
	query->edns_version = 0;
	query->name[0] = '\0';
	if (size < DNS_HEADER)
		return -1;
	query->id = (uint16_t)dns_two(packet);
	query->flags = (uint16_t)dns_two(packet + 2);
	if (query->flags & DNS_QR)
		return -1;
	if (query->flags & DNS_OPCODE)
		return DNS_NOTIMP;
	if (dns_two(packet + 4) != 1 || !read_question(query) || !read_records(query))
		return DNS_FORMERR;
	return query->edns_version ? DNS_BADVERS : DNS_NOERROR;
}

/* ---- writing ---- */

void dns_begin(struct dns_writer *writer, const struct dns_query *query, uint8_t *out, size_t room)
{
	size_t head = query->question_end ? query->question_end : DNS_HEADER;

	*writer = (struct dns_writer){.query = query, .out = out, .size = head};
	writer->room = room - (query->edns ? OPT_SIZE : 0);
	memcpy(out, query->packet, head);
}

static void put_four(uint8_t *bytes, uint32_t value)
{
	dns_put_two(bytes, value >> 16);
	dns_put_two(bytes + 2, value & 0xffff);
}

/* The head of a record. Returns where its `size` bytes belong, or NULL: there is no room. */
static uint8_t *put_record(struct dns_writer *writer, enum dns_section section, size_t owner,
			   enum dns_type type, uint32_t ttl, size_t size)
{
	uint8_t *at = writer->out + writer->size;

	if (writer->cut || writer->room - writer->size < 2 + FIXED + size) {
		writer->cut |= section == DNS_ANSWER;
		return NULL;
	}
	dns_put_two(at, 0xc000u | (unsigned)owner);
	dns_put_two(at + 2, type);
	dns_put_two(at + 4, DNS_IN);
	put_four(at + 6, ttl);
	dns_put_two(at + 10, (unsigned)size);
	writer->size += 2 + FIXED + size;
	writer->counts[section]++;
	return at + 2 + FIXED;
}

void dns_put_address(struct dns_writer *writer, enum dns_section section, size_t owner,
		     uint32_t ttl, const void *address, size_t size)
{
	enum dns_type type = size == 4 ? DNS_A : DNS_AAAA;
	uint8_t *at = put_record(writer, section, owner, type, ttl, size);

	if (at)
		memcpy(at, address, size);
}

void dns_put_srv(struct dns_writer *writer, size_t owner, uint32_t ttl, uint16_t port,
		 size_t target)
{
	/* the name goes to the end of the question, and in an SRV record it is not compressed */
	size_t len = writer->query->question_end - 4 - target;
	uint8_t *at = put_record(writer, DNS_ANSWER, owner, DNS_SRV, ttl, 6 + len);

	if (!at)
		return;
	put_four(at, 0); /* priority, weight */
	dns_put_two(at + 4, port);
	memcpy(at + 6, writer->query->packet + target, len);
}

void dns_put_soa(struct dns_writer *writer, enum dns_section section, size_t owner, uint32_t ttl)
{
	uint8_t *at = put_record(writer, section, owner, DNS_SOA, ttl, 2 + 2 + 5 * 4);

	if (!at)
		return;
	dns_put_two(at, 0xc000u | (unsigned)owner); /* the server */
	dns_put_two(at + 2, 0xc000u | (unsigned)owner);
	put_four(at + 4, 1); /* serial; nobody copies this zone */
	put_four(at + 8, 3600);
	put_four(at + 12, 600);
	put_four(at + 16, 86400);
	put_four(at + 20, ttl);
}

static void put_opt(struct dns_writer *writer, enum dns_code code)
{
	uint8_t *at = writer->out + writer->size;

	memset(at, 0, OPT_SIZE);
	dns_put_two(at + 1, DNS_OPT);
	dns_put_two(at + 3, DNS_UDP_MOST);
	at[5] = (uint8_t)(code >> 4);
	writer->size += OPT_SIZE;
	writer->counts[DNS_ADDITIONAL]++;
}

size_t dns_end(struct dns_writer *writer, enum dns_code code, unsigned flags)
{
	const struct dns_query *query = writer->query;
	uint8_t *out = writer->out;

	if (writer->cut) {
		writer->size = query->question_end;
		memset(writer->counts, 0, sizeof(writer->counts));
		flags |= DNS_TC;
	}
	if (query->edns)
		put_opt(writer, code);
	flags |= DNS_QR | (query->flags & (DNS_OPCODE | DNS_RD | DNS_CD)) | ((unsigned)code & 15);
	dns_put_two(out + 2, flags);
	dns_put_two(out + 4, query->question_end != 0);
	for (unsigned i = 0; i < 3; i++)
		dns_put_two(out + 6 + 2 * i, writer->counts[i]);
	return writer->size;
}

/* ---- others' answers ---- */

static bool same_question(const uint8_t *a, const uint8_t *b, size_t size)
{
	size_t i;

	for (i = 0; i + 4 < size; i++)
		if (a[i] != b[i] && (letter(a[i]) != letter(b[i]) || letter(a[i]) == '?'))
			return false;
	return memcmp(a + i, b + i, 4) == 0;
}

bool dns_adopt(uint8_t *answer, size_t size, const struct dns_query *query, uint16_t id)
{
	size_t asked = query->question_end - DNS_HEADER;
	unsigned flags, questions;

	if (size < DNS_HEADER || dns_two(answer) != id)
		return false;
	flags = dns_two(answer + 2);
	questions = dns_two(answer + 4);
	if (!(flags & DNS_QR) || flags & DNS_OPCODE || questions > 1)
		return false;
	/* who does not understand a message may leave out the question */
	if (!questions && (!(flags & 15) || size != DNS_HEADER))
		return false;
	if (questions && (size < query->question_end ||
			  !same_question(answer + DNS_HEADER, query->packet + DNS_HEADER, asked)))
		return false;
	dns_put_two(answer, query->id);
	if (questions)
		memcpy(answer + DNS_HEADER, query->packet + DNS_HEADER, asked);
	return true;
}

size_t dns_cut(uint8_t *answer, const struct dns_query *query)
{
	dns_put_two(answer + 2, dns_two(answer + 2) | DNS_TC);
	memset(answer + 6, 0, 6);
	return query->question_end;
}
