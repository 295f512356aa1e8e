/* SPDX-License-Identifier: MIT */
#include "draft.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "str.h"
#include "yaml_view.h"

/*
 * A Compose file (compose-spec). Its services were containers of their own and become processes of
 * one, so what is about images, networks and volumes is noted: programs have to be in one image,
 * and find each other on the loopback.
 */
struct compose {
	struct draft *draft;
	struct yaml_view yaml;
	yaml_node_t *service;
	const char *name;
};

/* ---- texts ---- */

static size_t name_length(const char *text)
{
	size_t len = 0;

	while (isalnum((unsigned char)text[len]) || text[len] == '_')
		len++;
	return len;
}

/* ${NAME:-x}, ${NAME-x} and the like in muster's two forms; the end behind it. */
static const char *put_braces(struct compose *c, const char *text, FILE *out)
{
	size_t len = name_length(text + 2);
	const char *rest = text + 2 + len, *close = strchr(rest, '}');

	if (!close) {
		fputc('$', out);
		return text + 1;
	}
	fprintf(out, "${%.*s", (int)len, text + 2);
	if (*rest == '-' || *rest == '?')
		fputc(':', out); /* an empty variable counts as unset here */
	else if (*rest == '+' || strncmp(rest, ":+", 2) == 0)
		draft_note(c->draft, 0, "%.*s: there is no \"+\" form; write what it gives",
			   (int)(close - text + 1), text);
	fprintf(out, "%.*s", (int)(close - rest + 1), rest);
	return close + 1;
}

/* $NAME and ${NAME...} as muster writes them; $$ is the same for both. */
static char *interpolated(struct compose *c, const char *text)
{
	char *result = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&result, &size);

	while (out && *text) {
		size_t len = *text == '$' ? name_length(text + 1) : 0;

		if (text[0] == '$' && text[1] == '$') {
			fputs("$$", out);
			text += 2;
		} else if (text[0] == '$' && text[1] == '{') {
			text = put_braces(c, text, out);
		} else if (len > 0) {
			fprintf(out, "${%.*s}", (int)len, text + 1);
			text += 1 + len;
		} else {
			fputc(*text++, out);
		}
	}
	return draft_keep(c->draft, out, &result);
}

static char *text_of(struct compose *c, const yaml_node_t *node)
{
	const char *text = yaml_text(node);

	return text ? interpolated(c, text) : NULL;
}

/* The elements of a list as words of one command, or the words of the string. */
static char *command_of(struct compose *c, yaml_node_t *node, size_t first)
{
	char *command = NULL, *text = text_of(c, node);
	yaml_node_t *item;
	size_t size;
	FILE *out;

	if (text)
		return draft_command(c->draft, text);
	out = open_memstream(&command, &size);
	for (size_t i = first; out && (item = yaml_item(&c->yaml, node, i)); i++) {
		text = text_of(c, item);
		fprintf(out, "%s%s", i > first ? " " : "",
			draft_word(c->draft, text ? text : "", true));
	}
	return draft_keep(c->draft, out, &command);
}

/* Whether a mapping has this word at the key. */
static bool says(struct compose *c, yaml_node_t *map, const char *key, const char *word)
{
	const char *text = yaml_text(yaml_get(&c->yaml, map, key));

	return text && strcmp(text, word) == 0;
}

/* A list or a mapping as "K=V" lines, or as items with commas. */
static char *joined(struct compose *c, yaml_node_t *node, const char *between)
{
	char *all = draft_format(c->draft, "%s", "");
	yaml_node_t *item;

	if (yaml_text(node))
		return draft_value(c->draft, text_of(c, node), true);
	for (size_t i = 0; (item = yaml_item(&c->yaml, node, i)); i++) {
		/* env_file: - path: FILE, required: false */
		char *text =
			text_of(c, yaml_is_map(item) ? yaml_get(&c->yaml, item, "path") : item);

		if (text && says(c, item, "required", "false"))
			text = draft_format(c->draft, "?%s", text);
		if (text)
			all = draft_format(c->draft, "%s%s%s", all, *all ? between : "",
					   draft_value(c->draft, text, true));
	}
	return all;
}

/* What of a mapping has no counterpart; `known`: " NAME NAME ". */
static void note_others(struct compose *c, yaml_node_t *map, const char *of, const char *known)
{
	yaml_node_t *value;
	const char *name;

	for (size_t i = 0; yaml_pair(&c->yaml, map, i, &name, &value); i++)
		if (strncmp(name, "x-", 2) != 0 &&
		    !strstr(known, draft_format(c->draft, " %s ", name)))
			draft_note(c->draft, yaml_line(value), "%s%s: no counterpart", of, name);
}

/* Go's 1m30s as milliseconds; false when it is none. */
static bool parse_compose_duration(const char *text, uint64_t *ms)
{
	static const struct {
		const char *unit;
		double ms;
	} units[] = {{"ms", 1}, {"us", 0.001}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};
	double total = 0;

	while (*text) {
		char *end;
		double number = strtod(text, &end);
		size_t i = 0, count = sizeof(units) / sizeof(units[0]);

		while (i < count && strncmp(end, units[i].unit, strlen(units[i].unit)) != 0)
			i++;
		if (end == text || i == count || !(number >= 0 && number < 1e9))
			return false;
		total += number * units[i].ms;
		text = end + strlen(units[i].unit);
	}
	*ms = (uint64_t)total;
	return true;
}

/* ---- keys; each gets the node that stands at its name ---- */

static void set_milliseconds(struct compose *c, const char *key, uint64_t ms)
{
	if (ms % 1000)
		draft_set(c->draft, key, "%llums", (unsigned long long)ms);
	else
		draft_set(c->draft, key, "%llus", (unsigned long long)ms / 1000);
}

static void set_duration(struct compose *c, const char *key, yaml_node_t *node)
{
	char *text = text_of(c, node);
	uint64_t ms;

	if (text && strchr(text, '$'))
		draft_set(c->draft, key, "%s", text);
	else if (!text || !parse_compose_duration(text, &ms))
		draft_note(c->draft, yaml_line(node), "%s: \"%s\" is no duration", key,
			   text ? text : "");
	else
		set_milliseconds(c, key, ms);
}

static void take_text(struct compose *c, const char *key, yaml_node_t *node)
{
	char *text = text_of(c, node);

	if (text)
		draft_set(c->draft, key, "%s", draft_value(c->draft, text, true));
}

/* 512m, 1gb, 1.5g, bytes: as muster's 512M, 1G, bytes. What is none stays for `check` to refuse. */
static void take_size(struct compose *c, const char *key, yaml_node_t *node)
{
	static const char units[] = "bkmgt";
	char *text = text_of(c, node), *end = text;
	double number = text ? strtod(text, &end) : 0;
	const char *unit = strchr(units, text && *end ? tolower((unsigned char)*end) : 'b');
	bool good = end > text && unit && (!*end || !end[1] || strcasecmp(end + 1, "b") == 0);

	if (good && memchr(text, '.', (size_t)(end - text)))
		draft_set(c->draft, key, "%.0f", number * (double)(1ULL << 10 * (unit - units)));
	else if (good)
		draft_set(c->draft, key, "%.*s%.*s", (int)(end - text), text, unit > units,
			  (char[]){(char)toupper((unsigned char)*unit)});
	else if (text)
		draft_set(c->draft, key, "%s", text);
}

static void take_list(struct compose *c, const char *key, yaml_node_t *node)
{
	char *text = joined(c, node, ", ");

	if (*text)
		draft_set(c->draft, key, "%s", text);
}

static void take_user(struct compose *c, const char *key, yaml_node_t *node)
{
	char *text = text_of(c, node), *colon = text ? strrchr(text, ':') : NULL;

	if (colon && !strchr(text, '$')) {
		*colon = '\0';
		draft_set(c->draft, "group", "%s", colon + 1);
	}
	if (text)
		draft_set(c->draft, key, "%s", text);
}

/* One line more of `environment`. Without a value it is as it is outside, which is so anyway. */
static char *with_variable(struct compose *c, char *all, const char *name, const char *value)
{
	if (!value)
		return all;
	return draft_format(c->draft, "%s%s%s=%s", all, *all ? "\n" : "", name,
			    draft_value(c->draft, value, true));
}

static void take_environment(struct compose *c, const char *key, yaml_node_t *node)
{
	char *all = draft_format(c->draft, "%s", ""), *text;
	const char *name;
	yaml_node_t *value;

	for (size_t i = 0; (value = yaml_item(&c->yaml, node, i)); i++) {
		text = text_of(c, value);
		name = strsep(&text, "=");
		all = with_variable(c, all, name, text);
	}
	for (size_t i = 0; yaml_pair(&c->yaml, node, i, &name, &value); i++)
		all = with_variable(c, all, name, text_of(c, value));
	if (*all)
		draft_set(c->draft, key, "%s%s", strchr(all, '\n') ? "\n" : "", all);
}

static void take_restart(struct compose *c, const char *key, yaml_node_t *node)
{
	const char *text = yaml_text(node);

	if (text && strncmp(text, "on-failure:", 11) == 0) {
		draft_set(c->draft, "restart_limit", "%s/60s", text + 11);
		text = "on-failure";
	}
	if (text)
		draft_set(c->draft, key, "%s", text);
}

static const char *condition_of(const char *word)
{
	if (word && strcmp(word, "service_healthy") == 0)
		return ":healthy";
	if (word && strcmp(word, "service_completed_successfully") == 0)
		return ":completed";
	return ":started";
}

static void take_depends_on(struct compose *c, const char *key, yaml_node_t *node)
{
	char *all = draft_format(c->draft, "%s", "");
	const char *name;
	yaml_node_t *value;

	if (yaml_is_list(node)) {
		for (size_t i = 0; (value = yaml_item(&c->yaml, node, i)); i++)
			if ((name = yaml_text(value)))
				all = draft_format(c->draft, "%s%s%s:started", all,
						   *all ? ", " : "", name);
	} else if (yaml_is_map(node)) {
		for (size_t i = 0; yaml_pair(&c->yaml, node, i, &name, &value); i++) {
			all = draft_format(
				c->draft, "%s%s%s%s%s%s", all, *all ? ", " : "",
				says(c, value, "required", "false") ? "?" : "", name,
				condition_of(yaml_text(yaml_get(&c->yaml, value, "condition"))),
				says(c, value, "restart", "true") ? ":restart" : "");
		}
	}
	if (*all)
		draft_set(c->draft, key, "%s", all);
}

/* The command of a health check; NULL: none, or switched off. */
static char *check_command(struct compose *c, yaml_node_t *test)
{
	const char *first = yaml_text(yaml_item(&c->yaml, test, 0));

	if (yaml_text(test))
		return draft_format(c->draft, "sh -c %s",
				    draft_word(c->draft, text_of(c, test), true));
	if (!first || strcmp(first, "NONE") == 0)
		return NULL;
	if (strcmp(first, "CMD-SHELL") == 0)
		return draft_format(c->draft, "sh -c %s", command_of(c, test, 1));
	return command_of(c, test, 1);
}

/* Failures count from its end on: Compose gives up when as many as `retries` have followed. */
static void take_start_period(struct compose *c, yaml_node_t *check, yaml_node_t *value)
{
	char *period = text_of(c, value),
	     *interval = text_of(c, yaml_get(&c->yaml, check, "interval"));
	char *retries = text_of(c, yaml_get(&c->yaml, check, "retries"));
	uint64_t begin, each = 30000, count = 3;

	if (period && parse_compose_duration(period, &begin) &&
	    (!interval || parse_compose_duration(interval, &each)) &&
	    (!retries || parse_uint(retries, 1000, &count)))
		set_milliseconds(c, "ready_timeout", begin + each * count);
	else
		draft_note(
			c->draft, yaml_line(value),
			"start_period: %s: ready_timeout is this, and `retries` times `interval`",
			period ? period : "");
}

static void take_healthcheck(struct compose *c, const char *key, yaml_node_t *node)
{
	static const char *const durations[][2] = {
		{"interval", "readiness_probe_period"},
		{"timeout", "readiness_probe_timeout"},
	};
	const char *off = yaml_text(yaml_get(&c->yaml, node, "disable"));
	char *command = check_command(c, yaml_get(&c->yaml, node, "test"));
	yaml_node_t *value;

	if (!command || (off && strcmp(off, "true") == 0))
		return;
	draft_set(c->draft, key, "exec:%s", command);
	for (size_t i = 0; i < 2; i++)
		if ((value = yaml_get(&c->yaml, node, durations[i][0])))
			set_duration(c, durations[i][1], value);
	if ((value = yaml_get(&c->yaml, node, "retries")))
		take_text(c, "readiness_probe_failure_threshold", value);
	if ((value = yaml_get(&c->yaml, node, "start_period")))
		take_start_period(c, node, value);
	note_others(c, node, "healthcheck.",
		    " test interval timeout start_period retries disable ");
}

static void take_duration(struct compose *c, const char *key, yaml_node_t *node)
{
	set_duration(c, key, node);
}

static void take_security(struct compose *c, const char *key, yaml_node_t *node)
{
	yaml_node_t *item;
	const char *text;

	(void)key;
	for (size_t i = 0; (item = yaml_item(&c->yaml, node, i)); i++) {
		text = yaml_text(item);
		if (text && strncmp(text, "seccomp", 7) == 0 && strchr(":=", text[7]))
			draft_set(c->draft, "seccomp", "%s", text + 8);
		else if (text && strncmp(text, "no-new-privileges", 17) == 0)
			draft_set(c->draft, "no_new_privileges", "%s",
				  strstr(text, "false") ? "no" : "yes");
		else
			draft_note(c->draft, yaml_line(item), "security_opt %s: no counterpart",
				   text ? text : "");
	}
}

static void take_ulimits(struct compose *c, const char *key, yaml_node_t *node)
{
	const char *name, *soft, *hard;
	yaml_node_t *value;

	(void)key;
	for (size_t i = 0; yaml_pair(&c->yaml, node, i, &name, &value); i++) {
		soft = yaml_text(yaml_is_map(value) ? yaml_get(&c->yaml, value, "soft") : value);
		hard = yaml_is_map(value) ? yaml_text(yaml_get(&c->yaml, value, "hard")) : NULL;
		if (soft)
			draft_set(c->draft, draft_format(c->draft, "ulimit_%s", name), "%s%s%s",
				  soft, hard ? ":" : "", hard ? hard : "");
	}
}

static void take_deploy(struct compose *c, const char *key, yaml_node_t *node)
{
	yaml_node_t *resources = yaml_get(&c->yaml, node, "resources");
	yaml_node_t *limits = yaml_get(&c->yaml, resources, "limits");
	yaml_node_t *reservations = yaml_get(&c->yaml, resources, "reservations");
	yaml_node_t *value;

	(void)key;
	if ((value = yaml_get(&c->yaml, node, "replicas")))
		take_text(c, "replicas", value);
	if ((value = yaml_get(&c->yaml, limits, "memory")))
		take_size(c, "memory_max", value);
	if ((value = yaml_get(&c->yaml, limits, "cpus")))
		take_text(c, "cpu_max", value);
	if ((value = yaml_get(&c->yaml, limits, "pids")))
		take_text(c, "pids_max", value);
	if (yaml_get(&c->yaml, reservations, "devices"))
		draft_set(c->draft, "require_gpu", "any");
	note_others(c, node, "deploy.", " replicas resources ");
	note_others(c, limits, "deploy.resources.limits.", " memory cpus pids ");
	note_others(c, reservations, "deploy.resources.reservations.", " devices ");
}

static void take_image(struct compose *c, const char *key, yaml_node_t *node)
{
	const char *text = yaml_text(node);

	draft_note(c->draft, yaml_line(node), "%s%s%s: its programs have to be in muster's image",
		   key, text ? " " : "", text ? text : "");
}

static void take_ports(struct compose *c, const char *key, yaml_node_t *node)
{
	draft_note(c->draft, yaml_line(node), "%s: %s: published by the container of muster", key,
		   joined(c, node, ", "));
}

static void take_outside(struct compose *c, const char *key, yaml_node_t *node)
{
	draft_note(c->draft, yaml_line(node), "%s: is said of the container, where muster runs",
		   key);
}

struct rule {
	const char *name;
	void (*take)(struct compose *c, const char *key, yaml_node_t *node);
	const char *key; /* of muster */
};

static const struct rule rules[] = {
	{"user", take_user, "user"},
	{"working_dir", take_text, "working_dir"},
	{"depends_on", take_depends_on, "depends_on"},
	{"healthcheck", take_healthcheck, "readiness_probe"},
	{"restart", take_restart, "restart"},
	{"environment", take_environment, "environment"},
	{"env_file", take_list, "env_file"},
	{"stop_signal", take_text, "stop_signal"},
	{"stop_grace_period", take_duration, "stop_grace_period"},
	{"group_add", take_list, "group_add"},
	{"cap_add", take_list, "cap_add"},
	{"cap_drop", take_list, "cap_drop"},
	{"security_opt", take_security, NULL},
	{"ulimits", take_ulimits, NULL},
	{"oom_score_adj", take_text, "oom_score_adj"},
	{"cpuset", take_text, "cpuset"},
	{"mem_limit", take_size, "memory_max"},
	{"cpus", take_text, "cpu_max"},
	{"pids_limit", take_text, "pids_max"},
	{"scale", take_text, "replicas"},
	{"deploy", take_deploy, NULL},
	{"profiles", take_list, "profiles"},
	{"image", take_image, "image"},
	{"build", take_image, "build"},
	{"ports", take_ports, "ports"},
	{"networks", take_outside, "networks"},
	{"network_mode", take_outside, "network_mode"},
	{"volumes", take_outside, "volumes"},
	{"tmpfs", take_outside, "tmpfs"},
	{"read_only", take_outside, "read_only"},
	{"devices", take_outside, "devices"},
	{"expose", NULL, NULL},
	{"command", NULL, NULL},
	{"entrypoint", NULL, NULL},
	{"init", NULL, NULL},
	{"tty", NULL, NULL},
	{"stdin_open", NULL, NULL},
	{"hostname", NULL, NULL},
	{"container_name", NULL, NULL},
	{"<<", NULL, NULL},
};

/* ---- services ---- */

static void take_command(struct compose *c)
{
	yaml_node_t *entrypoint = yaml_get(&c->yaml, c->service, "entrypoint");
	yaml_node_t *command = yaml_get(&c->yaml, c->service, "command");
	char *first = command_of(c, entrypoint, 0), *second = command_of(c, command, 0);

	if (*first || *second)
		draft_set(c->draft, "command", "%s%s%s", first, *first && *second ? " " : "",
			  second);
	else
		draft_note(c->draft, yaml_line(c->service),
			   "there is no command: write that of the image");
	if (!*first && *second)
		draft_note(c->draft, yaml_line(command),
			   "command: the image's entrypoint, if it has one, belongs before it");
}

/* Compose's default is to leave a container that has ended as it is, and the others alone. */
static void write_service(struct compose *c)
{
	size_t count = sizeof(rules) / sizeof(rules[0]);
	const char *name;
	yaml_node_t *value;

	draft_service(c->draft, c->name);
	take_command(c);
	if (!yaml_get(&c->yaml, c->service, "restart"))
		draft_set(c->draft, "restart", "no");
	draft_set(c->draft, "essential", "no");
	for (size_t i = 0; i < count; i++)
		if (rules[i].take && (value = yaml_get(&c->yaml, c->service, rules[i].name)))
			rules[i].take(c, rules[i].key, value);
	for (size_t i = 0; yaml_pair(&c->yaml, c->service, i, &name, &value); i++) {
		size_t row = 0;

		while (row < count && strcmp(rules[row].name, name) != 0)
			row++;
		if (row == count && strncmp(name, "x-", 2) != 0)
			draft_note(c->draft, yaml_line(value), "%s: no counterpart", name);
	}
}

static bool write_services(struct compose *c, char *why, size_t size)
{
	yaml_node_t *services = yaml_get(&c->yaml, yaml_root(&c->yaml), "services");
	size_t i;

	if (!yaml_is_map(services)) {
		snprintf(why, size, "there is no mapping `services`");
		return false;
	}
	draft_note(c->draft, 0,
		   "these were containers of their own; in one container they share files and "
		   "network, and find each other at 127.0.0.1 instead of by name");
	note_others(c, yaml_root(&c->yaml), "",
		    " version name services networks volumes configs secrets ");
	for (i = 0; yaml_pair(&c->yaml, services, i, &c->name, &c->service); i++) {
		if (yaml_is_map(c->service)) {
			write_service(c);
			continue;
		}
		snprintf(why, size, "line %u: services: %.60s: is no mapping",
			 yaml_line(c->service), c->name);
		return false;
	}
	if (i == 0)
		snprintf(why, size, "`services` is empty");
	return i > 0;
}

bool convert_compose(struct draft *draft, struct convert_source *source)
{
	struct compose c = {.draft = draft};
	bool done = yaml_view_open(&c.yaml, source->text, source->size, source->why,
				   sizeof(source->why)) &&
		    write_services(&c, source->why, sizeof(source->why));

	yaml_view_close(&c.yaml);
	return done;
}
