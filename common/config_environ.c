/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "env_line.h"
#include "table.h"
#include "words.h"

/* ---- what all services get ---- */

/* The text with {host}, {port} and {address} as references. NULL with *problem. */
static const char *fill_template(struct load *load, const char *text, uint32_t index,
				 const char **problem)
{
	char reference[ADDRESS_REFERENCE];
	const char *out = "";

	for (;;) {
		size_t plain = strcspn(text, "{");
		enum address_part part;

		out = load_format(load, "%s%.*s", out, (int)plain, text);
		text += plain;
		if (*text == '\0')
			return out;
		/* as a part of host:port an IPv6 address needs its brackets */
		if (strncmp(text, "{host}", 6) == 0)
			part = text[6] == ':' ? PART_BRACKETED : PART_HOST;
		else if (strncmp(text, "{port}", 6) == 0)
			part = PART_PORT;
		else if (strncmp(text, "{address}", 9) == 0)
			part = PART_WHOLE;
		else
			break;
		out = load_format(load, "%s%s", out, address_reference(reference, part, index));
		text = strchr(text, '}') + 1;
	}
	*problem = "only {host}, {port} and {address} can stand in braces";
	return NULL;
}

/* One NAME=template of an address; NULL or what is wrong. */
static const char *take_export(struct load *load, uint32_t index, const char *text,
			       struct table *names, struct variables *variables)
{
	size_t len = strcspn(text, "=");
	const char *problem, *value;
	struct table_entry *entry;

	if (text[len] == '\0')
		return "expected NAME=text, with {host} and {port} in it";
	problem = env_name_problem(text, len);
	if (problem)
		return problem;
	value = fill_template(load, text + len + 1, index, &problem);
	if (!value)
		return problem;
	entry = load_check(load, table_add(names, text, len));
	if (entry->value != TABLE_NEW)
		return "another address exports this variable";
	entry->value = 0;
	if (load->book->entries[index].count && !load_variable(load, text, len))
		variables_add(load, variables, text, len, value);
	return NULL;
}

static void add_exports(struct load *load, uint32_t index, struct table *names,
			struct variables *variables)
{
	const char *header = load_format(load, "%s:%s", section_word(SECTION_ADDRESS),
					 load->book->entries[index].name);
	const struct entry *entry = section_get(section_find(load, header), "export");
	struct items items = value_items(load, entry);

	for (size_t i = 0; i < items.count; i++) {
		const char *text = items.list[i].text;
		const char *problem = take_export(load, index, text, names, variables);
		char q[QUOTE_SIZE];

		if (problem)
			report_line(load, entry, items.list[i].line, "%s: %s", quote(q, text),
				    problem);
	}
}

static void add_address(struct load *load, uint32_t index, struct variables *variables)
{
	const struct address_entry *address = &load->book->entries[index];
	char name[CONFIG_NAME_MAX + 1], reference[ADDRESS_REFERENCE];
	const char *variable;

	if (address->count == 0)
		return;
	key_variable(address->name, name, sizeof(name));
	variable = load_format(load, "MUSTER_ADDRESS_%s", name);
	variables_add(load, variables, variable, strlen(variable),
		      address_reference(reference, PART_WHOLE, index));
}

static void add_fixed(struct load *load, struct variables *variables, const char *name,
		      const char *value)
{
	variables_add(load, variables, name, strlen(name), value);
}

void load_common_environment(struct load *load)
{
	const struct address_book *book = load->config->addresses;
	const char *run_dir = load_set_variable(load, "MUSTER_RUN_DIR");
	struct table *names = load_check(load, table_create(load->scratch));
	struct variables variables = {0};

	add_fixed(load, &variables, "MUSTER_HOST", load->config->name);
	add_fixed(load, &variables, "MUSTER_MODE", mode_name(load->config->mode));
	add_fixed(load, &variables, "MUSTER_RUN_DIR", run_dir ? run_dir : RUN_DIR_DEFAULT);
	for (uint32_t i = 0; i < book->count; i++)
		add_address(load, i, &variables);
	for (uint32_t i = 0; i < book->count; i++)
		add_exports(load, i, names, &variables);
	load->config->common_environment =
		load_intern_list(load, (char *const *)variables.list, variables.count);
}

/* ---- what one service gets ---- */

/* "A=1, B=2" is one variable here; who writes it means two. */
static bool looks_like_two(const char *value)
{
	for (const char *p = strchr(value, ','); p; p = strchr(p + 1, ',')) {
		const char *name = p + 1 + strspn(p + 1, " ");
		size_t len = strcspn(name, "= ,");

		if (name > p + 1 && name[len] == '=' && !env_name_problem(name, len))
			return true;
	}
	return false;
}

static void take_line(struct load *load, const struct entry *entry, const struct item *item,
		      struct variables *variables)
{
	size_t len = strcspn(item->text, "= \t");
	const char *value = item->text + len + 1, *problem;
	char q[QUOTE_SIZE];

	/* what stands behind the name may be a secret */
	if (item->text[len] != '=')
		problem = "expected NAME=value, without blanks around the =";
	else
		problem = env_name_problem(item->text, len);
	if (!problem && looks_like_two(value) && *value != '"' && *value != '\'')
		warn_line(
			load, entry, item->line,
			"%s has the rest of the line as its value; variables are given one a line",
			quote_n(q, item->text, len));
	if (!problem)
		value = words_unquote(load->scratch, value, &problem);
	if (problem) {
		report_line(load, entry, item->line, "%s: %s", quote_n(q, item->text, len),
			    problem);
		return;
	}
	value = value_expand_following(load, entry, item->line, value);
	if (value)
		variables_add(load, variables, item->text, len, value);
}

/* Sorts by name and, for equal names, by the order in which they were added. */
struct ranked {
	const char *text;
	uint32_t name_len;
	uint32_t rank;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;
	size_t shorter = x->name_len < y->name_len ? x->name_len : y->name_len;
	int order = memcmp(x->text, y->text, shorter);

	if (order == 0 && x->name_len != y->name_len)
		order = x->name_len < y->name_len ? -1 : 1;
	return order ? order : x->rank < y->rank ? -1 : 1;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len) == 0 && b[len] == '=';
}

/* Keeps the last of each name. */
static void keep_last(struct load *load, struct variables *variables)
{
	struct ranked *ranked = load_alloc(load, variables->count, sizeof(*ranked));
	uint32_t kept = 0;

	for (uint32_t i = 0; i < variables->count; i++)
		ranked[i] = (struct ranked){variables->list[i],
					    (uint32_t)strcspn(variables->list[i], "="), i};
	qsort(ranked, variables->count, sizeof(*ranked), compare_ranked);
	for (uint32_t i = 0; i < variables->count; i++)
		if (i + 1 == variables->count || !same_name(ranked[i].text, ranked[i + 1].text))
			variables->list[kept++] = ranked[i].text;
	variables->count = kept;
}

void load_service_environment(struct load *load, struct service_load *service,
			      struct service_config *out)
{
	const struct service_draft *draft = &service->draft;
	struct items lines = value_lines(load, draft->environment);
	struct variables variables = {0};

	add_fixed(load, &variables, "MUSTER_SERVICE", out->name);
	if (service->section->replica)
		add_fixed(load, &variables, "MUSTER_REPLICA", service->section->replica);
	load_env_files(load, draft->env_file, &variables);
	load_secrets(load, draft->secrets, &variables);
	for (size_t i = 0; i < lines.count; i++)
		take_line(load, draft->environment, &lines.list[i], &variables);
	keep_last(load, &variables);
	out->environment = load_intern_list(load, (char *const *)variables.list, variables.count);
}

/* ---- the three together ---- */

static bool is_in(const char *text, char *const *list)
{
	for (; *list; list++)
		if (same_name(text, *list))
			return true;
	return false;
}

static size_t append(char **out, size_t max, size_t count, char *text)
{
	if (count < max)
		out[count] = text;
	return count + 1;
}

size_t config_environment(const struct config *config, const struct service_config *service,
			  char *const *base, char **out, size_t max)
{
	char *const *common = config->common_environment, *const *own = service->environment;
	size_t count = 0;

	for (; *base; base++)
		if (!is_in(*base, common) && !is_in(*base, own))
			count = append(out, max, count, *base);
	for (; *common; common++)
		if (!is_in(*common, own))
			count = append(out, max, count, *common);
	for (; *own; own++)
		count = append(out, max, count, *own);
	count = append(out, max, count, NULL);
	if (count > max && max > 0)
		out[max - 1] = NULL;
	return count;
}
