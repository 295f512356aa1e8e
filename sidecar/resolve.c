/* SPDX-License-Identifier: MIT */
#include "resolve.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "clock.h"
#include "fd.h"
#include "hosts_file.h"
#include "loop.h"
#include "mem.h"
#include "srv.h"

#define TTL_LEAST    5 /* seconds; the hosts file, too, is read again after this time */
#define TTL_MOST     60
#define PAUSE_FIRST  msec(100)
#define PAUSE_MOST   msec(2000)
#define QUERY_MSEC   2000
#define QUERY_TRIES  2
#define RESOLV_CONF  "/etc/resolv.conf"
#define HOSTS_READ   ((size_t)1 << 20)
#define MISSES_KNOWN 2 /* answers "no such name" that end a known name */

struct name {
	struct resolver *resolver;
	struct name *next;
	struct answer answer;  /* what askers are told: the last good one, else why there is none */
	uint64_t fresh_until;  /* nothing is asked again before this time */
	uint64_t pause;        /* after the last failure */
	uint64_t begin;        /* of the last lookup */
	unsigned misses;       /* times in a row that it was said not to exist */
	bool asking;           /* a lookup is under way */
	struct lookup *askers; /* who waits for it */
	char host[];
};

struct resolver {
	struct loop *loop;
	ares_channel channel; /* NULL until the first name is asked for */
	ares_channel beside;  /* the same without the hosts file; NULL until it is needed */
	struct timespec conf; /* when resolv.conf was changed last */
	char *servers;        /* to ask in place of those there; NULL */
	struct loop_timer timer;
	struct name *names;
	unsigned pending; /* lookups under way */
	unsigned inside;  /* calls of c-ares on the stack: the channel must stay */
	struct resolver_counts counts;
};

/* ---- c-ares in the loop ---- */

/* After each call of c-ares: when does it want to be called again? */
static void settle(struct resolver *resolver)
{
	struct timeval room, more, *left = NULL;

	if (resolver->channel)
		left = ares_timeout(resolver->channel, NULL, &room);
	if (resolver->beside)
		left = ares_timeout(resolver->beside, left, &more);
	if (left)
		loop_arm(resolver->loop, &resolver->timer,
			 clock_monotonic() + (uint64_t)left->tv_sec * NSEC_PER_SEC +
				 (uint64_t)left->tv_usec * 1000);
	else
		loop_disarm(resolver->loop, &resolver->timer);
}

static void process(struct resolver *resolver, int readable, int writable)
{
	resolver->inside++;
	/* a channel passes over descriptors that are not its own */
	if (resolver->channel)
		ares_process_fd(resolver->channel, readable, writable);
	if (resolver->beside)
		ares_process_fd(resolver->beside, readable, writable);
	resolver->inside--;
	settle(resolver);
}

static void timer_expired(void *data, uint64_t now)
{
	(void)now;
	process(data, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static void socket_ready(void *data, int fd, uint32_t events)
{
	bool failed = events & (EPOLLERR | EPOLLHUP);

	process(data, events & EPOLLIN || failed ? fd : ARES_SOCKET_BAD,
		events & EPOLLOUT || failed ? fd : ARES_SOCKET_BAD);
}

static void socket_changed(void *data, ares_socket_t fd, int readable, int writable)
{
	struct resolver *resolver = data;
	uint32_t events = (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u);

	if (events)
		loop_watch(resolver->loop, fd, events, socket_ready, resolver);
	else
		loop_forget(resolver->loop, fd);
}

/* `lookups`: f the hosts file, b DNS. */
static bool channel_open(struct resolver *resolver, ares_channel *channel, char *lookups)
{
	struct ares_options options = {
		.timeout = QUERY_MSEC,
		.tries = QUERY_TRIES,
		.lookups = lookups,
		.sock_state_cb = socket_changed,
		.sock_state_cb_data = resolver,
	};

	if (ares_init_options(channel, &options,
			      ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS |
				      ARES_OPT_SOCK_STATE_CB) != ARES_SUCCESS) {
		*channel = NULL;
		return false;
	}
	if (resolver->servers && *resolver->servers)
		ares_set_servers_ports_csv(*channel, resolver->servers);
	else if (resolver->servers)
		ares_set_servers_ports(*channel, NULL);
	return true;
}

static void channels_close(struct resolver *resolver)
{
	if (resolver->channel)
		ares_destroy(resolver->channel);
	if (resolver->beside)
		ares_destroy(resolver->beside);
	resolver->channel = resolver->beside = NULL;
}

/* The channel to ask, anew when resolv.conf has changed and nothing is under way. NULL: there is no
 * memory or no name server. */
static ares_channel channel_ready(struct resolver *resolver, bool beside)
{
	char all[] = "fb", dns[] = "b";
	ares_channel *channel = beside ? &resolver->beside : &resolver->channel;
	struct stat info = {0};

	stat(RESOLV_CONF, &info);
	if (!resolver->inside && !resolver->pending &&
	    (info.st_mtim.tv_sec != resolver->conf.tv_sec ||
	     info.st_mtim.tv_nsec != resolver->conf.tv_nsec)) {
		channels_close(resolver);
		resolver->conf = info.st_mtim;
	}
	if (!*channel)
		channel_open(resolver, channel, beside ? dns : all);
	return *channel;
}

/* ---- answers ---- */

static const char *failure_text(int status)
{
	switch (status) {
	case ARES_ENOTFOUND:
		return "no such name";
	case ARES_ENODATA:
		return "the name has no address";
	case ARES_ESERVFAIL:
		return "the name server failed";
	case ARES_EREFUSED:
		return "the name server refused";
	case ARES_ETIMEOUT:
		return "the name server does not answer";
	case ARES_ECONNREFUSED:
		return "no name server gave an answer"; /* it refused, failed, or is not there */
	case ARES_EBADNAME:
	case ARES_EBADSTR:
		return "not a valid name";
	default:
		return "the name server answered with nonsense";
	}
}

static bool is_miss(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

/* Takes the addresses over; returns for how long they hold, in seconds. */
static int take_addresses(struct answer *answer, const struct ares_addrinfo *info)
{
	int ttl = TTL_MOST;

	*answer = (struct answer){0};
	for (struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		union address *address = &answer->list[answer->count];

		if (answer->count == ANSWER_MAX || node->ai_addrlen > sizeof(*address))
			break;
		memcpy(address, node->ai_addr, node->ai_addrlen);
		if (address_is_refused(address))
			continue;
		if (node->ai_ttl < ttl)
			ttl = node->ai_ttl;
		answer->count++;
	}
	if (!answer->count)
		answer->error =
			info->nodes ? "only addresses of a link or of metadata" : "no such name";
	return ttl < TTL_LEAST ? TTL_LEAST : ttl;
}

static void name_failed(struct name *name, int status, uint64_t now)
{
	name->pause = name->pause ? name->pause * 2 : PAUSE_FIRST;
	if (name->pause > PAUSE_MOST)
		name->pause = PAUSE_MOST;
	name->fresh_until = now + name->pause;
	name->misses = is_miss(status) ? name->misses + 1 : 0;
	name->resolver->counts.failures++;
	if (name->answer.count && name->misses < MISSES_KNOWN)
		return; /* the last good answer stays */
	name->answer = (struct answer){.error = failure_text(status), .time = now};
}

static void tell_askers(struct name *name)
{
	struct answer answer = name->answer;
	struct lookup *lookup;

	while ((lookup = name->askers)) {
		lookup_cancel(lookup);
		lookup->call(lookup->data, &answer);
	}
}

static void name_answered(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
	struct name *name = data;
	uint64_t now = clock_monotonic();

	(void)timeouts;
	name->asking = false;
	name->resolver->pending--;
	latency_add(&name->resolver->counts.took, now - name->begin);
	if (status == ARES_SUCCESS && info) {
		name->pause = 0;
		name->misses = 0;
		name->fresh_until =
			now + (uint64_t)take_addresses(&name->answer, info) * NSEC_PER_SEC;
		name->answer.time = now;
	} else {
		name_failed(name, status, now);
	}
	if (info)
		ares_freeaddrinfo(info);
	if (status != ARES_EDESTRUCTION)
		tell_askers(name);
}

/* Whether the hosts file has the name because muster put it there. */
static bool is_ours(const char *host)
{
	char *text = mem_alloc(HOSTS_READ);
	bool ours = fd_read_file(HOSTS_PATH, text, HOSTS_READ) > 0 && hosts_has_ours(text, host);

	free(text);
	return ours;
}

static void name_ask(struct name *name)
{
	struct resolver *resolver = name->resolver;
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	ares_channel channel = channel_ready(resolver, is_ours(name->host));

	resolver->counts.lookups++;
	if (!channel) {
		name_failed(name, ARES_ECONNREFUSED, clock_monotonic());
		return;
	}
	name->asking = true;
	name->begin = clock_monotonic();
	resolver->pending++;
	resolver->inside++;
	ares_getaddrinfo(channel, name->host, NULL, &hints, name_answered, name);
	resolver->inside--;
	settle(resolver);
}

/* ---- what askers call ---- */

struct resolver *resolver_create(struct loop *loop)
{
	struct resolver *resolver = mem_alloc(sizeof(*resolver));

	resolver->loop = loop;
	resolver->timer.call = timer_expired;
	resolver->timer.data = resolver;
	return resolver;
}

void resolver_destroy(struct resolver *resolver)
{
	struct name *next;

	channels_close(resolver);
	free(resolver->servers);
	loop_disarm(resolver->loop, &resolver->timer);
	for (struct name *name = resolver->names; name; name = next) {
		next = name->next;
		free(name);
	}
	free(resolver);
}

void resolver_use(struct resolver *resolver, const char *servers)
{
	if (!servers == !resolver->servers && (!servers || strcmp(servers, resolver->servers) == 0))
		return;
	free(resolver->servers);
	resolver->servers = servers ? mem_strdup(servers) : NULL;
	/* the channels are made anew when nothing is under way */
	resolver->conf = (struct timespec){.tv_nsec = -1};
}

static struct name *find_name(struct resolver *resolver, const char *host)
{
	size_t len = strlen(host);
	struct name *name;

	for (name = resolver->names; name; name = name->next)
		if (strcasecmp(name->host, host) == 0)
			return name;
	name = mem_alloc(sizeof(*name) + len + 1);
	memcpy(name->host, host, len);
	name->resolver = resolver;
	name->next = resolver->names;
	resolver->names = name;
	return name;
}

bool lookup_begin(struct resolver *resolver, struct lookup *lookup, const char *host,
		  struct answer *answer)
{
	struct name *name = find_name(resolver, host);

	if (!name->asking && clock_monotonic() >= name->fresh_until)
		name_ask(name);
	if (name->answer.count || !name->asking) {
		*answer = name->answer;
		return true;
	}
	lookup->name = name;
	lookup->previous = NULL;
	lookup->next = name->askers;
	if (lookup->next)
		lookup->next->previous = lookup;
	name->askers = lookup;
	return false;
}

void lookup_cancel(struct lookup *lookup)
{
	if (!lookup->name)
		return;
	if (lookup->previous)
		lookup->previous->next = lookup->next;
	else
		lookup->name->askers = lookup->next;
	if (lookup->next)
		lookup->next->previous = lookup->previous;
	lookup->name = NULL;
}

/* ---- SRV ---- */

struct srv_query {
	struct resolver *resolver;
	struct srv_lookup *lookup; /* NULL: nobody waits any more */
	uint64_t begin;
};

static void srv_tell(struct srv_lookup *lookup, const struct srv_answer *answer)
{
	lookup->query = NULL;
	lookup->call(lookup->data, answer);
}

static void srv_answered(void *data, int status, int timeouts, unsigned char *message, int size)
{
	struct srv_query *query = data;
	struct srv_lookup *lookup = query->lookup;
	struct srv_answer answer = {.error = failure_text(status)};

	(void)timeouts;
	query->resolver->pending--;
	latency_add(&query->resolver->counts.took, clock_monotonic() - query->begin);
	if (status == ARES_SUCCESS)
		srv_read(&answer, message, size);
	else
		query->resolver->counts.failures++;
	free(query);
	if (lookup && status != ARES_EDESTRUCTION)
		srv_tell(lookup, &answer);
}

void srv_begin(struct resolver *resolver, struct srv_lookup *lookup, const char *name)
{
	ares_channel channel = channel_ready(resolver, false);
	struct srv_answer none = {.error = failure_text(ARES_ECONNREFUSED)};

	resolver->counts.lookups++;
	if (!channel) {
		srv_tell(lookup, &none);
		return;
	}
	lookup->query = mem_alloc(sizeof(*lookup->query));
	*lookup->query = (struct srv_query){resolver, lookup, clock_monotonic()};
	resolver->pending++;
	resolver->inside++;
	ares_search(channel, name, ns_c_in, ns_t_srv, srv_answered, lookup->query);
	resolver->inside--;
	settle(resolver);
}

void srv_cancel(struct srv_lookup *lookup)
{
	if (lookup->query)
		lookup->query->lookup = NULL;
	lookup->query = NULL;
}

const struct resolver_counts *resolver_counts(const struct resolver *resolver)
{
	return &resolver->counts;
}
