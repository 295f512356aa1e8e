/* SPDX-License-Identifier: MIT */
#include "srv.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <stdio.h>
#include <string.h>

#include "address.h"

/* A message while it is being read. */
struct message {
	const unsigned char *start, *at, *end;
	int size;
};

static bool take(struct message *m, size_t size)
{
	if ((size_t)(m->end - m->at) < size)
		return false;
	m->at += size;
	return true;
}

static unsigned two(const unsigned char *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* The name at m->at, or with `out` NULL only what it takes. */
static bool take_name(struct message *m, char *out, size_t room)
{
	char *name = NULL;
	long length;

	if (ares_expand_name(m->at, m->start, m->size, &name, &length) != ARES_SUCCESS)
		return false;
	if (out)
		snprintf(out, room, "%s", name);
	ares_free_string(name);
	return take(m, (size_t)length);
}

static int by_preference(const struct srv_target *x, const struct srv_target *y)
{
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (x->weight != y->weight)
		return x->weight > y->weight ? -1 : 1;
	/* the same order whatever the order of the answer */
	return strcmp(x->host, y->host) ? strcmp(x->host, y->host) : x->port - y->port;
}

/* In its place; of too many the last go. */
static void add_target(struct srv_answer *answer, const struct srv_target *target)
{
	unsigned i = answer->count < SRV_MAX ? answer->count++ : SRV_MAX;

	for (; i > 0 && by_preference(target, &answer->targets[i - 1]) < 0; i--)
		if (i < SRV_MAX)
			answer->targets[i] = answer->targets[i - 1];
	if (i < SRV_MAX)
		answer->targets[i] = *target;
}

/* One record of the answer. False: the message is broken. */
static bool take_record(struct message *m, struct srv_answer *answer)
{
	struct srv_target target = {0};
	const unsigned char *fixed, *data;
	uint32_t ttl;

	if (!take_name(m, NULL, 0))
		return false;
	fixed = m->at;
	if (!take(m, 10))
		return false;
	data = m->at;
	if (!take(m, two(fixed + 8)))
		return false;
	ttl = (uint32_t)two(fixed + 4) << 16 | two(fixed + 6);
	if (ttl < answer->ttl)
		answer->ttl = ttl;
	if (two(fixed) != ns_t_srv || two(fixed + 8) < 7)
		return true; /* a CNAME on the way */
	target.priority = (uint16_t)two(data);
	target.weight = (uint16_t)two(data + 2);
	target.port = (uint16_t)two(data + 4);
	m->at = data + 6;
	if (!take_name(m, target.host, sizeof(target.host)))
		return false;
	m->at = data + two(fixed + 8);
	/* a target of "." says that there is decidedly no such service */
	if (target.port && target.host[0] && address_host_valid(target.host, sizeof(target.host)))
		add_target(answer, &target);
	return true;
}

void srv_read(struct srv_answer *answer, const unsigned char *bytes, int size)
{
	struct message m = {bytes, bytes, bytes + (size > 0 ? size : 0), size};
	unsigned records;

	*answer = (struct srv_answer){.error = "the name server answered with nonsense",
				      .ttl = UINT32_MAX};
	if (!take(&m, 12) || two(bytes + 4) != 1)
		return;
	records = two(bytes + 6);
	if (!take_name(&m, NULL, 0) || !take(&m, 4))
		return;
	for (; records; records--)
		if (!take_record(&m, answer))
			return;
	answer->error = answer->count ? NULL : "no such service";
}
