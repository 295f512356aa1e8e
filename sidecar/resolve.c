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
#include "family.h"
#include "fd.h"
#include "hosts_file.h"
#include "loop.h"
#include "mem.h"
#include "srv.h"

#define TTL_LEAST    5 /* seconds; the hosts file, too, is read again after this time */
#define PAUSE_FIRST  msec(100)
#define PAUSE_MOST   msec(2000)
#define QUERY_MSEC   2000
#define QUERY_TRIES  2
#define RESOLV_CONF  "/etc/resolv.conf"
#define HOSTS_READ   ((size_t)1 << 20)
#define MISSES_KNOWN 2 /* answers "no such name" that end a known name */
/* How long who has addresses of one family waits for those of the other (RFC 8305, section 3). */
#define OTHER_FAMILY msec(50)

struct name {
	struct resolver *resolver;
	struct name *next;
	struct family family[FAMILIES];
	struct loop_timer patience; /* armed: one family has addresses, the other may still */
	struct answer answer;  /* what askers are told: the last good one, else why there is none */
	uint64_t fresh_until;  /* nothing is asked again before this time */
	uint64_t pause;        /* after the last failure */
	uint64_t begin;        /* of the last lookup */
	unsigned misses;       /* times in a row that it was said not to exist */
	bool asking;           /* a lookup is under way: nothing to tell yet */
	struct lookup *askers; /* who waits for it */
	char host[];
};

struct resolver {
	struct loop *loop;
	ares_channel dns;     /* NULL until it is needed */
	ares_channel files;   /* the hosts file, and localhost; likewise */
	struct timespec conf; /* when resolv.conf was changed last */
	char *servers;        /* to ask in place of those there; NULL */
	struct loop_timer timer;
	struct name *names;
	unsigned pending; /* questions to name servers under way */
	unsigned inside;  /* calls of c-ares on the stack: the channel must stay */
	struct resolver_counts counts;
};

/* ---- c-ares in the loop ---- */

/* After each call of c-ares: when does it want to be called again? */
static void settle(struct resolver *resolver)
{
	struct timeval room, more, *left = NULL;

	if (resolver->dns)
		left = ares_timeout(resolver->dns, NULL, &room);
	if (resolver->files)
		left = ares_timeout(resolver->files, left, &more);
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
	if (resolver->dns)
		ares_process_fd(resolver->dns, readable, writable);
	if (resolver->files)
		ares_process_fd(resolver->files, readable, writable);
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
	if (resolver->dns)
		ares_destroy(resolver->dns);
	if (resolver->files)
		ares_destroy(resolver->files);
	resolver->dns = resolver->files = NULL;
}

/* The channel to ask, anew when resolv.conf has changed and nothing is under way. NULL: there is no
 * memory or no name server. */
static ares_channel channel_ready(struct resolver *resolver, ares_channel *channel)
{
	char lookups[] = {channel == &resolver->files ? 'f' : 'b', '\0'};
	struct stat info = {0};

	stat(RESOLV_CONF, &info);
	if (!resolver->inside && !resolver->pending &&
	    (info.st_mtim.tv_sec != resolver->conf.tv_sec ||
	     info.st_mtim.tv_nsec != resolver->conf.tv_nsec)) {
		channels_close(resolver);
		resolver->conf = info.st_mtim;
	}
	if (!*channel)
		channel_open(resolver, channel, lookups);
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

static void forget_missing(struct family *family)
{
	if (!family->asking && status_is_miss(family->status))
		family->count = 0;
}

static void name_resolved(struct name *name, uint64_t now)
{
	const struct family *v4 = &name->family[V4], *v6 = &name->family[V6];
	uint64_t fresh_until;
	int ttl = FAMILY_TTL_MOST;

	for (unsigned i = 0; i < FAMILIES; i++) {
		forget_missing(&name->family[i]);
		if (family_is_answered(&name->family[i]) && name->family[i].ttl < ttl)
			ttl = name->family[i].ttl;
	}
	fresh_until = now + (uint64_t)(ttl < TTL_LEAST ? TTL_LEAST : ttl) * NSEC_PER_SEC;
	if (name->asking || fresh_until < name->fresh_until)
		name->fresh_until = fresh_until;
	name->pause = 0;
	name->misses = 0;
	name->answer = (struct answer){.time = now};
	families_merge(name->family, &name->answer);
	if (!name->answer.count)
		name->answer.error = v4->refused || v6->refused
					     ? "only addresses of a link or of metadata"
					     : "no such name";
}

/* A name does not exist only when both families say so. */
static int failure_of(const struct name *name)
{
	int v4 = name->family[V4].status, v6 = name->family[V6].status;

	return status_is_miss(v4) && (!status_is_miss(v6) || v4 == ARES_ENOTFOUND) ? v6 : v4;
}

static void name_failed(struct name *name, int status, uint64_t now)
{
	name->pause = name->pause ? name->pause * 2 : PAUSE_FIRST;
	if (name->pause > PAUSE_MOST)
		name->pause = PAUSE_MOST;
	name->fresh_until = now + name->pause;
	name->misses = status_is_miss(status) ? name->misses + 1 : 0;
	name->resolver->counts.failures++;
	if (name->answer.count && name->misses < MISSES_KNOWN)
		return; /* the last good answer stays */
	name->family[V4].count = name->family[V6].count = 0;
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

/* Both families have answered, or one has and the other was waited for. */
static void name_settled(struct name *name, uint64_t now)
{
	loop_disarm(name->resolver->loop, &name->patience);
	if (family_is_answered(&name->family[V4]) || family_is_answered(&name->family[V6]))
		name_resolved(name, now);
	else
		name_failed(name, failure_of(name), now);
	if (!name->asking)
		return; /* what comes late is for who asks next */
	name->asking = false;
	latency_add(&name->resolver->counts.took, now - name->begin);
	tell_askers(name);
}

static void patience_ended(void *data, uint64_t now)
{
	name_settled(data, now);
}

static void family_answered(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
	struct family *family = data;
	struct name *name = family->name;
	uint64_t now = clock_monotonic();

	(void)timeouts;
	family->asking = false;
	family->status = status;
	name->resolver->pending--;
	if (info && status == ARES_SUCCESS) {
		family_take(family, family_kinds[family - name->family], info);
		family->rank = family_rank(name->resolver->dns, name->host, info->name);
	}
	if (info)
		ares_freeaddrinfo(info);
	if (status == ARES_EDESTRUCTION)
		return;
	if (!name->family[V4].asking && !name->family[V6].asking)
		name_settled(name, now);
	else if (family_is_answered(family) && family->count)
		loop_arm(name->resolver->loop, &name->patience, now + OTHER_FAMILY);
}

/* Whether the hosts file has the name because muster put it there. */
static bool is_ours(const char *host)
{
	char *text = mem_alloc(HOSTS_READ);
	bool ours = fd_read_file(HOSTS_PATH, text, HOSTS_READ) > 0 && hosts_has_ours(text, host);

	free(text);
	return ours;
}

/* Is called before ares_getaddrinfo returns. */
static void file_answered(void *data, int status, int timeouts, struct ares_addrinfo *info)
{
	struct name *name = data;

	(void)timeouts;
	for (unsigned i = 0; info && status == ARES_SUCCESS && i < FAMILIES; i++)
		family_take(&name->family[i], family_kinds[i], info);
	if (info)
		ares_freeaddrinfo(info);
	if (info && status == ARES_SUCCESS)
		name_settled(name, clock_monotonic());
}

/* From the hosts file, both families at once: what stands there is all there is. */
static void ask_files(struct name *name)
{
	struct resolver *resolver = name->resolver;
	struct ares_addrinfo_hints hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	ares_channel channel = channel_ready(resolver, &resolver->files);

	if (!channel || is_ours(name->host))
		return;
	resolver->inside++;
	ares_getaddrinfo(channel, name->host, NULL, &hints, file_answered, name);
	resolver->inside--;
}

/* Those that are not still being asked for, since the last time. */
static void ask_servers(struct name *name, ares_channel channel)
{
	struct resolver *resolver = name->resolver;
	struct ares_addrinfo_hints hints = {.ai_socktype = SOCK_STREAM};
	bool ask[FAMILIES];

	resolver->inside++;
	for (unsigned i = 0; i < FAMILIES; i++) {
		ask[i] = !name->family[i].asking;
		resolver->pending += ask[i];
		name->family[i].name = name;
		name->family[i].asking = true;
	}
	for (unsigned i = 0; i < FAMILIES; i++) {
		hints.ai_family = family_kinds[i];
		if (ask[i])
			ares_getaddrinfo(channel, name->host, NULL, &hints, family_answered,
					 &name->family[i]);
	}
	resolver->inside--;
	settle(resolver);
}

static void name_ask(struct name *name)
{
	ares_channel channel;

	name->asking = true;
	name->begin = clock_monotonic();
	name->resolver->counts.lookups++;
	ask_files(name);
	if (!name->asking)
		return;
	channel = channel_ready(name->resolver, &name->resolver->dns);
	if (channel) {
		ask_servers(name, channel);
		return;
	}
	name_failed(name, ARES_ECONNREFUSED, name->begin);
	name->asking = false;
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
		loop_disarm(resolver->loop, &name->patience);
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
	name->patience = (struct loop_timer){.call = patience_ended, .data = name};
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
	ares_channel channel = channel_ready(resolver, &resolver->dns);
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
