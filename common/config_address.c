/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "str.h"
#include "table.h"

/* An address while its candidates are being collected. */
struct lookup {
	struct load *load;
	struct section *section;
	struct address_draft draft;
	char variable[CONFIG_NAME_MAX + 1]; /* its name in variables */
	uint64_t port;                      /* for hosts without one; 0: none */
	struct address_candidate *candidates;
	uint32_t count, room;
	const char *tried;
	bool decided; /* an explicit variable was there, right or wrong */
};

static void note(struct lookup *l, const char *text)
{
	l->tried = l->tried ? load_format(l->load, "%s; %s", l->tried, text) : text;
}

static void add_candidate(struct lookup *l, const char *host, uint16_t port, const char *source)
{
	l->candidates =
		load_grow(l->load, l->candidates, l->count, &l->room, sizeof(*l->candidates));
	l->candidates[l->count++] = (struct address_candidate){load_intern(l->load, host), port,
							       load_intern(l->load, source)};
}

/* ---- the environment ---- */

/* The variable NAME_SUFFIX, NULL when it is not set or empty. */
static const char *variable(const struct lookup *l, const char *suffix)
{
	char name[CONFIG_NAME_MAX + 24];

	snprintf(name, sizeof(name), "%s%s", l->variable, suffix);
	return load_set_variable(l->load, name);
}

/*
 * An explicit variable that cannot be understood ends the search: to go on to another address
 * than the one that was asked for would be worse. Its value may hold a password.
 */
static void decide(struct lookup *l, const char *suffix, const char *problem,
		   const struct endpoint *endpoint, uint16_t port)
{
	const char *source = load_format(l->load, "environment %s%s", l->variable, suffix);

	l->decided = true;
	if (!problem && endpoint->host[0] == '\0')
		problem = "there is no host";
	if (!problem && port == 0)
		problem = "there is no port";
	if (problem)
		note(l, load_format(l->load, "%s (%s)", source, problem));
	else
		add_candidate(l, endpoint->host, port, source);
}

static uint16_t scheme_port(const char *text, const struct url *url)
{
	static const struct {
		const char *scheme;
		uint16_t port;
	} known[] = {
		{"http", 80},       {"https", 443},       {"redis", 6379}, {"rediss", 6379},
		{"postgres", 5432}, {"postgresql", 5432}, {"mysql", 3306}, {"amqp", 5672},
		{"amqps", 5671},    {"mongodb", 27017},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (url_has_scheme(text, url, known[i].scheme))
			return known[i].port;
	return 0;
}

/* NAME_PORT as links set it: tcp://10.0.0.11:6379. */
static bool link_endpoint(const struct lookup *l, struct endpoint *out)
{
	const char *text = variable(l, "_PORT");
	struct url url;

	if (!text || (strncmp(text, "tcp://", 6) != 0 && strncmp(text, "udp://", 6) != 0) ||
	    url_parse(text, &url) != NULL || !url.endpoint.has_port || !url.endpoint.host[0])
		return false;
	*out = url.endpoint;
	return true;
}

static uint16_t pick(uint64_t first, uint64_t second)
{
	return (uint16_t)(first ? first : second);
}

static void try_explicit(struct lookup *l)
{
	const char *url_text = variable(l, "_URL"), *addr = variable(l, "_ADDR"),
		   *host = variable(l, "_HOST"), *problem;
	struct endpoint endpoint = {0}, link;
	struct url url;

	if (url_text) {
		problem = url_parse(url_text, &url);
		decide(l, "_URL", problem, &url.endpoint,
		       problem ? 0
			       : pick(url.endpoint.port,
				      pick(scheme_port(url_text, &url), l->port)));
	} else if (addr) {
		problem = endpoint_parse(addr, strlen(addr), &endpoint);
		decide(l, "_ADDR", problem, &endpoint, pick(endpoint.port, l->port));
	} else if (host) {
		problem = endpoint_parse(host, strlen(host), &endpoint);
		if (!l->port && link_endpoint(l, &link))
			l->port = link.port;
		decide(l, "_HOST", problem, &endpoint, pick(endpoint.port, l->port));
	} else {
		note(l, load_format(l->load, "environment %s_URL, %s_ADDR, %s_HOST (not set)",
				    l->variable, l->variable, l->variable));
	}
}

static void try_links(struct lookup *l)
{
	const char *host = variable(l, "_SERVICE_HOST"), *port = variable(l, "_SERVICE_PORT");
	struct endpoint endpoint;
	uint64_t number = l->port;

	if (port && !parse_uint(port, 65535, &number))
		number = 0;
	if (host && number && !endpoint_parse(host, strlen(host), &endpoint) && endpoint.host[0])
		add_candidate(l, endpoint.host, (uint16_t)number,
			      load_format(l->load, "environment %s_SERVICE_HOST", l->variable));
	else
		note(l, load_format(l->load, "environment %s_SERVICE_HOST (%s)", l->variable,
				    host ? "not usable" : "not set"));
	if (link_endpoint(l, &endpoint))
		add_candidate(l, endpoint.host, endpoint.port,
			      load_format(l->load, "environment %s_PORT", l->variable));
}

/* ---- entries ---- */

/* NULL, or what is wrong with one host of an entry. */
static const char *host_problem(const struct lookup *l, const char *text, struct endpoint *out)
{
	const char *problem = endpoint_parse(text, strlen(text), out);

	if (problem)
		return problem;
	if (out->host[0] == '\0')
		return "there is no host before the colon";
	if (out->has_port && out->port == 0)
		return "the port must be a number from 1 to 65535";
	if (!out->has_port && !l->port)
		return "there is no port; write HOST:PORT or add port = N to the section";
	return NULL;
}

static const char *place_of(const struct lookup *l, const struct entry *entry, uint32_t line)
{
	if (entry->file == FILE_ENVIRONMENT)
		return entry->key->name;
	return load_format(l->load, "%s:%u %s", l->load->files[entry->file], line,
			   entry->key->name);
}

static void try_items(struct lookup *l, const struct entry *entry, const struct items *items,
		      bool keep)
{
	for (size_t i = 0; i < items->count; i++) {
		const struct item *item = &items->list[i];
		struct endpoint endpoint;
		const char *problem = host_problem(l, item->text, &endpoint);
		char q[QUOTE_SIZE];

		if (problem)
			report_line(l->load, entry, item->line, "%s: %s", quote(q, item->text),
				    problem);
		else if (keep)
			add_candidate(l, endpoint.host, pick(endpoint.port, l->port),
				      place_of(l, entry, item->line));
	}
}

/* A variable that is not set is no mistake here: the next way is tried. */
static void try_entry(struct lookup *l, const struct entry *entry, const char *what)
{
	struct items lines = value_lines(l->load, entry);

	if (!entry)
		note(l, load_format(l->load, "%s (not given)", what));
	for (size_t i = 0; i < lines.count; i++) {
		const struct item *line = &lines.list[i];
		const char *error;
		const char *text = value_expand_quietly(l->load, line->text, &error);
		struct items items;

		if (!text) {
			note(l, load_format(l->load, "%s (%s)", place_of(l, entry, line->line),
					    error));
			continue;
		}
		items = value_items_of(l->load, text, line->line);
		try_items(l, entry, &items, true);
	}
}

/* An entry of another mode is held to its form too, unless variables have a part in it. */
static void check_entry(struct lookup *l, const struct entry *entry)
{
	struct items lines = value_lines(l->load, entry);

	for (size_t i = 0; i < lines.count; i++) {
		struct items items;

		if (strchr(lines.list[i].text, '$'))
			continue;
		items = value_items_of(l->load, lines.list[i].text, lines.list[i].line);
		try_items(l, entry, &items, false);
	}
}

/* ---- one address ---- */

static void try_all(struct lookup *l)
{
	enum run_mode mode = l->load->config->mode;
	const struct entry *entry = l->draft.modes[mode];

	try_explicit(l);
	if (l->decided)
		return;
	try_entry(l, entry, mode_name(mode));
	try_links(l);
	try_entry(l, l->draft.fallback, "fallback");
	if (mode == MODE_KUBERNETES && !entry && l->port)
		add_candidate(l, l->section->name, (uint16_t)l->port,
			      "name of the Kubernetes service");
}

/* The default port: NAME_PORT when it is a number, else `port`. */
static void find_port(struct lookup *l)
{
	const char *text = variable(l, "_PORT");

	l->port = l->draft.port > 0 ? (uint64_t)l->draft.port : 0;
	if (text)
		parse_uint(text, 65535, &l->port);
}

static void load_entry(struct load *load, struct section *section, struct address *out)
{
	struct lookup l = {.load = load, .section = section};

	values_defaults(load, SECTION_ADDRESS, &l.draft);
	values_read(load, section, &l.draft);
	key_variable(section->name, l.variable, sizeof(l.variable));
	find_port(&l);
	try_all(&l);
	for (unsigned mode = 0; mode < MODE_COUNT; mode++)
		if (l.decided || mode != load->config->mode)
			check_entry(&l, l.draft.modes[mode]);
	if (l.decided)
		check_entry(&l, l.draft.fallback);
	out->name = load_intern(load, section->name);
	out->count = l.count;
	if (l.count)
		out->candidates =
			load_intern_block(load, l.candidates, l.count * sizeof(*l.candidates));
	else
		out->tried = load_intern(load, l.tried ? l.tried : "nothing");
}

/* Two names that look the same in variables would take each other's. */
static void check_variable(struct load *load, struct table *variables, uint32_t index)
{
	struct section *section = load->sections[index];
	char name[CONFIG_NAME_MAX + 1];
	struct table_entry *entry;

	key_variable(section->name, name, sizeof(name));
	entry = load_check(
		load, table_add(variables, load_strndup(load, name, strlen(name)), strlen(name)));
	if (entry->value == TABLE_NEW)
		entry->value = index;
	else
		report_section(load, section,
			       "its variables %s_... are those of [%s] too; rename one", name,
			       load->sections[entry->value]->header);
}

void load_addresses(struct load *load)
{
	struct table *variables = load_check(load, table_create(load->scratch));
	struct address_book *book = load_check(load, arena_alloc(load->arena, sizeof(*book)));
	struct address *entries;
	uint32_t count = 0;

	for (uint32_t i = 0; i < load->section_count; i++)
		count += load->sections[i]->kind == SECTION_ADDRESS;
	entries = load_check(load, arena_array(load->arena, count ? count : 1, sizeof(*entries)));
	for (uint32_t i = 0; i < load->section_count; i++) {
		struct table_entry *found;
		struct section *section = load->sections[i];

		if (section->kind != SECTION_ADDRESS)
			continue;
		check_variable(load, variables, i);
		load_entry(load, section, &entries[book->count]);
		found = load_check(
			load, table_add(load->by_address, section->name, strlen(section->name)));
		found->value = book->count++;
	}
	book->entries = entries;
	load->config->addresses = book;
}

/* ---- ${address:...} ---- */

static const char *unknown_address(struct load *load, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	char hint[SUGGEST_SIZE], q[QUOTE_SIZE];

	for (uint32_t i = 0; i < load->config->addresses->count; i++)
		suggest_offer(&suggestion, load->config->addresses->entries[i].name);
	return load_format(load, "there is no address %s%s", quote(q, name),
			   suggest_text(&suggestion, hint));
}

const char *load_address(struct load *load, const char *text, size_t len, const char **error)
{
	char *name = load_strndup(load, text, len), *part = strchr(name, ':');
	const struct table_entry *found;
	const struct address *address;
	char buffer[ENDPOINT_SIZE];

	if (!load->config->addresses) {
		*error = "${address:...} cannot be used here";
		return NULL;
	}
	if (part)
		*part++ = '\0';
	found = table_find(load->by_address, name, strlen(name));
	address = found ? &load->config->addresses->entries[found->value] : NULL;
	if (!address) {
		*error = unknown_address(load, name);
	} else if (address->count == 0) {
		*error = load_format(load, "address %s has none in mode %s; tried: %s", name,
				     mode_name(load->config->mode), address->tried);
	} else if (part && strcmp(part, "host") == 0) {
		return address->candidates[0].host;
	} else if (part && strcmp(part, "port") == 0) {
		return load_format(load, "%u", address->candidates[0].port);
	} else if (part) {
		*error = load_format(load, "an address has :host and :port, but no :%s", part);
	} else {
		endpoint_format(buffer, address->candidates[0].host, address->candidates[0].port);
		return load_strndup(load, buffer, strlen(buffer));
	}
	return NULL;
}
