/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "graph.h"
#include "table.h"

#define CYCLES_MAX      20 /* reported in one run */
#define CHAIN_SHOWN_MAX 12 /* names of a cycle that are printed */

/* The dependencies of all services, while they are being read. */
struct depending {
	struct load *load;
	struct graph_edge *edges;
	uint32_t *lines; /* of each edge */
	bool *wholes;    /* of each edge: dep_config.whole, */
	bool whole;      /* and of those that are being added */
	uint32_t count, room, line_room, whole_room;
	uint32_t *seen;    /* by service: 1 + the last one that named it */
	uint32_t services; /* those of the files; behind them comes what is outside */
};

const char *no_service(struct load *load, const struct entry *entry, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	char hint[SUGGEST_SIZE];

	if (table_find(load->left_out, name, strlen(name)))
		return "this service is left out: none of its profiles is in MUSTER_PROFILES";
	for (uint32_t i = 0; i < load->config->count; i++)
		if (report_wanted(load, entry->file, entry->line))
			suggest_offer(&suggestion, load->config->services[i].name);
	return load_format(load, "there is no such service%s", suggest_text(&suggestion, hint));
}

/* ---- one dependency ---- */

static uint8_t default_condition(const struct service_config *service)
{
	if (service->type == TYPE_ONESHOT)
		return COND_COMPLETED;
	return service->probes[ROLE_READINESS] ? COND_HEALTHY : COND_STARTED;
}

/* One dependency as it is written. */
struct asked {
	char *name;
	int condition; /* -1: the default */
	bool optional, restart;
};

/* The words behind the name. False: there is another one, or one of them comes twice. */
static bool split_words(char *words, struct asked *asked)
{
	while (words) {
		char *word = words, *colon = strchr(word, ':');
		int condition = -1;

		words = colon ? colon + 1 : NULL;
		if (colon)
			*colon = '\0';
		if (strcmp(word, "restart") == 0 && !asked->restart) {
			asked->restart = true;
			continue;
		}
		for (int i = 0; i < COND_COUNT; i++)
			if (strcmp(word, condition_name((unsigned)i)) == 0)
				condition = i;
		if (condition < 0 || asked->condition >= 0)
			return false;
		asked->condition = condition;
	}
	return true;
}

/* Splits [?][PEER/]NAME[:condition][:restart] in place. NULL, or what is wrong. */
static const char *split_dependency(char *text, struct asked *asked)
{
	const char *name;
	char *colon;

	*asked = (struct asked){.optional = *text == '?', .condition = -1};
	asked->name = text + asked->optional;
	if (strncmp(asked->name, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0)
		return NULL;
	colon = strchr(asked->name, ':');
	if (colon)
		*colon++ = '\0';
	if (!split_words(colon, asked))
		return "expected :started, :healthy or :completed, and :restart, behind the name";
	if (strpbrk(asked->name, " \t"))
		return "expected NAME or NAME:condition, several of them separated by commas";
	name = strchr(asked->name, '/') ? strchr(asked->name, '/') + 1 : asked->name;
	return name_problem(name) ? "expected the name of a service" : NULL;
}

/* NULL, or why this service never gets there. */
static const char *condition_problem(const struct service_config *service, uint8_t condition)
{
	uint8_t restart = service->policy->restart;

	if (condition == COND_HEALTHY && service->type == TYPE_ONESHOT)
		return "a oneshot is never healthy; expected :completed";
	if (condition != COND_COMPLETED)
		return NULL;
	if (service->type == TYPE_EXTERNAL)
		return "a service of type external never completes";
	if (service->start == START_ON_DEMAND)
		return "it never completes, with start = on-demand";
	if (service->type == TYPE_SERVICE && restart == RESTART_ALWAYS)
		return "it never completes, with restart = always";
	if (service->type == TYPE_SERVICE && restart == RESTART_UNLESS_STOPPED)
		return "it never completes, with restart = unless-stopped";
	return NULL;
}

static void add_edge(struct depending *d, struct graph_edge edge, uint32_t line)
{
	d->edges = load_grow(d->load, d->edges, d->count, &d->room, sizeof(*d->edges));
	d->lines = load_grow(d->load, d->lines, d->count, &d->line_room, sizeof(*d->lines));
	d->wholes = load_grow(d->load, d->wholes, d->count, &d->whole_room, sizeof(*d->wholes));
	d->lines[d->count] = line;
	d->wholes[d->count] = d->whole;
	d->edges[d->count++] = edge;
}

/* NULL, or why the address cannot be waited for. Its place in the graph is made here. */
static const char *take_address(struct depending *d, uint32_t from, const char *name, bool optional,
				uint32_t line)
{
	struct load *load = d->load;
	const struct table_entry *found = table_find(load->by_address, name, strlen(name));
	uint32_t to;

	if (strchr(name, ':'))
		return "an address has no condition; it is met when it answers";
	if (!found)
		return load_no_address(load, name);
	if (!load->book->entries[found->value].count)
		return load_format(load, "it has none in mode %s; tried: %s", load->book->mode,
				   load->book->entries[found->value].tried);
	to = load_address_service(load, found->value);
	if (d->seen[to] == from + 1)
		return "named twice";
	d->seen[to] = from + 1;
	add_edge(d,
		 (struct graph_edge){(uint16_t)from, (uint16_t)to, COND_HEALTHY, optional, false},
		 line);
	load_mention(load, found->value);
	return NULL;
}

/* NULL, or why the service of another host cannot be waited for. `name` is what stands behind that
 * host's, which asked->name ends with. */
static const char *take_peer(struct depending *d, uint32_t from, const char *name,
			     const struct asked *asked, uint32_t line)
{
	struct load *load = d->load;
	const struct peer_config *peer = load_peer(load, asked->name);
	const char *whole =
		load_format(load, "%s/%s%s%s", asked->name, name, asked->condition < 0 ? "" : ":",
			    asked->condition < 0 ? "" : condition_name((unsigned)asked->condition));
	uint32_t to;

	if (!peer)
		return load_no_peer(load, asked->name);
	if (asked->restart)
		return "a service of another host is not started here, so nobody restarts with it";
	if (strlen(whole) > CONFIG_NAME_MAX)
		return "longer than 63 characters, host and condition included";
	to = load_peer_service(load, peer, whole);
	if (to == NO_PEER_SERVICE)
		return load_format(load, "more than %d services of other hosts", PEER_SERVICES_MAX);
	if (d->seen[to] == from + 1)
		return "named twice";
	d->seen[to] = from + 1;
	add_edge(d,
		 (struct graph_edge){(uint16_t)from, (uint16_t)to, COND_HEALTHY, asked->optional,
				     false},
		 line);
	return NULL;
}

static const char *take_service(struct depending *d, uint32_t from, uint32_t to,
				const struct asked *asked, uint32_t line)
{
	const struct service_config *service = &d->load->config->services[to];
	int condition = asked->condition < 0 ? default_condition(service) : asked->condition;

	if (to == from)
		return "a service cannot depend on itself";
	if (d->seen[to] == from + 1)
		return "named twice";
	d->seen[to] = from + 1;
	if (asked->restart && service->type == TYPE_EXTERNAL)
		return "a service of type external is not started here, so nobody restarts with it";
	if (asked->restart && service->start == START_ON_DEMAND)
		return "what starts on demand may rest at any time, so nobody restarts with it";
	add_edge(d,
		 (struct graph_edge){(uint16_t)from, (uint16_t)to, (uint8_t)condition,
				     asked->optional, asked->restart},
		 line);
	return condition_problem(service, (uint8_t)condition);
}

/* All replicas of this name, the first of which is `to`. */
static const char *take_replicas(struct depending *d, uint32_t from, uint32_t to,
				 const struct asked *asked, uint32_t line)
{
	const struct service_config *services = d->load->config->services;
	const char *name = services[to].replica_of, *problem = NULL;

	d->whole = true;
	for (; !problem && to < d->services && services[to].replica_of == name; to++)
		problem = take_service(d, from, to, asked, line);
	d->whole = false;
	return problem;
}

/* NULL when the dependency is taken or may be left out, else what is wrong. */
static const char *take_dependency(struct depending *d, uint32_t from, const struct entry *entry,
				   const struct item *item)
{
	const struct table_entry *found;
	const char *problem, *name;
	struct asked asked;
	char *slash;

	problem = split_dependency(load_strndup(d->load, item->text, strlen(item->text)), &asked);
	if (problem)
		return problem;
	name = asked.name;
	if (strncmp(name, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0)
		return take_address(d, from, name + strlen(ADDRESS_PREFIX), asked.optional,
				    item->line);
	slash = strchr(name, '/');
	if (slash) {
		*slash = '\0';
		if (strcmp(name, d->load->config->name) != 0)
			return take_peer(d, from, slash + 1, &asked, item->line);
		name = slash + 1; /* of this host: one file may serve all */
	}
	found = table_find(d->load->replicated, name, strlen(name));
	if (found)
		return take_replicas(d, from, found->value, &asked, item->line);
	found = table_find(d->load->by_name, name, strlen(name));
	if (!found && asked.optional && table_find(d->load->left_out, name, strlen(name)))
		return NULL;
	if (!found)
		return no_service(d->load, entry, name);
	return take_service(d, from, found->value, &asked, item->line);
}

static void warn_manual(struct depending *d, uint32_t from, const struct entry *entry,
			const struct item *item)
{
	const struct graph_edge *edge = &d->edges[d->count - 1];
	const struct service_config *services = d->load->config->services;

	if (edge->optional || services[from].start != START_AUTO ||
	    services[edge->to].start != START_MANUAL)
		return;
	warn_line(d->load, entry, item->line,
		  "%s does not start by itself (start = manual), and this service waits for it",
		  services[edge->to].name);
}

/* ---- one service ---- */

static void read_list(struct depending *d, uint32_t from, const struct entry *entry)
{
	struct items items = value_items(d->load, entry);

	for (size_t i = 0; i < items.count; i++) {
		uint32_t before = d->count;
		const char *problem = take_dependency(d, from, entry, &items.list[i]);
		char q[QUOTE_SIZE];

		if (problem)
			report_line(d->load, entry, items.list[i].line, "%s: %s",
				    quote(q, items.list[i].text), problem);
		else if (d->count > before)
			warn_manual(d, from, entry, &items.list[i]);
	}
}

/* The program of the command line starts last: all others that start by themselves come first. A
 * failure of what is not essential is not to keep it from starting. */
static void depend_on_all(struct depending *d, uint32_t from)
{
	const struct service_config *services = d->load->config->services;

	for (uint32_t i = 0; i < d->services; i++)
		if (i != from && services[i].start == START_AUTO)
			add_edge(d,
				 (struct graph_edge){(uint16_t)from, (uint16_t)i,
						     default_condition(&services[i]),
						     !services[i].essential, false},
				 0);
}

/* The addresses that concern the service: those in its values, and those it waits for. */
static void take_mentions(struct load *load, const struct service_load *service,
			  struct service_config *out)
{
	for (uint32_t i = 0; i < service->mention_count; i++)
		load_mention(load, service->mentions[i]);
	out->address_count = (uint16_t)load->mention_count;
	if (load->mention_count)
		out->addresses = load_intern_block(load, load->mentions,
						   load->mention_count * sizeof(*load->mentions));
	if (!out->on_address_change)
		return;
	load->config->sidecar.present |= load->book->count > 0;
	for (uint32_t i = 0; i < load->book->count; i++) {
		bool concerned = !out->address_count;

		for (uint32_t n = 0; n < out->address_count; n++)
			concerned |= out->addresses[n] == i;
		load->address_list[i].asked |= concerned;
	}
}

static void read_service(struct depending *d, uint32_t index)
{
	struct service_load *service = &d->load->services[index];
	struct service_config *out = &d->load->config->services[index];
	uint32_t first = d->count;
	struct dep_config *deps;

	d->load->mention_count = 0;
	d->load->replica = service->section->replica;
	if (service->draft.depends_on)
		read_list(d, index, service->draft.depends_on);
	else if (service->section == d->load->program)
		depend_on_all(d, index);
	take_mentions(d->load, service, out);
	if (d->count == first)
		return;
	deps = load_alloc(d->load, d->count - first, sizeof(*deps));
	for (uint32_t i = first; i < d->count; i++) {
		deps[i - first].service = d->edges[i].to;
		deps[i - first].condition = d->edges[i].condition;
		deps[i - first].optional = d->edges[i].optional;
		deps[i - first].restart = d->edges[i].restart;
		deps[i - first].whole = d->wholes[i];
	}
	out->dep_count = (uint16_t)(d->count - first);
	out->deps = load_intern_block(d->load, deps, out->dep_count * sizeof(*deps));
}

/* ---- cycles ---- */

/* a -> b -> ... -> a */
static const char *chain_text(struct load *load, const uint16_t *chain, size_t length)
{
	const struct service_config *services = load->config->services;
	const char *text = services[chain[0]].name;

	for (size_t i = 1; i <= length; i++) {
		if (i == CHAIN_SHOWN_MAX && length > CHAIN_SHOWN_MAX + 1) {
			text = load_format(load, "%s -> (%zu more)", text, length - i);
			i = length;
		}
		text = load_format(load, "%s -> %s", text, services[chain[i]].name);
	}
	return text;
}

static uint32_t find_edge(const struct depending *d, uint16_t from, uint16_t to)
{
	uint32_t i = 0;

	while (d->edges[i].from != from || d->edges[i].to != to)
		i++;
	return i;
}

/* Reports a cycle and takes its first edge out, so that the next search finds another. */
static bool report_cycle(struct depending *d, uint16_t *chain)
{
	struct load *load = d->load;
	struct graph graph;
	const struct entry *entry;
	size_t length;
	uint32_t edge;

	if (!graph_build(&graph, load->scratch, load->config->count, d->edges, d->count))
		load_check(load, NULL);
	length = graph_find_cycle(&graph, load->scratch, chain);
	if (length == 0)
		return false;
	edge = find_edge(d, chain[0], chain[1]);
	entry = load->services[chain[0]].draft.depends_on;
	if (entry)
		report_line(load, entry, d->lines[edge], "cycle %s",
			    chain_text(load, chain, length));
	else
		report_section(load, load->services[chain[0]].section, "depends_on: cycle %s",
			       chain_text(load, chain, length));
	d->count--;
	memmove(&d->edges[edge], &d->edges[edge + 1], (d->count - edge) * sizeof(*d->edges));
	memmove(&d->lines[edge], &d->lines[edge + 1], (d->count - edge) * sizeof(*d->lines));
	return true;
}

void load_dependencies(struct load *load)
{
	struct depending d = {.load = load, .services = load->config->count};
	size_t most = load_most_services(load);
	uint16_t *chain = load_alloc(load, most, sizeof(*chain));

	d.seen = load_alloc(load, most, sizeof(*d.seen));
	for (uint32_t i = 0; i < d.services; i++)
		read_service(&d, i);
	load->replica = NULL;
	for (int i = 0; i < CYCLES_MAX && report_cycle(&d, chain); i++)
		;
}
