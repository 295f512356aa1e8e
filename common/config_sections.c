/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <string.h>

#include "reader.h"
#include "table.h"

/* A file with more problems than this is not the file that was meant. */
#define PROBLEMS_MAX 10000

/* The file being read. */
struct source {
	struct load *load;
	uint32_t file;
	struct section *section; /* NULL: before the first, or behind a bad header */
	bool lost;
	unsigned first_total; /* problems before this file */
};

const char *name_problem(const char *name)
{
	size_t len = strspn(name, CONFIG_NAME_CHARS);

	if (*name == '\0')
		return "is empty";
	if (name[len] != '\0')
		return "has a character other than letters, digits, - _ .";
	if (len > CONFIG_NAME_MAX)
		return "is longer than 63 characters";
	if (*name == '-' || *name == '.')
		return "must begin with a letter, a digit or _";
	return NULL;
}

/* ---- sections ---- */

struct section *section_find(const struct load *load, const char *header)
{
	const struct table_entry *found = table_find(load->by_header, header, strlen(header));

	return found ? load->sections[found->value] : NULL;
}

struct section *section_add(struct load *load, enum section_kind kind, const char *header,
			    uint32_t file, uint32_t line)
{
	struct section *section = load_alloc(load, 1, sizeof(*section));
	const char *colon = strchr(header, ':');

	*section = (struct section){.kind = kind,
				    .name = colon ? colon + 1 : "",
				    .header = header,
				    .file = file,
				    .line = line,
				    .last_file = file,
				    .last_line = line};
	section->tail = &section->entries;
	load->sections = load_grow(load, load->sections, load->section_count, &load->section_room,
				   sizeof(*load->sections));
	load->sections[load->section_count] = section;
	((struct table_entry *)load_check(load, table_add(load->by_header, header, strlen(header))))
		->value = load->section_count++;
	return section;
}

struct entry *section_put(struct load *load, struct section *section, const struct key *key)
{
	struct entry *entry;

	for (entry = section->entries; entry; entry = entry->next)
		if (entry->key == key)
			return entry;
	entry = load_alloc(load, 1, sizeof(*entry));
	entry->key = key;
	entry->section = section;
	entry->file = FILE_ENVIRONMENT;
	*section->tail = entry;
	section->tail = &entry->next;
	return entry;
}

struct entry *section_get(const struct section *section, const char *key)
{
	for (struct entry *entry = section->entries; entry; entry = entry->next)
		if (!entry->ignored && strcmp(entry->key->name, key) == 0)
			return entry;
	return NULL;
}

/* ---- headers ---- */

/* The kind whose word the header begins with; SECTION_KINDS: none. */
static enum section_kind kind_of(const char *header, size_t len)
{
	enum section_kind kind;

	for (kind = 0; kind < SECTION_KINDS; kind++)
		if (strlen(section_word(kind)) == len &&
		    strncmp(header, section_word(kind), len) == 0)
			break;
	return kind;
}

static void report_unknown_section(struct source *s, uint32_t line, const char *header)
{
	size_t len = strcspn(header, ": \t");
	char q[QUOTE_SIZE], hint[SUGGEST_SIZE], word[CONFIG_NAME_MAX + 1] = "";
	struct suggestion suggestion;

	if (!report_wanted(s->load, s->file, line)) {
		report_file(s->load, s->file, line, "unknown section");
		return;
	}
	memcpy(word, header, len < sizeof(word) ? len : sizeof(word) - 1);
	suggestion = suggest_begin(word);
	for (enum section_kind kind = 0; kind < SECTION_KINDS; kind++)
		suggest_offer(&suggestion, section_word(kind));
	report_file(s->load, s->file, line,
		    "unknown section %s%s (there are [muster], [sidecar], [service:NAME], "
		    "[address:NAME] and [peer:NAME])",
		    quote(q, header), suggest_text(&suggestion, hint));
}

/* NULL, or what is wrong with the header of a known kind. */
static const char *header_problem(struct source *s, enum section_kind kind, const char *header)
{
	const char *colon = strchr(header, ':'), *problem;

	if (!section_is_named(kind))
		return colon ? "takes no name" : NULL;
	if (!colon)
		return load_format(s->load, "needs a name: [%s:NAME]", section_word(kind));
	problem = name_problem(colon + 1);
	if (problem)
		return load_format(s->load, "the name %s", problem);
	if (kind == SECTION_SERVICE && strcmp(colon + 1, "muster-sidecar") == 0)
		return "this name is reserved for muster's own sidecar";
	return NULL;
}

static bool too_many(struct source *s, uint32_t line)
{
	if (s->load->errors->total - s->first_total < PROBLEMS_MAX)
		return false;
	report_file(s->load, s->file, line, "too many errors: the rest of the file is not read");
	return true;
}

static void open_section(struct source *s, enum section_kind kind, const char *header,
			 uint32_t line)
{
	struct section *section = section_find(s->load, header);

	if (!section) {
		section = section_add(s->load, kind, header, s->file, line);
	} else if (section->last_file == s->file) {
		report_file(s->load, s->file, line,
			    "[%s]: defined twice in this file, first on line %u", header,
			    section->last_line);
	} else {
		section->last_file = s->file;
		section->last_line = line;
	}
	s->section = section;
}

static bool take_section(void *user, uint32_t line, const char *header)
{
	struct source *s = user;
	enum section_kind kind = kind_of(header, strcspn(header, ":"));
	const char *problem;
	char q[QUOTE_SIZE];

	s->section = NULL;
	s->lost = true;
	if (kind == SECTION_KINDS) {
		report_unknown_section(s, line, header);
		return !too_many(s, line);
	}
	problem = header_problem(s, kind, header);
	if (problem) {
		report_file(s->load, s->file, line, "section %s: %s", quote(q, header), problem);
		return !too_many(s, line);
	}
	open_section(s, kind, header, line);
	return !too_many(s, line);
}

/* ---- keys ---- */

/* The section where a key of this name belongs, "" when there is none. */
static const char *key_home(struct source *s, const char *name)
{
	for (enum section_kind kind = 0; kind < SECTION_KINDS; kind++)
		if (key_find(kind, name))
			return load_format(s->load, "; it is one of [%s%s]", section_word(kind),
					   section_is_named(kind) ? ":NAME" : "");
	return "";
}

static void report_unknown_key(struct source *s, uint32_t line, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	enum section_kind kind = s->section->kind;
	char q[QUOTE_SIZE], hint[SUGGEST_SIZE];
	bool plain = name_problem(name) == NULL;

	if (!report_wanted(s->load, s->file, line)) {
		report_file(s->load, s->file, line, "unknown key");
		return;
	}
	for (size_t i = 0; i < key_count; i++)
		if (keys[i].section == kind)
			suggest_offer(&suggestion, keys[i].name);
	suggest_text(&suggestion, hint);
	report_file(s->load, s->file, line, "[%s] %s: unknown key%s", s->section->header,
		    plain ? name : quote(q, name), suggestion.best ? hint : key_home(s, name));
}

static bool starts_with_header(const char *line)
{
	return *line == '[' && kind_of(line + 1, strcspn(line + 1, ":]\n")) != SECTION_KINDS;
}

/* Whether the line looks like a key of this section and its =, with a blank between them. */
static bool starts_with_key(const struct entry *entry, const char *line)
{
	size_t len = strspn(line, "abcdefghijklmnopqrstuvwxyz_");
	const char *rest = line + len + strspn(line + len, " \t");
	char name[40];

	if (len == 0 || len >= sizeof(name) || *rest != '=' || rest == line + len ||
	    entry->key->form == KEY_LINES)
		return false;
	memcpy(name, line, len);
	name[len] = '\0';
	return key_find(entry->section->kind, name) != NULL;
}

/* A section or a key that was indented by mistake would quietly become part of the value. */
static void check_continuation(struct load *load, const struct entry *entry)
{
	const char *p = entry->value;
	uint32_t line = entry->line;

	while ((p = strchr(p, '\n'))) {
		p++;
		line++;
		if (starts_with_header(p))
			report_line(
				load, entry, line,
				"this line looks like a section but is indented, so it continues "
				"the value above; remove the blanks before it");
		else if (starts_with_key(entry, p))
			report_line(
				load, entry, line,
				"this line looks like a key but is indented, so it continues the "
				"value above; remove the blanks before it");
	}
}

static void put_entry(struct source *s, const struct key *key, uint32_t line, const char *value,
		      size_t len)
{
	struct entry *entry = section_put(s->load, s->section, key);

	if (entry->value && entry->file == s->file) {
		report_file(s->load, s->file, line,
			    "[%s] %s: given twice in this file, first on line %u",
			    s->section->header, key->name, entry->line);
		return;
	}
	entry->value = value;
	entry->len = len;
	entry->file = s->file;
	entry->line = line;
	check_continuation(s->load, entry);
}

static bool take_key(void *user, uint32_t line, const char *name, const char *value, size_t len)
{
	struct source *s = user;
	const struct key *key;
	char q[QUOTE_SIZE];

	if (!s->section) {
		if (!s->lost)
			report_file(s->load, s->file, line, "%s: a key before the first [section]",
				    quote(q, name));
		return !too_many(s, line);
	}
	key = key_find(s->section->kind, name);
	if (*name == '\0')
		report_file(s->load, s->file, line,
			    "[%s] there is no key before the =", s->section->header);
	else if (!key)
		report_unknown_key(s, line, name);
	else
		put_entry(s, key, line, value, len);
	return !too_many(s, line);
}

static bool take_problem(void *user, uint32_t line, const char *what, const char *text)
{
	struct source *s = user;
	char q[QUOTE_SIZE];

	if (text)
		report_file(s->load, s->file, line, "%s: %s", quote(q, text), what);
	else
		report_file(s->load, s->file, line, "%s", what);
	return !too_many(s, line);
}

void load_sections(struct load *load, uint32_t file, struct reader_text *text)
{
	struct source source = {.load = load, .file = file, .first_total = load->errors->total};
	const struct reader_handler handler = {
		.user = &source,
		.section = take_section,
		.key = take_key,
		.problem = take_problem,
	};

	reader_parse(text, &handler);
}
