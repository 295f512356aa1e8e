/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdio.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "ports.h"
#include "str.h"

/* An address while its candidates are being collected. */
struct lookup {
	struct load *load;
	struct section *section;
	struct address_draft draft;
	char variable[CONFIG_NAME_MAX + 1]; /* its name in variables */
	uint64_t port;                      /* for hosts without one; 0: none */
	const char *port_name;              /* `port` when it is a name; NULL */
	struct address_candidate *candidates;
	struct address_step *steps;
	uint32_t count, room;
	uint32_t step_count, step_room;
	const char *decided; /* the explicit variable that was there, right or wrong; NULL: none */
	bool behind;         /* the entry's part that mentions it has been passed */
};

static void add_step(struct lookup *l, const char *source, const char *note, int32_t candidate)
{
	l->steps = load_grow(l->load, l->steps, l->step_count, &l->step_room, sizeof(*l->steps));
	l->steps[l->step_count++] = (struct address_step){
		load_intern(l->load, source), note ? load_intern(l->load, note) : NULL, candidate};
}

/* A place that was looked at, and why it gave nothing. */
static void note(struct lookup *l, const char *source, const char *why)
{
	add_step(l, source, why, -1);
}

/* Where the host begins behind _service._proto. of an SRV record's name; NULL: it is no such name.
 */
static const char *srv_host(const char *name)
{
	const char *dot = strchr(name, '.');

	if (*name != '_' || !dot || dot[1] != '_' || !(dot = strchr(dot + 1, '.')) || !dot[1])
		return NULL;
	return dot + 1;
}

static void add_candidate(struct lookup *l, const char *host, uint16_t port, const char *source)
{
	const char *behind = srv_host(host);

	l->candidates =
		load_grow(l->load, l->candidates, l->count, &l->room, sizeof(*l->candidates));
	l->candidates[l->count] = (struct address_candidate){
		.host = load_intern(l->load, behind ? behind : host),
		.srv = behind ? load_intern(l->load, host) : NULL,
		.port = port,
		.source = load_intern(l->load, source),
	};
	add_step(l, source, NULL, (int32_t)l->count++);
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
	const char *source;

	l->decided = load_format(l->load, "%s%s", l->variable, suffix);
	source = load_format(l->load, "environment %s", l->decided);
	if (!problem && endpoint->host[0] == '\0')
		problem = "there is no host";
	if (!problem && port == 0)
		problem = "there is no port";
	if (problem)
		note(l, source, problem);
	else
		add_candidate(l, endpoint->host, port, source);
}

/* A link as Docker and Kubernetes set it: tcp://10.0.0.11:6379. */
static bool read_link(const char *text, struct endpoint *out)
{
	struct url url;

	if (!text || (strncmp(text, "tcp://", 6) != 0 && strncmp(text, "udp://", 6) != 0) ||
	    url_parse(text, &url) != NULL || !url.endpoint.has_port || !url.endpoint.host[0])
		return false;
	*out = url.endpoint;
	return true;
}

/* NAME_PORT_<port>_TCP, for something with several ports, else NAME_PORT; *suffix says which. */
static bool link_endpoint(const struct lookup *l, struct endpoint *out, const char **suffix)
{
	*suffix = load_format(l->load, "_PORT_%u_TCP", (unsigned)l->port);
	if (l->port && read_link(variable(l, *suffix), out))
		return true;
	*suffix = "_PORT";
	return read_link(variable(l, *suffix), out);
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
	const char *suffix;
	struct url url;

	if (url_text) {
		problem = url_parse(url_text, &url);
		decide(l, "_URL", problem, &url.endpoint,
		       problem ? 0
			       : pick(url.endpoint.port,
				      pick(port_well_known(url_text, url.scheme_len), l->port)));
	} else if (addr) {
		problem = endpoint_parse(addr, strlen(addr), &endpoint);
		decide(l, "_ADDR", problem, &endpoint, pick(endpoint.port, l->port));
	} else if (host) {
		problem = endpoint_parse_host(host, &endpoint);
		if (!l->port && link_endpoint(l, &link, &suffix))
			l->port = link.port;
		decide(l, "_HOST", problem, &endpoint, pick(endpoint.port, l->port));
	} else {
		note(l,
		     load_format(l->load, "environment %s_URL, %s_ADDR, %s_HOST", l->variable,
				 l->variable, l->variable),
		     "not set");
	}
}

/* The port of a Kubernetes service: the one of that name, else the first. */
static const char *service_port(const struct lookup *l)
{
	const char *port = NULL;
	char suffix[CONFIG_NAME_MAX + 16] = "_SERVICE_PORT_";

	if (l->port_name) {
		key_variable(l->port_name, suffix + 14, sizeof(suffix) - 14);
		port = variable(l, suffix);
	}
	return port ? port : variable(l, "_SERVICE_PORT");
}

static void try_kubernetes(struct lookup *l)
{
	const char *source = load_format(l->load, "environment %s_SERVICE_HOST", l->variable);
	const char *host = variable(l, "_SERVICE_HOST"), *port = service_port(l);
	struct endpoint endpoint;
	uint64_t number = l->port;

	if (port && !parse_uint(port, 65535, &number))
		number = 0;
	if (!host)
		note(l, source, "not set");
	else if (!number)
		note(l, source, port ? "its port is no number" : "there is no port");
	else if (endpoint_parse_host(host, &endpoint))
		note(l, source, "not a host");
	else
		add_candidate(l, endpoint.host, (uint16_t)number, source);
}

static void try_links(struct lookup *l)
{
	struct endpoint endpoint;
	const char *suffix;

	if (link_endpoint(l, &endpoint, &suffix))
		add_candidate(l, endpoint.host, endpoint.port,
			      load_format(l->load, "environment %s%s", l->variable, suffix));
}

/* ---- entries ---- */

/* NULL, or what is wrong with one host of an entry. */
static const char *host_problem(const struct lookup *l, const char *text, struct endpoint *out)
{
	const char *problem = endpoint_parse(text, strlen(text), out);

	if (strstr(text, "://"))
		return "a URL; of it only the host and the port stand here";
	if (problem)
		return problem;
	if (out->host[0] == '\0')
		return "there is no host before the colon";
	if (out->has_port && out->port == 0)
		return "the port must be a number from 1 to 65535";
	if (!out->has_port && !l->port)
		return srv_host(out->host) ? "until the DNS has said a port, there is none; add "
					     "port = N to the section"
					   : "there is no port; write HOST:PORT or add port = N to "
					     "the section";
	return NULL;
}

static const char *place_of(const struct lookup *l, const struct entry *entry, uint32_t line)
{
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

		if (problem && keep && l->decided)
			note(l, place_of(l, entry, item->line), problem); /* see check_entry */
		else if (problem)
			report_line(l->load, entry, item->line, "%s: %s", quote(q, item->text),
				    problem);
		else if (keep)
			add_candidate(l, endpoint.host, pick(endpoint.port, l->port),
				      place_of(l, entry, item->line));
	}
}

/* The end of the part that begins at `text`: at a comma that stands in no ${...}. */
static size_t part_length(const char *text)
{
	unsigned depth = 0;
	size_t len = 0;

	for (; text[len] && (depth || text[len] != ','); len++) {
		if (text[len] == '$' && text[len + 1] == '{')
			depth++;
		else if (text[len] == '}' && depth)
			depth--;
	}
	return len;
}

/* Whether a part of an entry has ${NAME} or ${NAME:... in it. */
static bool mentions(const char *part, const char *name)
{
	size_t len = strlen(name);

	while ((part = strstr(part, "${"))) {
		part += 2;
		if (strncmp(part, name, len) == 0 && (part[len] == '}' || part[len] == ':'))
			return true;
	}
	return false;
}

/*
 * A variable that is not set is no mistake here: the next part, or the next way, is tried. Of an
 * entry that mentions the explicit variable, only what stands behind that part is.
 */
static void try_line(struct lookup *l, const struct entry *entry, const struct item *line)
{
	const char *next = line->text;

	while (*next) {
		size_t len = part_length(next);
		const char *error, *text = load_strndup(l->load, next, len);
		struct items items;

		next += len + (next[len] == ',');
		if (l->decided && !l->behind) {
			l->behind = mentions(text, l->decided);
			continue;
		}
		text = value_expand_quietly(l->load, text, &error);
		if (!text) {
			note(l, place_of(l, entry, line->line), error);
			continue;
		}
		items = value_items_of(l->load, text, line->line);
		try_items(l, entry, &items, true);
	}
}

static void try_entry(struct lookup *l, const struct entry *entry, const char *what)
{
	struct items lines = value_lines(l->load, entry);

	if (!entry)
		note(l, what, "not given");
	for (size_t i = 0; i < lines.count; i++)
		try_line(l, entry, &lines.list[i]);
}

/* The parts of a line that no variable has a part in are held to their form. */
static void check_line(struct lookup *l, const struct entry *entry, const struct item *line)
{
	const char *next = line->text;

	while (*next) {
		size_t len = part_length(next);
		const char *part = load_strndup(l->load, next, len);
		struct items items = {0};

		next += len + (next[len] == ',');
		if (!strchr(part, '$'))
			items = value_items_of(l->load, part, line->line);
		try_items(l, entry, &items, false);
	}
}

/* An entry of another mode, too. */
static void check_entry(struct lookup *l, const struct entry *entry)
{
	struct items lines = value_lines(l->load, entry);

	for (size_t i = 0; i < lines.count; i++)
		check_line(l, entry, &lines.list[i]);
}

/* ---- one address ---- */

static void try_all(struct lookup *l)
{
	enum run_mode mode = l->load->config->mode;
	const struct entry *entry = l->draft.modes[mode];

	try_explicit(l);
	if (l->count && entry)
		try_entry(l, entry, mode_name(mode)); /* its fallbacks, if it says so */
	if (l->decided)
		return;
	try_entry(l, entry, mode_name(mode));
	try_kubernetes(l);
	try_links(l);
	try_entry(l, l->draft.fallback, "fallback");
	if (mode == MODE_KUBERNETES && !entry && l->port)
		add_candidate(l, l->section->name, (uint16_t)l->port,
			      "name of the Kubernetes service");
}

/* `port`: a number or the name of one, or several of which the first that is known counts. */
static void read_port(struct lookup *l)
{
	struct entry *entry = section_get(l->section, "port");
	struct items items = value_items(l->load, entry);
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < items.count && !l->port; i++) {
		const char *text = items.list[i].text;

		if (parse_uint(text, 65535, &l->port) && l->port)
			return;
		l->port = 0;
		if (name_problem(text) || (*text >= '0' && *text <= '9')) {
			report_line(l->load, entry, items.list[i].line,
				    "%s: expected a number from 1 to 65535, or the name of a port",
				    quote(q, text));
			return;
		}
		l->port_name = l->port_name ? l->port_name : text;
		l->port = port_by_name(text);
	}
	if (l->port_name && !l->port && !service_port(l))
		report_entry(l->load, entry,
			     "%s: no port of this name is known here; add its number behind it, as "
			     "in %s, 8080",
			     quote(q, l->port_name), l->port_name);
}

/* NAME_PORT: a number, or a link, which is read in its turn. What else it is, others may mean. */
static void take_port_variable(struct lookup *l)
{
	const char *text = variable(l, "_PORT");
	const char *source = load_format(l->load, "environment %s_PORT", l->variable);
	struct endpoint link;
	uint64_t port;

	if (!text)
		return;
	if (parse_uint(text, 65535, &port) && port) {
		l->port = port;
		note(l, source,
		     load_format(l->load, "port %u where none is written", (unsigned)port));
	} else if (!read_link(text, &link)) {
		note(l, source, "neither a port nor tcp://host:port");
	}
}

/* The default port: NAME_PORT when it is a number, else `port`. */
static void find_port(struct lookup *l)
{
	read_port(l);
	take_port_variable(l);
	if (!l->port && l->port_name && service_port(l))
		parse_uint(service_port(l), 65535, &l->port);
}

/* The places that gave nothing, in one line. */
static const char *tried_text(struct load *load, const struct lookup *l)
{
	const char *text = "";

	for (uint32_t i = 0; i < l->step_count; i++)
		text = load_format(load, "%s%s%s (%s)", text, i ? "; " : "", l->steps[i].source,
				   l->steps[i].note);
	return load_intern(load, text);
}

/* The names for the hosts file: its own, unless others are given. */
static char *const *read_hosts(struct load *load, const struct section *section)
{
	const struct entry *entry = section_get(section, "hosts");
	struct items items = value_items(load, entry);
	const char **list = load_alloc(load, items.count + 2, sizeof(*list));
	size_t count = 0;
	char q[QUOTE_SIZE];

	for (size_t i = 0; i < items.count; i++) {
		const char *text = items.list[i].text;
		struct endpoint endpoint;

		if (items.count == 1 && strcmp(text, "no") == 0)
			break;
		if (endpoint_parse(text, strlen(text), &endpoint) || endpoint.has_port ||
		    endpoint_is_number(endpoint.host))
			report_line(load, entry, items.list[i].line,
				    "%s: expected the name of a host, several of them, or no",
				    quote(q, text));
		else
			list[count++] = text;
	}
	if (!items.count)
		list[count++] = section->name;
	return load_intern_list(load, (char *const *)list, count);
}

static struct address_now *make_now(struct load *load, const struct address_candidate *first)
{
	struct address_now *now = load_check(load, arena_alloc(load->arena, sizeof(*now)));

	snprintf(now->host, sizeof(now->host), "%s", first->host);
	now->port = first->port;
	if (endpoint_is_number(first->host) && strlen(first->host) < sizeof(now->number))
		strcpy(now->number, first->host);
	return now;
}

void load_entry(struct load *load, struct section *section, struct address_entry *out)
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
	out->hosts = read_hosts(load, section);
	out->check = l.draft.check;
	out->check_period = l.draft.check_period;
	out->count = l.count;
	out->step_count = l.step_count;
	out->steps = load_intern_block(load, l.steps, l.step_count * sizeof(*l.steps));
	if (l.count) {
		out->candidates =
			load_intern_block(load, l.candidates, l.count * sizeof(*l.candidates));
		out->now = make_now(load, out->candidates);
	} else {
		out->tried = tried_text(load, &l);
	}
	out->forward = load_forward(load, section, out);
}
