/* SPDX-License-Identifier: MIT */
#include "family.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

const int family_kinds[FAMILIES] = {[V4] = AF_INET, [V6] = AF_INET6};

bool status_is_miss(int status)
{
	return status == ARES_ENOTFOUND || status == ARES_ENODATA;
}

bool family_is_answered(const struct family *family)
{
	return !family->asking && family->status == ARES_SUCCESS;
}

unsigned family_rank(ares_channel channel, const char *host, const char *found)
{
	struct ares_options options = {0};
	size_t len = strlen(host);
	unsigned rank = UINT_MAX;
	int dots = 0, set;

	if (!found || ares_save_options(channel, &options, &set) != ARES_SUCCESS)
		return 0;
	for (const char *c = host; *c; c++)
		dots += *c == '.';
	if (strcasecmp(found, host) == 0 && dots >= options.ndots)
		rank = 0;
	for (int i = 0; i < options.ndomains; i++)
		if (strncasecmp(found, host, len) == 0 && found[len] == '.' &&
		    strcasecmp(found + len + 1, options.domains[i]) == 0)
			rank = (unsigned)i + 1;
	ares_destroy_options(&options);
	return rank;
}

void family_take(struct family *family, int kind, const struct ares_addrinfo *info)
{
	family->status = ARES_SUCCESS;
	family->ttl = FAMILY_TTL_MOST;
	family->rank = 0;
	family->count = 0;
	family->refused = false;
	for (struct ares_addrinfo_node *node = info->nodes; node; node = node->ai_next) {
		union address *address = &family->list[family->count];

		if (family->count == ANSWER_MAX)
			break;
		if (node->ai_family != kind || node->ai_addrlen > sizeof(*address))
			continue;
		memcpy(address, node->ai_addr, node->ai_addrlen);
		if (address_is_refused(address)) {
			family->refused = true;
			continue;
		}
		if (node->ai_ttl < family->ttl)
			family->ttl = node->ai_ttl;
		family->count++;
	}
}

void families_merge(struct family families[FAMILIES], struct answer *answer)
{
	struct family *v4 = &families[V4], *v6 = &families[V6];

	if (v4->count && v6->count && v4->rank != v6->rank)
		*(v4->rank < v6->rank ? &v6->count : &v4->count) = 0;
	answer->count = 0;
	for (unsigned i = 0; i < ANSWER_MAX; i++) {
		if (i < v4->count && answer->count < ANSWER_MAX)
			answer->list[answer->count++] = v4->list[i];
		if (i < v6->count && answer->count < ANSWER_MAX)
			answer->list[answer->count++] = v6->list[i];
	}
}
