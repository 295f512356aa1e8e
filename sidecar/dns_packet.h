/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_PACKET_H
#define SIDECAR_DNS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * DNS messages (RFC 1035, EDNS of RFC 6891) as far as a small name server needs them: a question is
 * read, an answer is written. All of it works on bytes in memory; what is read may be anything.
 */
#define DNS_HEADER    12
#define DNS_UDP_LEAST 512  /* what an answer may have without EDNS */
#define DNS_UDP_MOST  1232 /* of our own answers: goes through any network in one piece */
#define DNS_NAME_SIZE 256

enum dns_type {
	DNS_A = 1,
	DNS_SOA = 6,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_OPT = 41,
	DNS_TRANSFERS = 249, /* from here to ANY: what makes answers large, TKEY to MAILA */
	DNS_ANY = 255
};
enum dns_class { DNS_IN = 1, DNS_CLASS_ANY = 255 };

enum dns_code {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_BADVERS = 16
};

#define DNS_QR     0x8000u /* an answer */
#define DNS_AA     0x0400u /* by who knows */
#define DNS_TC     0x0200u /* cut */
#define DNS_RD     0x0100u /* somebody else may be asked */
#define DNS_RA     0x0080u /* and will be */
#define DNS_CD     0x0010u
#define DNS_OPCODE 0x7800u

struct dns_query {
	const uint8_t *packet; /* borrowed */
	size_t size;
	size_t question_end; /* where the question ends; 0: it could not be read */
	uint16_t id, flags, type, class;
	uint16_t udp_size; /* how large an answer over UDP may be */
	bool edns;
	uint8_t edns_version;
	/* in lower case with dots between labels, none at the end; a byte that no host's name has
	 * is a `?`. The label at text[i] is at packet[DNS_HEADER + i]. */
	char name[DNS_NAME_SIZE];
	size_t name_len;
};

/* Returns DNS_NOERROR, the code of the answer that it deserves, or -1: it deserves none. */
int dns_read(struct dns_query *query, const uint8_t *packet, size_t size);

/* An answer being written. What does not fit is left out: in the answer section that cuts the
 * message, elsewhere it is no loss. */
enum dns_section { DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL };
struct dns_writer {
	const struct dns_query *query;
	uint8_t *out;
	size_t size, room;
	uint16_t counts[3];
	bool cut;
};

/* Room must be DNS_UDP_LEAST or more. */
void dns_begin(struct dns_writer *writer, const struct dns_query *query, uint8_t *out, size_t room);
/* Records belong to the name at packet[owner]. Sections in the order of the enum. */
void dns_put_address(struct dns_writer *writer, enum dns_section section, size_t owner,
		     uint32_t ttl, const void *address, size_t size);
/* The target is the name at packet[target]. */
void dns_put_srv(struct dns_writer *writer, size_t owner, uint32_t ttl, uint16_t port,
		 size_t target);
/* For an answer without records: for how long that may be believed. */
void dns_put_soa(struct dns_writer *writer, enum dns_section section, size_t owner, uint32_t ttl);
/* `flags`: DNS_AA and DNS_RA as they apply. Returns the size of the message. */
size_t dns_end(struct dns_writer *writer, enum dns_code code, unsigned flags);

/*
 * Whether the bytes are somebody's answer to the query, asked with this id. If so the id and the
 * question become those of the query, letter by letter.
 */
bool dns_adopt(uint8_t *answer, size_t size, const struct dns_query *query, uint16_t id);

/* Cuts an answer behind its question, for who must ask again over TCP. Returns its size. */
size_t dns_cut(uint8_t *answer, const struct dns_query *query);

static inline unsigned dns_two(const uint8_t *bytes)
{
	return (unsigned)bytes[0] << 8 | bytes[1];
}

static inline void dns_put_two(uint8_t *bytes, unsigned value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

#endif
