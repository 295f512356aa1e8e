/* SPDX-License-Identifier: MIT */
#ifndef SIDECAR_TARGET_H
#define SIDECAR_TARGET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* An address and port to connect to. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

socklen_t address_size(const union address *address);
void address_set_port(union address *address, uint16_t port);
/* ADDRESS:PORT, a v6 address in brackets. */
#define ADDRESS_TEXT 64
void address_format(const union address *address, char text[ADDRESS_TEXT]);
/*
 * Whether nothing is to be connected to there: 169.254.0.0/16 and fe80::/10, which reach only this
 * link and are where clouds keep their metadata, and the few other addresses of such services; also
 * as a v6 address that stands for a v4 one (::ffff:1.2.3.4, ::1.2.3.4, 64:ff9b::1.2.3.4,
 * 2002:102:304::).
 */
bool address_is_refused(const union address *address);
bool address_is_loopback(const union address *address);
/* Whether who connects to `address` comes to who listens at `own`, perhaps on all addresses. */
bool address_leads_to(const union address *address, const union address *own);
/* A v4 or v6 literal, v6 without brackets. */
bool address_parse(union address *address, const char *host, uint16_t port);

/* What a probe checks: tcp://HOST:PORT, http://HOST[:PORT]/..., https://..., or
 * grpc://HOST:PORT[/SERVICE], grpcs://... */
struct target {
	char *url;      /* as given; malloc'ed */
	char host[256]; /* without brackets */
	uint16_t port;
	bool http; /* grpc, too */
	bool grpc;
	bool tls;
	bool name_only; /* nothing is connected to */
	bool numeric;   /* `address` is known, nothing is to be looked up */
	bool misspelt;  /* a v4 address in another form than four decimal numbers */
	union address address;
};

/* False when it is none of these; nothing is allocated then. */
bool target_parse(struct target *target, const char *url);
void target_free(struct target *target);
/* Whether both go to the same port of the same host. */
bool target_same_host(const struct target *a, const struct target *b);

/*
 * Splits HOST:PORT (or [V6]:PORT, or HOST alone: port is `fallback`, and 0 refuses that) at most
 * `len` bytes long. Host may come out empty.
 */
bool host_port_split(const char *text, size_t len, char host[256], uint16_t *port,
		     uint16_t fallback);

#endif
