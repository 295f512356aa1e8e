/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <string.h>

#include "table.h"

/*
 * MUSTER_<KEY>, MUSTER_SIDECAR_<KEY> and MUSTER_SERVICE_<NAME>_<KEY> stand over the files. Where a
 * service's name ends and the key begins is found by trying each underscore.
 */
#define PREFIX         "MUSTER_"
#define PREFIX_SIDECAR "MUSTER_SIDECAR_"
#define PREFIX_SERVICE "MUSTER_SERVICE_"
#define VARIABLE_SIZE  128
#define REPLICA        "MUSTER_REPLICA"

/* Services by the way their names look in variables. */
struct mangled {
	struct table *table; /* -> index in load->sections of the last one */
	uint32_t *same;      /* by that index: the one before with the same look, or TABLE_NEW */
};

/* ---- the environment ---- */

void load_environment(struct load *load)
{
	char *const *environment = load->source->environment;

	for (uint32_t i = 0; environment && environment[i]; i++) {
		const char *equals = strchr(environment[i], '=');
		struct table_entry *entry;

		if (!equals)
			continue;
		entry = load_check(load, table_add(load->environment, environment[i],
						   (size_t)(equals - environment[i])));
		/* as getenv does, the first one counts */
		if (entry->value == TABLE_NEW)
			entry->value = i;
	}
}

const char *load_variable(const struct load *load, const char *name, size_t len)
{
	const struct table_entry *entry = table_find(load->environment, name, len);

	if (load->replica && len == strlen(REPLICA) && memcmp(name, REPLICA, len) == 0)
		return load->replica;
	return entry ? load->source->environment[entry->value] + len + 1 : NULL;
}

const char *load_set_variable(const struct load *load, const char *name)
{
	const char *value = load_variable(load, name, strlen(name));

	return value && *value ? value : NULL;
}

/* ---- overrides ---- */

static const struct key *key_of_variable(enum section_kind kind, const char *variable)
{
	char name[VARIABLE_SIZE];

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].section != kind)
			continue;
		key_variable(keys[i].name, name, sizeof(name));
		if (strcmp(name, variable) == 0)
			return &keys[i];
	}
	return NULL;
}

static void override(struct load *load, struct section *section, const struct key *key,
		     const char *variable, const char *value)
{
	struct entry *entry;

	if (*value == '\0')
		return;
	entry = section_put(load, section, key);
	entry->value = value;
	entry->len = strlen(value);
	entry->variable = variable;
	entry->file = FILE_ENVIRONMENT;
	entry->line = 0;
}

/* What muster itself sets or reads, and is no key. */
static bool is_reserved(const char *name)
{
	static const char *const reserved[] = {"CONFIG", "RUN_DIR",     "PROFILES", "SERVICE",
					       "HOST",   "LINK_FD",     "REPLICA",  "CGROUP_ROOT",
					       "NVML",   "NVML_TIMEOUT"};

	if (strncmp(name, "ADDRESS_", 8) == 0)
		return true;
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		if (strcmp(name, reserved[i]) == 0)
			return true;
	return false;
}

/* Warns of a name that is nearly that of a key: Kubernetes and users set others that are not. */
static void warn_near_miss(struct load *load, enum section_kind kind, const char *variable,
			   const char *word)
{
	struct suggestion suggestion = suggest_begin(word);
	char name[VARIABLE_SIZE], hint[SUGGEST_SIZE];
	const char *best = NULL;

	for (size_t i = 0; i < key_count; i++) {
		if (keys[i].section != kind)
			continue;
		key_variable(keys[i].name, name, sizeof(name));
		suggest_offer(&suggestion, name);
		if (suggestion.best == name)
			suggestion.best = best = load_strndup(load, name, strlen(name));
	}
	if (best)
		warn_file(load, FILE_ENVIRONMENT, 0, "%s: overrides nothing%s", variable,
			  suggest_text(&suggestion, hint));
}

static void override_single(struct load *load, enum section_kind kind, const char *variable,
			    const char *word, const char *value)
{
	const struct key *key = key_of_variable(kind, word);
	struct section *section = section_find(load, section_word(kind));

	if (!key) {
		warn_near_miss(load, kind, variable, word);
		return;
	}
	if (!section)
		section = section_add(load, kind, section_word(kind), FILE_ENVIRONMENT, 0);
	override(load, section, key, variable, value);
}

/* ---- services ---- */

static void mangle_services(struct load *load, struct mangled *mangled)
{
	mangled->table = load_check(load, table_create(load->scratch));
	mangled->same = load_alloc(load, load->section_count, sizeof(*mangled->same));
	for (uint32_t i = 0; i < load->section_count; i++) {
		char name[VARIABLE_SIZE];
		struct table_entry *entry;
		size_t len;

		if (load->sections[i]->kind != SECTION_SERVICE)
			continue;
		key_variable(load->sections[i]->name, name, sizeof(name));
		len = strlen(name);
		entry = load_check(load,
				   table_add(mangled->table, load_strndup(load, name, len), len));
		mangled->same[i] = entry->value;
		entry->value = i;
	}
}

/* What a variable may mean: counted, and the first of each sort kept. */
struct meaning {
	unsigned count;
	struct section *section, *other;
	const struct key *key, *other_key;
	struct section *near; /* a service of that name, but the rest is no key */
	const char *near_word;
	size_t unknown_len; /* of what would be the service's name, if there were one */
};

static void add_meanings(const struct load *load, const struct mangled *mangled, uint32_t index,
			 const struct key *key, struct meaning *meaning)
{
	for (; index != TABLE_NEW; index = mangled->same[index]) {
		if (meaning->count++ == 0) {
			meaning->section = load->sections[index];
			meaning->key = key;
		} else if (!meaning->other) {
			meaning->other = load->sections[index];
			meaning->other_key = key;
		}
	}
}

static struct meaning find_meaning(const struct load *load, const struct mangled *mangled,
				   const char *rest)
{
	struct meaning meaning = {0};

	for (const char *p = strchr(rest, '_'); p; p = strchr(p + 1, '_')) {
		const struct table_entry *entry =
			table_find(mangled->table, rest, (size_t)(p - rest));
		const struct key *key = key_of_variable(SECTION_SERVICE, p + 1);

		if (entry && key) {
			add_meanings(load, mangled, entry->value, key, &meaning);
		} else if (entry) {
			meaning.near = load->sections[entry->value];
			meaning.near_word = p + 1;
		} else if (key && !meaning.unknown_len) {
			meaning.unknown_len = (size_t)(p - rest);
		}
	}
	return meaning;
}

static void warn_no_key(struct load *load, const char *variable, const struct meaning *meaning)
{
	struct suggestion suggestion;
	char hint[SUGGEST_SIZE], name[VARIABLE_SIZE], q[QUOTE_SIZE];
	size_t i;

	/* keys are written in lower case, and so is what is compared with them */
	for (i = 0; meaning->near_word[i] && i + 1 < sizeof(name); i++) {
		char c = meaning->near_word[i];

		name[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	name[i] = '\0';
	suggestion = suggest_begin(name);
	for (i = 0; i < key_count; i++)
		if (keys[i].section == SECTION_SERVICE)
			suggest_offer(&suggestion, keys[i].name);
	warn_file(load, FILE_ENVIRONMENT, 0, "%s: overrides nothing: [%s] has no key %s%s",
		  variable, meaning->near->header, quote(q, name), suggest_text(&suggestion, hint));
}

static void override_service(struct load *load, const struct mangled *mangled, const char *variable,
			     const char *value)
{
	const char *rest = variable + strlen(PREFIX_SERVICE);
	struct meaning meaning = find_meaning(load, mangled, rest);

	if (meaning.count == 1)
		override(load, meaning.section, meaning.key, variable, value);
	else if (meaning.count > 1)
		report_file(load, FILE_ENVIRONMENT, 0,
			    "%s: can mean %s of [%s] and %s of [%s]; rename one of the services",
			    variable, meaning.key->name, meaning.section->header,
			    meaning.other_key->name, meaning.other->header);
	else if (meaning.near)
		warn_no_key(load, variable, &meaning);
	else if (meaning.unknown_len)
		warn_file(load, FILE_ENVIRONMENT, 0,
			  "%s: overrides nothing: no service is named like %.*s", variable,
			  (int)meaning.unknown_len, rest);
}

void load_overrides(struct load *load)
{
	char *const *environment = load->source->environment;
	struct mangled mangled = {0};

	for (uint32_t i = 0; environment && environment[i]; i++) {
		const char *equals = strchr(environment[i], '='), *name, *value;

		if (!equals || strncmp(environment[i], PREFIX, strlen(PREFIX)) != 0)
			continue;
		name = load_strndup(load, environment[i], (size_t)(equals - environment[i]));
		value = load_variable(load, name, strlen(name));
		if (value != equals + 1 || is_reserved(name + strlen(PREFIX)))
			continue;
		if (strncmp(name, PREFIX_SERVICE, strlen(PREFIX_SERVICE)) == 0) {
			if (!mangled.table)
				mangle_services(load, &mangled);
			override_service(load, &mangled, name, value);
		} else if (strncmp(name, PREFIX_SIDECAR, strlen(PREFIX_SIDECAR)) == 0) {
			override_single(load, SECTION_SIDECAR, name, name + strlen(PREFIX_SIDECAR),
					value);
		} else {
			override_single(load, SECTION_MUSTER, name, name + strlen(PREFIX), value);
		}
	}
}
