/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <string.h>

#include "address.h"
#include "arena.h"
#include "endpoint.h"

#define FORM_URL "expected http://host:port/ or https://host:port/"

const struct peer_config *load_peer(const struct load *load, const char *name)
{
	const struct config *config = load->config;

	for (uint32_t i = 0; i < config->peer_count; i++)
		if (strcmp(config->peers[i].name, name) == 0)
			return &config->peers[i];
	return NULL;
}

const char *load_no_peer(struct load *load, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	char hint[SUGGEST_SIZE], q[QUOTE_SIZE];

	for (uint32_t i = 0; i < load->config->peer_count; i++)
		suggest_offer(&suggestion, load->config->peers[i].name);
	suggest_offer(&suggestion, load->config->name);
	return load_format(load, "there is no peer %s%s", quote(q, name),
			   suggest_text(&suggestion, hint));
}

/* ---- url ---- */

/* NULL, or what is wrong. */
static const char *url_problem(const char *text)
{
	struct url url;

	if (url_parse(text, &url) || !url.endpoint.host[0] ||
	    (!url_has_scheme(text, &url, "http") && !url_has_scheme(text, &url, "https")))
		return FORM_URL;
	if (url.endpoint.has_port && !url.endpoint.port)
		return "there is no port 0";
	if (url.host_at != url.scheme_len + 3)
		return "a user cannot be given here: who may ask is decided by the network";
	if (strlen(text) > PEER_URL_MAX)
		return "longer than 1023 characters";
	if (strpbrk(text + url.rest_at, "?#"))
		return FORM_URL ", without ? and #";
	return NULL;
}

/* With ${address:...} as it is written, so that the sidecar can follow it; NULL: reported. */
static const char *read_url(struct load *load, struct entry *entry)
{
	const char *text, *problem;
	char q[QUOTE_SIZE];
	size_t len;
	bool good;

	if (!value_scalar(load, entry, &text))
		return NULL;
	problem = url_problem(text);
	if (problem) {
		report_entry(load, entry, "%s: %s", quote(q, text), problem);
		return NULL;
	}
	load->keeps = true;
	good = value_scalar(load, entry, &text) && strlen(text) <= PEER_URL_MAX;
	load->keeps = false;
	for (len = good ? strlen(text) : 0; len && text[len - 1] == '/';)
		len--;
	return good ? load_intern(load, load_strndup(load, text, len)) : NULL;
}

/* ---- the section ---- */

static void read_peer(struct load *load, struct section *section, struct peer_config *out)
{
	struct entry *entry = section_get(section, "url");
	struct peer_draft draft = {0};

	values_defaults(load, SECTION_PEER, &draft);
	values_read(load, section, &draft);
	*out = (struct peer_config){load_intern(load, section->name), NULL, draft.period};
	if (entry)
		out->url = read_url(load, entry);
	else
		report_section(load, section, "url: missing; " FORM_URL);
}

/* One file may serve all hosts: its own section is not about another one. */
static bool is_self(const struct load *load, const struct section *section)
{
	return strcmp(section->name, load->config->name) == 0;
}

void load_peers(struct load *load)
{
	struct config *config = load->config;
	struct peer_config *peers = NULL, self;
	uint32_t room = 0;

	for (uint32_t i = 0; i < load->section_count; i++) {
		struct section *section = load->sections[i];

		if (section->kind != SECTION_PEER)
			continue;
		if (is_self(load, section)) {
			read_peer(load, section, &self);
			continue;
		}
		if (config->peer_count == PEERS_MAX) {
			report_section(load, section, "more than %d peers", PEERS_MAX);
			break;
		}
		peers = load_grow(load, peers, config->peer_count, &room, sizeof(*peers));
		read_peer(load, section, &peers[config->peer_count++]);
	}
	if (!config->peer_count)
		return;
	config->peers = load_check(
		load, arena_array(load->arena, config->peer_count, sizeof(*config->peers)));
	memcpy((void *)(uintptr_t)config->peers, peers, config->peer_count * sizeof(*peers));
	config->sidecar.present |= !config->sidecar.external;
}
