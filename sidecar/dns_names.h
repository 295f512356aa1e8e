/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_DNS_NAMES_H
#define SIDECAR_DNS_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Which address of the book a name of the DNS means: NAME and NAME.ZONE are the address, and
 * _service._tcp before either is its SRV record. Letters of both cases are the same.
 */
struct address_book;
struct dns_names;

enum dns_meaning {
	NAME_FOREIGN, /* not ours: somebody else may know it */
	NAME_MISSING, /* it would be ours, but there is none */
	NAME_EMPTY,   /* there are only names below it */
	NAME_ADDRESS, /* the address */
	NAME_SERVICE  /* its SRV record, if `service` names it */
};

struct dns_match {
	enum dns_meaning meaning;
	uint32_t index;   /* of the address in the book */
	size_t name;      /* where in the text the address's name begins; what ends up in `apex`: */
	size_t apex;      /* where that of the zone begins: NAME itself when it stands alone */
	char service[64]; /* without the underscore */
};

/* `zone` is borrowed. The book need not stay. */
struct dns_names *dns_names_create(const char *zone);
void dns_names_set(struct dns_names *names, const struct address_book *book);
void dns_names_destroy(struct dns_names *names);

/* `text` as dns_read leaves it, in lower case. */
void dns_names_match(const struct dns_names *names, const char *text, size_t len,
		     struct dns_match *out);

#endif
