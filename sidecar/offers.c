/* SPDX-License-Identifier: MIT */
#include "offers.h"

#include <stdio.h>

#include "address.h"
#include "config.h"
#include "dns.h"
#include "forward.h"
#include "live.h"
#include "log.h"
#include "mem.h"
#include "sidecar.h"

bool offers_add(const char **list, unsigned most, const char *text, const char *what)
{
	unsigned count = 0;

	while (list[count])
		count++;
	if (count == most) {
		log_error("%s may be given %u times at most", what, most);
		return false;
	}
	list[count] = text;
	return true;
}

static bool read_dns(struct offers *offers, const struct sidecar_config *config)
{
	bool good = true;

	for (char *const *at = config->dns; at && *at && good; at++)
		good = offers_add(offers->dns, OFFER_DNS_MAX, *at, "dns");
	for (char *const *at = config->dns_upstream; at && *at && good; at++)
		good = offers_add(offers->upstream, OFFER_UPSTREAM_MAX, *at, "dns_upstream");
	if (config->dns_upstream && !*config->dns_upstream && !offers->upstream[0])
		offers->upstream[0] = "no";
	if (!offers->zone)
		offers->zone = config->dns_zone;
	return good;
}

static bool read_forwards(struct offers *offers, const struct address_entry *entry)
{
	char text[CONFIG_NAME_MAX + ENDPOINT_SIZE + 2];
	bool good = true;

	for (char *const *at = entry->forward; *at && good; at++) {
		snprintf(text, sizeof(text), "%s=%s", entry->name, *at);
		/* for as long as it runs */
		good = offers_add(offers->forward, OFFER_FORWARD_MAX, mem_strdup(text), "forward");
	}
	return good;
}

bool offers_read(struct offers *offers, const struct config *config)
{
	bool good = read_dns(offers, &config->sidecar);

	for (uint32_t i = 0; i < config->addresses->count && good; i++)
		good = read_forwards(offers, &config->addresses->entries[i]);
	return good;
}

bool offers_open(struct sidecar *sidecar)
{
	struct offers *offers = &sidecar->options.offers;
	static struct dns_options options;

	if (!offers->dns[0] && !offers->forward[0])
		return true;
	options = (struct dns_options){.listen = offers->dns,
				       .upstream = offers->upstream,
				       .zone = offers->zone ? offers->zone : OFFER_ZONE};
	if (offers->dns[0])
		sidecar->dns = dns_create(sidecar->loop, &options);
	if (offers->forward[0])
		sidecar->forward = forward_create(sidecar->loop, offers->forward);
	return !offers->dns[0] == !sidecar->dns && !offers->forward[0] == !sidecar->forward;
}

static void book_is_there(void *data)
{
	struct sidecar *sidecar = data;

	if (sidecar->dns)
		dns_start(sidecar->dns, sidecar->live, sidecar->resolver);
	if (sidecar->forward)
		forward_start(sidecar->forward, sidecar->live, sidecar->resolver);
}

void offers_start(struct sidecar *sidecar)
{
	if (sidecar->dns || sidecar->forward)
		live_on_book(sidecar->live, book_is_there, sidecar);
}

void offers_close(struct sidecar *sidecar)
{
	if (sidecar->dns)
		dns_destroy(sidecar->dns);
	if (sidecar->forward)
		forward_destroy(sidecar->forward);
}
