/* SPDX-License-Identifier: MIT */
#include "dns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "dns_ask.h"
#include "dns_names.h"
#include "dns_packet.h"
#include "dns_stream.h"
#include "dns_upstream.h"
#include "inherited.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "ports.h"
#include "resolve.h"
#include "str.h"

#define BATCH      32 /* packets that are read and answered with one call each */
#define TURN       8  /* batches before others have their turn */
#define SOCKET_BUF (1 << 20)
#define DNS_PORT   53

/* A question that waits. */
struct ticket {
	struct dns *dns;
	struct ticket *next;
	struct dns_client client;
	struct dns_query query;
	struct lookup lookup; /* one of the two is under way */
	struct dns_ask ask;
	bool beginning, over;
	uint8_t packet[DNS_QUERY_MOST];
};

/* Room for a batch of packets. */
struct batch {
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_part[BATCH], out_part[BATCH];
	union address peers[BATCH];
	uint8_t questions[BATCH][DNS_QUERY_MOST];
	uint8_t answers[BATCH][DNS_UDP_MOST];
};

struct dns {
	struct loop *loop;
	const struct dns_options *options;
	struct live *live;
	struct resolver *resolver;
	struct dns_names *names;
	uint32_t generation; /* of the book that the names are from */
	struct dns_upstream *upstream;
	struct dns_streams *streams;
	struct ticket *tickets;
	struct batch *batch;
	union address own[DNS_SOCKETS_MAX];
	int udp[DNS_SOCKETS_MAX], tcp[DNS_SOCKETS_MAX];
	unsigned count;
	struct dns_counts counts;
};

/* What one question needs at each step. */
struct turn {
	struct dns *dns;
	const struct dns_query *query;
	const struct dns_client *client;
	uint8_t *out;
	bool *waits;
};

/* ---- answers ---- */

static size_t room_of(const struct dns_query *query, const struct dns_client *client)
{
	return client->stream || query->udp_size > DNS_UDP_MOST ? DNS_UDP_MOST : query->udp_size;
}

static unsigned flags_of(struct dns *dns, const struct dns_client *client)
{
	return address_is_loopback(&client->peer) && dns_upstream_list(dns->upstream)->count
		       ? DNS_RA
		       : 0;
}

static size_t answer_code(const struct turn *turn, enum dns_code code)
{
	struct dns_counts *counts = &turn->dns->counts;
	struct dns_writer writer;

	if (code == DNS_REFUSED)
		counts->refused++;
	else if (code == DNS_SERVFAIL)
		counts->failed++;
	else
		counts->malformed++;
	dns_begin(&writer, turn->query, turn->out, room_of(turn->query, turn->client));
	return dns_end(&writer, code, flags_of(turn->dns, turn->client));
}

/* Nothing of this type, or nothing at all, and for how long that holds. */
static size_t answer_nothing(const struct turn *turn, enum dns_code code, size_t apex)
{
	enum dns_section section = DNS_AUTHORITY;
	struct dns_writer writer;

	if (code == DNS_NXDOMAIN)
		turn->dns->counts.missing++;
	else if (turn->query->type == DNS_SOA && apex == 0)
		section = DNS_ANSWER;
	turn->dns->counts.empty += code == DNS_NOERROR;
	dns_begin(&writer, turn->query, turn->out, room_of(turn->query, turn->client));
	dns_put_soa(&writer, section, DNS_HEADER + apex, DNS_TTL);
	return dns_end(&writer, code, DNS_AA | flags_of(turn->dns, turn->client));
}

static bool wants(const struct dns_query *query, enum dns_type type)
{
	return query->type == type || query->type == DNS_ANY;
}

static void put_addresses(struct dns_writer *writer, enum dns_section section, size_t owner,
			  const struct answer *found)
{
	const struct dns_query *query = writer->query;
	bool all = section == DNS_ADDITIONAL;

	for (unsigned i = 0; i < found->count; i++) {
		const union address *at = &found->list[i];

		if (at->any.sa_family == AF_INET && (all || wants(query, DNS_A)))
			dns_put_address(writer, section, owner, DNS_TTL, &at->v4.sin_addr, 4);
		else if (at->any.sa_family == AF_INET6 && (all || wants(query, DNS_AAAA)))
			dns_put_address(writer, section, owner, DNS_TTL, &at->v6.sin6_addr, 16);
	}
}

/* With what was found of the host that is in force. */
static size_t answer_found(const struct turn *turn, const struct dns_match *match,
			   const struct answer *found)
{
	size_t name = DNS_HEADER + match->name;
	bool service = match->meaning == NAME_SERVICE;
	struct dns_writer writer;

	if (found->error)
		return answer_code(turn, DNS_SERVFAIL);
	dns_begin(&writer, turn->query, turn->out, room_of(turn->query, turn->client));
	if (service || turn->query->type == DNS_SRV) {
		const struct address_book *book = live_book(turn->dns->live);

		dns_put_srv(&writer, DNS_HEADER, DNS_TTL, book->entries[match->index].now->port,
			    name);
		put_addresses(&writer, DNS_ADDITIONAL, name, found);
	} else {
		put_addresses(&writer, DNS_ANSWER, name, found);
	}
	if (!writer.counts[DNS_ANSWER] && !writer.cut)
		return answer_nothing(turn, DNS_NOERROR, match->apex);
	turn->dns->counts.answered++;
	return dns_end(&writer, DNS_NOERROR, DNS_AA | flags_of(turn->dns, turn->client));
}

/* ---- waiting ---- */

static struct ticket *ticket_create(const struct turn *turn)
{
	struct dns *dns = turn->dns;
	struct ticket *ticket;

	if (dns->counts.waiting == DNS_WAITING_MAX)
		return NULL;
	ticket = mem_alloc(sizeof(*ticket));
	ticket->dns = dns;
	ticket->client = *turn->client;
	ticket->query = *turn->query;
	memcpy(ticket->packet, turn->query->packet, turn->query->size);
	ticket->query.packet = ticket->packet;
	ticket->ask.fd = -1;
	ticket->ask.loop = dns->loop;
	ticket->ask.tcp = turn->client->stream != NULL;
	ticket->next = dns->tickets;
	dns->tickets = ticket;
	dns->counts.waiting++;
	return ticket;
}

static void ticket_free(struct ticket *ticket)
{
	struct ticket **at = &ticket->dns->tickets;

	while (*at != ticket)
		at = &(*at)->next;
	*at = ticket->next;
	ticket->dns->counts.waiting--;
	lookup_cancel(&ticket->lookup);
	dns_ask_cancel(&ticket->ask);
	free(ticket);
}

static void ticket_reply(struct ticket *ticket, const uint8_t *answer, size_t size)
{
	struct dns_client client = ticket->client;

	ticket_free(ticket);
	if (client.stream)
		dns_stream_reply(client.stream, answer, size);
	else
		sendto(client.fd, answer, size, MSG_DONTWAIT | MSG_NOSIGNAL, &client.peer.any,
		       address_size(&client.peer));
}

static struct turn turn_of(struct ticket *ticket, uint8_t *out)
{
	return (struct turn){
		.dns = ticket->dns, .query = &ticket->query, .client = &ticket->client, .out = out};
}

/* ---- what the book knows ---- */

static void match_query(struct dns *dns, const struct dns_query *query, struct dns_match *match)
{
	uint32_t generation = live_generation(dns->live);

	if (generation != dns->generation)
		dns_names_set(dns->names, live_book(dns->live));
	dns->generation = generation;
	dns_names_match(dns->names, query->name, query->name_len, match);
}

/* The book may be another one by now. */
static void looked_up(void *data, const struct answer *answer)
{
	struct ticket *ticket = data;
	uint8_t out[DNS_UDP_MOST];
	struct turn turn = turn_of(ticket, out);
	struct dns_match match;
	size_t size;

	match_query(ticket->dns, &ticket->query, &match);
	if ((match.meaning == NAME_ADDRESS || match.meaning == NAME_SERVICE) &&
	    live_book(ticket->dns->live)->entries[match.index].count)
		size = answer_found(&turn, &match, answer);
	else
		size = answer_code(&turn, DNS_SERVFAIL);
	ticket_reply(ticket, out, size);
}

static size_t answer_later(const struct turn *turn, const char *host, const struct dns_match *match)
{
	struct ticket *ticket = ticket_create(turn);
	struct answer answer;

	if (!ticket)
		return answer_code(turn, DNS_SERVFAIL);
	ticket->lookup.call = looked_up;
	ticket->lookup.data = ticket;
	*turn->waits = !lookup_begin(turn->dns->resolver, &ticket->lookup, host, &answer);
	if (*turn->waits)
		return 0;
	ticket_free(ticket);
	return answer_found(turn, match, &answer);
}

/* Whether _service means what is at this port: its number, its usual name, or the address's name.
 */
static bool is_service(const struct address_entry *entry, const char *service)
{
	uint64_t number;

	if (parse_uint(service, 65535, &number))
		return number == entry->now->port;
	return strcasecmp(service, entry->name) == 0 ||
	       port_well_known(service, strlen(service)) == entry->now->port;
}

static size_t answer_address(const struct turn *turn, const struct dns_match *match)
{
	const struct address_entry *entry = &live_book(turn->dns->live)->entries[match->index];
	enum dns_type type = turn->query->type;
	struct answer answer = {0};

	if (!entry->count || (match->meaning == NAME_SERVICE && !is_service(entry, match->service)))
		return answer_nothing(turn, DNS_NXDOMAIN, match->apex);
	if (type != DNS_SRV && type != DNS_ANY &&
	    (match->meaning == NAME_SERVICE || (type != DNS_A && type != DNS_AAAA)))
		return answer_nothing(turn, DNS_NOERROR, match->apex);
	if (!address_parse(&answer.list[0], entry->now->host, 0))
		return answer_later(turn, entry->now->host, match);
	answer.count = 1;
	return answer_found(turn, match, &answer);
}

/* ---- what others know ---- */

static void ticket_fail(struct ticket *ticket)
{
	uint8_t out[DNS_UDP_MOST];
	struct turn turn = turn_of(ticket, out);

	ticket_reply(ticket, out, answer_code(&turn, DNS_SERVFAIL));
}

static void asked(void *data, uint8_t *answer, size_t size)
{
	struct ticket *ticket = data;

	if (ticket->beginning) {
		ticket->over = true;
		return;
	}
	if (!answer) {
		ticket_fail(ticket);
		return;
	}
	ticket->dns->counts.forwarded++;
	if (!ticket->client.stream && size > ticket->query.udp_size)
		size = dns_cut(answer, &ticket->query);
	ticket_reply(ticket, answer, size);
}

static size_t forward(const struct turn *turn)
{
	const struct upstreams *servers = dns_upstream_list(turn->dns->upstream);
	struct ticket *ticket;

	if (!servers->count || !(turn->query->flags & DNS_RD) ||
	    turn->query->type >= DNS_TRANSFERS || !address_is_loopback(&turn->client->peer))
		return answer_code(turn, DNS_REFUSED);
	ticket = ticket_create(turn);
	if (!ticket)
		return answer_code(turn, DNS_SERVFAIL);
	ticket->ask.query = &ticket->query;
	ticket->ask.call = asked;
	ticket->ask.data = ticket;
	ticket->beginning = true;
	dns_ask_begin(&ticket->ask, servers);
	ticket->beginning = false;
	*turn->waits = !ticket->over;
	if (*turn->waits)
		return 0;
	ticket_free(ticket);
	return answer_code(turn, DNS_SERVFAIL);
}

/* ---- questions ---- */

static size_t answer_query(const struct turn *turn)
{
	const struct dns_query *query = turn->query;
	struct dns_match match;

	if (query->class != DNS_IN && query->class != DNS_CLASS_ANY)
		return answer_code(turn, DNS_REFUSED);
	if (!live_generation(turn->dns->live))
		return answer_code(turn, DNS_SERVFAIL); /* the book is on its way */
	match_query(turn->dns, query, &match);
	if (match.meaning == NAME_FOREIGN)
		return forward(turn);
	if (query->type >= DNS_TRANSFERS && query->type != DNS_ANY)
		return answer_code(turn, DNS_REFUSED);
	if (match.meaning == NAME_MISSING)
		return answer_nothing(turn, DNS_NXDOMAIN, match.apex);
	if (match.meaning == NAME_EMPTY)
		return answer_nothing(turn, DNS_NOERROR, match.apex);
	return answer_address(turn, &match);
}

size_t dns_take(struct dns *dns, const uint8_t *packet, size_t size,
		const struct dns_client *client, uint8_t *out, bool *waits)
{
	struct dns_query query;
	struct turn turn = {dns, &query, client, out, waits};
	int code = dns_read(&query, packet, size);

	*waits = false;
	if (code < 0) {
		dns->counts.malformed++;
		return 0;
	}
	return code ? answer_code(&turn, (enum dns_code)code) : answer_query(&turn);
}

void dns_forget(struct dns *dns, const struct dns_stream *stream)
{
	struct ticket *next;

	for (struct ticket *ticket = dns->tickets; ticket; ticket = next) {
		next = ticket->next;
		if (ticket->client.stream == stream)
			ticket_free(ticket);
	}
}

const struct dns_counts *dns_counts(const struct dns *dns)
{
	return &dns->counts;
}

/* ---- UDP ---- */

static struct batch *batch_create(void)
{
	struct batch *batch = mem_alloc(sizeof(*batch));

	for (int i = 0; i < BATCH; i++) {
		batch->in_part[i] = (struct iovec){batch->questions[i], DNS_QUERY_MOST};
		batch->in[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->peers[i],
			.msg_iov = &batch->in_part[i],
			.msg_iovlen = 1,
		};
	}
	return batch;
}

/* One packet of the batch; `n` counts the answers. */
static int take_packet(struct dns *dns, int fd, int i, int n)
{
	struct batch *batch = dns->batch;
	const struct msghdr *in = &batch->in[i].msg_hdr;
	const struct dns_client client = {.fd = fd, .peer = batch->peers[i]};
	size_t size = 0;
	bool waits;

	/* from port 0 comes nothing that could be answered */
	if (client.peer.v4.sin_port && !(in->msg_flags & MSG_TRUNC))
		size = dns_take(dns, batch->questions[i], batch->in[i].msg_len, &client,
				batch->answers[n], &waits);
	if (!size)
		return n;
	batch->out_part[n] = (struct iovec){batch->answers[n], size};
	batch->out[n].msg_hdr = (struct msghdr){
		.msg_name = &batch->peers[i],
		.msg_namelen = in->msg_namelen,
		.msg_iov = &batch->out_part[n],
		.msg_iovlen = 1,
	};
	return n + 1;
}

/* An answer that cannot be sent is lost, as any packet may be. */
static void send_answers(struct dns *dns, int fd, int count)
{
	int sent = 0;

	while (sent < count) {
		int n = sendmmsg(fd, dns->batch->out + sent, (unsigned)(count - sent),
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return;
		sent += n > 0 ? n : 1;
	}
}

static void packets_ready(void *data, int fd, uint32_t events)
{
	struct dns *dns = data;
	struct batch *batch = dns->batch;

	(void)events;
	for (int turn = 0; turn < TURN; turn++) {
		int count, answers = 0;

		for (int i = 0; i < BATCH; i++)
			batch->in[i].msg_hdr.msg_namelen = sizeof(batch->peers[i]);
		count = recvmmsg(fd, batch->in, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < count; i++)
			answers = take_packet(dns, fd, i, answers);
		send_answers(dns, fd, answers);
		if (count < BATCH)
			return;
	}
}

static void clients_wait(void *data, int fd, uint32_t events)
{
	struct dns *dns = data;

	(void)events;
	dns_streams_accept(dns->streams, fd);
}

/* ---- life ---- */

static bool open_one(struct dns *dns, const char *text)
{
	union address *own = &dns->own[dns->count];
	int *udp = &dns->udp[dns->count], *tcp = &dns->tcp[dns->count], size = SOCKET_BUF;
	char host[256];
	uint16_t port;

	if (dns->count == DNS_SOCKETS_MAX ||
	    !host_port_split(text, strlen(text), host, &port, DNS_PORT) ||
	    !address_parse(own, host, port)) {
		log_error("dns: \"%s\": expected ADDRESS:PORT, %d of them at most", text,
			  DNS_SOCKETS_MAX);
		return false;
	}
	*udp = inherited_or_bound(own, SOCK_DGRAM);
	*tcp = *udp < 0 ? *udp : inherited_or_bound(own, SOCK_STREAM);
	if (*tcp < 0) {
		log_error("dns: cannot listen on %s: %s", text, bind_error_text(-*tcp));
		return false;
	}
	setsockopt(*udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	dns->count++;
	return true;
}

struct dns *dns_create(struct loop *loop, const struct dns_options *options)
{
	struct dns *dns = mem_alloc(sizeof(*dns));

	dns->loop = loop;
	dns->options = options;
	dns->names = dns_names_create(options->zone);
	dns->batch = batch_create();
	dns->streams = dns_streams_create(loop, dns);
	for (const char *const *at = options->listen; *at; at++)
		if (!open_one(dns, *at))
			return NULL;
	return dns;
}

void dns_start(struct dns *dns, struct live *live, struct resolver *resolver)
{
	dns->live = live;
	dns->resolver = resolver;
	dns->upstream = dns_upstream_create(resolver, dns->options->upstream, dns->own, dns->count);
	for (unsigned i = 0; i < dns->count; i++) {
		loop_watch(dns->loop, dns->udp[i], EPOLLIN, packets_ready, dns);
		loop_watch(dns->loop, dns->tcp[i], EPOLLIN, clients_wait, dns);
		log_info("answering names on %s", dns->options->listen[i]);
	}
}

void dns_destroy(struct dns *dns)
{
	dns_streams_destroy(dns->streams);
	while (dns->tickets)
		ticket_free(dns->tickets);
	for (unsigned i = 0; i < dns->count; i++) {
		loop_forget(dns->loop, dns->udp[i]);
		loop_forget(dns->loop, dns->tcp[i]);
		close(dns->udp[i]);
		close(dns->tcp[i]);
	}
	if (dns->upstream)
		dns_upstream_destroy(dns->upstream);
	dns_names_destroy(dns->names);
	free(dns->batch);
	free(dns);
}
