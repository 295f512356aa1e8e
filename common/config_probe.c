/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdio.h>
#include <string.h>

#include "arena.h"
#include "endpoint.h"
#include "match.h"
#include "str.h"
#include "table.h"

#define TARGET_MAX    1023 /* probe_link.h carries it to the sidecar */
#define UNIX_PATH_MAX 107

/* A probe while it is being read. */
struct reading {
	struct load *load;
	struct entry *entry; /* one probe of the key's list, as if it stood alone */
	const char *text;    /* the value, expanded */
	struct probe_config *probe;
};

/* ---- one small reader for each kind; they return what is wrong, or NULL ---- */

/* Puts `host` in where a URL names none: this container. */
static const char *fill_host(struct reading *r, const struct url *url)
{
	if (url->endpoint.host[0])
		return r->text;
	return load_format(r->load, "%.*s127.0.0.1%s", (int)url->host_at, r->text,
			   r->text + url->host_at);
}

static const char *read_network(struct reading *r, const char *rest)
{
	struct url url;
	const char *problem = url_parse(r->text, &url);
	bool tcp = r->probe->kind == PROBE_TCP;

	(void)rest;
	if (problem)
		return problem;
	if (url.endpoint.has_port && url.endpoint.port == 0)
		return "the port must be a number from 1 to 65535";
	if (tcp && !url.endpoint.has_port)
		return "there is no port; expected tcp://host:port";
	if (r->probe->kind == PROBE_GRPC && !url.endpoint.has_port)
		return "there is no port; expected grpc://host:port or grpc://host:port/SERVICE";
	if (r->probe->kind == PROBE_GRPC && strpbrk(r->text + url.rest_at, "?#"))
		return "? and # mean nothing here; expected grpc://host:port/SERVICE";
	if (tcp && (r->text[url.rest_at] != '\0' || url.host_at != 6))
		return "only host and port can be checked; expected tcp://host:port";
	r->probe->target = fill_host(r, &url);
	return strlen(r->probe->target) > TARGET_MAX ? "longer than 1023 characters" : NULL;
}

static const char *read_notify(struct reading *r, const char *rest)
{
	(void)r;
	return *rest ? "expected notify and nothing behind it" : NULL;
}

static const char *read_fd(struct reading *r, const char *rest)
{
	uint64_t number;

	if (!parse_uint(rest, 255, &number) || number < 3)
		return "the descriptor must be a number from 3 to 255";
	r->probe->fd = (int16_t)number;
	return NULL;
}

static const char *read_path(struct reading *r, const char *rest)
{
	if (*rest != '/')
		return "the path must be absolute";
	if (r->probe->kind == PROBE_UNIX && strlen(rest) > UNIX_PATH_MAX)
		return "a socket's path has at most 107 characters";
	r->probe->path = load_intern(r->load, rest);
	return NULL;
}

static const struct match *find_match(struct load *load, const char *pattern, const char **error)
{
	struct table_entry *found =
		load_check(load, table_add(load->patterns, pattern, strlen(pattern)));
	const struct match *match;

	if (found->value != TABLE_NEW)
		return load->pattern_list[found->value];
	match = match_compile(load->arena, pattern, error);
	if (!match)
		return NULL;
	load->pattern_list = load_grow(load, load->pattern_list, load->pattern_count,
				       &load->pattern_room, sizeof(*load->pattern_list));
	load->pattern_list[load->pattern_count] = match;
	found->value = load->pattern_count++;
	return match;
}

static const char *read_log(struct reading *r, const char *rest)
{
	const char *error = "not a regular expression";

	if (*rest == '\0')
		return "there is no regular expression behind log:";
	r->probe->match = find_match(r->load, rest, &error);
	return r->probe->match ? NULL : error;
}

/* exec: is not here: its command is split before it is expanded. */
static const struct {
	const char *prefix;
	enum probe_kind kind;
	const char *(*read)(struct reading *r, const char *rest);
} kinds[] = {
	{"notify", PROBE_NOTIFY, read_notify},  {"fd:", PROBE_FD, read_fd},
	{"tcp://", PROBE_TCP, read_network},    {"http://", PROBE_HTTP, read_network},
	{"https://", PROBE_HTTP, read_network}, {"file:", PROBE_FILE, read_path},
	{"unix:", PROBE_UNIX, read_path},       {"log:", PROBE_LOG, read_log},
	{"grpc://", PROBE_GRPC, read_network},  {"grpcs://", PROBE_GRPC, read_network},
};

static const char *read_text(struct reading *r)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t len = strlen(kinds[i].prefix);

		if (strncmp(r->text, kinds[i].prefix, len) != 0)
			continue;
		r->probe->kind = (uint8_t)kinds[i].kind;
		r->probe->target = r->text;
		return kinds[i].read(r, r->text + len);
	}
	return "expected notify, fd:N, tcp://host:port, http://..., https://..., grpc://host:port, "
	       "exec:COMMAND, file:/path, unix:/path or log:REGEX";
}

/* exec:COMMAND in `text`; `expands` unless it has been expanded already. */
static bool read_exec(struct reading *r, const char *text, bool expands)
{
	r->probe->kind = PROBE_EXEC;
	r->probe->target = text;
	r->probe->argv = value_command(r->load, r->entry, text + strlen("exec:"), expands);
	return r->probe->argv != NULL;
}

static bool is_exec(const char *text)
{
	return strncmp(text, "exec:", 5) == 0;
}

static bool read_probe(struct reading *r)
{
	const char *problem;
	char q[QUOTE_SIZE];

	if (is_exec(r->entry->value))
		return read_exec(r, r->entry->value, true);
	if (!value_scalar(r->load, r->entry, &r->text))
		return false;
	if (is_exec(r->text))
		return read_exec(r, r->text, false);
	problem = read_text(r);
	if (problem)
		report_entry(r->load, r->entry, "%s: %s", quote(q, r->text), problem);
	return problem == NULL;
}

/* ---- what fits where ---- */

/* NULL, or why a probe of this kind cannot have this role in this service. */
static const char *misfit(const struct service_draft *draft, enum probe_role role,
			  enum probe_kind kind)
{
	bool told = kind == PROBE_NOTIFY || kind == PROBE_FD || kind == PROBE_LOG;

	if (draft->type == TYPE_ONESHOT)
		return "a oneshot has no probes: it is done when it exits with 0";
	if (told && role != ROLE_READINESS)
		return "what the service tells only once can be a readiness_probe only";
	if (told && draft->type == TYPE_EXTERNAL)
		return "a service that is not started here can only be probed by tcp, http, grpc, "
		       "exec, file or unix";
	if (kind == PROBE_LOG && draft->log.mode == LOG_INHERIT)
		return "with log = inherit its output is not seen";
	if (kind == PROBE_LOG && draft->log.mode == LOG_FILE)
		return "with log = file: its output is not seen";
	return NULL;
}

/* The names of its keys, the probe itself first; written out, since they are looked up for each
 * service of a configuration that may have thousands. */
#define PROBE_KEYS(role)                                                                           \
	{                                                                                          \
		role "_probe", role "_probe_period", role "_probe_timeout",                        \
			role "_probe_failure_threshold", role "_probe_success_threshold",          \
			role "_probe_initial_delay"                                                \
	}
static const char *const probe_keys[ROLE_COUNT][6] = {
	[ROLE_STARTUP] = PROBE_KEYS("startup"),
	[ROLE_READINESS] = PROBE_KEYS("readiness"),
	[ROLE_LIVENESS] = PROBE_KEYS("liveness"),
};

/* Keys of a probe that is not there. */
static void check_suffixes(struct load *load, const struct section *section, unsigned role)
{
	for (size_t i = 1; i < sizeof(probe_keys[0]) / sizeof(probe_keys[0][0]); i++) {
		const struct entry *entry = section_get(section, probe_keys[role][i]);

		if (entry)
			report_entry(load, entry, "there is no %s that this is for",
				     probe_keys[role][0]);
	}
}

/* Whether a probe that was read can stand here; says why not. */
static bool check_probe(struct load *load, const struct service_load *service, enum probe_role role,
			const struct entry *entry, const struct probe_config *probe)
{
	const char *problem = misfit(&service->draft, role, probe->kind);
	char q[QUOTE_SIZE];

	for (const struct probe_config *other = probe->next; other && !problem; other = other->next)
		if (other->kind == probe->kind && other->target == probe->target)
			problem = "it stands there twice";
	if (problem)
		report_entry(load, entry, "%s: %s", quote(q, entry->value), problem);
	return !problem;
}

/* One probe, which is followed by `next`; without it, that. */
static const struct probe_config *load_one(struct load *load, struct service_load *service,
					   enum probe_role role, struct entry *entry,
					   const struct probe_config *next)
{
	const struct probe_draft *draft = &service->draft.probes[role];
	struct probe_config probe;
	struct reading reading = {load, entry, NULL, &probe};

	memset(&probe, 0, sizeof(probe));
	probe.fd = -1;
	/* one that expands to nothing is off, and the keys that belong to it do not matter */
	if (!read_probe(&reading))
		return next;
	probe.next = next;
	probe.target = load_intern(load, probe.target);
	if (!check_probe(load, service, role, entry, &probe))
		return next;
	probe.period = draft->period;
	probe.timeout = draft->timeout;
	probe.initial_delay = draft->initial_delay;
	probe.failure_threshold = (uint32_t)draft->failure_threshold;
	probe.success_threshold = (uint32_t)draft->success_threshold;
	if (probe_is_network(&probe)) {
		load->config->sidecar.present = true;
		if (++load->network_probes == NETWORK_PROBES_MAX + 1)
			report_entry(load, entry, "more than %d network probes in all",
				     NETWORK_PROBES_MAX);
	}
	return load_intern_block(load, &probe, sizeof(probe));
}

static const struct probe_config *load_role(struct load *load, struct service_load *service,
					    enum probe_role role)
{
	struct entry *entry = section_get(service->section, probe_keys[role][0]);
	struct items lines = value_lines(load, entry);
	const struct probe_config *first = NULL;

	if (!entry)
		check_suffixes(load, service->section, role);
	else if (lines.count > PROBES_MAX)
		report_entry(load, entry, "more than %d probes", PROBES_MAX);
	else if (lines.count <= 1)
		first = load_one(load, service, role, entry, NULL);
	else
		while (lines.count-- > 0) {
			const struct item *line = &lines.list[lines.count];
			struct entry one = *entry;

			one.value = line->text;
			one.len = (uint32_t)strlen(line->text);
			one.line = line->line;
			first = load_one(load, service, role, &one, first);
		}
	return first;
}

void load_probes(struct load *load, struct service_load *service, struct service_config *out)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		out->probes[role] = load_role(load, service, role);
}
