/* SPDX-License-Identifier: MIT */
#include "config_load.h"

#include <string.h>

#include "address.h"
#include "arena.h"
#include "table.h"

/* ---- the book ---- */

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

static uint32_t count_addresses(struct load *load)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < load->section_count; i++) {
		if (load->sections[i]->kind != SECTION_ADDRESS)
			continue;
		if (count == ADDRESS_MAX) {
			report_section(load, load->sections[i], "more than %d addresses",
				       ADDRESS_MAX);
			break;
		}
		count++;
	}
	return count;
}

void load_addresses(struct load *load)
{
	struct table *variables = load_check(load, table_create(load->scratch));
	struct address_book *book = load_check(load, arena_alloc(load->arena, sizeof(*book)));
	uint32_t count = count_addresses(load);
	struct address_entry *entries =
		load_check(load, arena_array(load->arena, count ? count : 1, sizeof(*entries)));

	load->by_address = load_check(load, table_create(load->arena));
	for (uint32_t i = 0; i < load->section_count && book->count < count; i++) {
		struct section *section = load->sections[i];
		struct table_entry *found;
		const char *name;

		if (section->kind != SECTION_ADDRESS)
			continue;
		check_variable(load, variables, i);
		load_entry(load, section, &entries[book->count]);
		name = entries[book->count].name; /* it lives as long as the table */
		found = load_check(load, table_add(load->by_address, name, strlen(name)));
		found->value = book->count++;
	}
	book->entries = load->address_list = entries;
	book->index = load->by_address;
	book->mode = mode_name(load->config->mode);
	book->mode_source = load->mode_source;
	load->config->addresses = load->book = book;
}

/* The sidecar looks after an address where there is a choice, or somebody depends on it. */
void load_address_checks(struct load *load)
{
	for (uint32_t i = 0; i < load->book->count; i++) {
		struct address_entry *address = &load->address_list[i];
		bool choice = address->count > 1 || (address->count && address->candidates->srv);
		bool named = load->config->hosts && address->count && *address->hosts &&
			     !address->now->number[0];

		/* for the hosts file its number has to be found; who passes connections on has to
		 * know where to */
		named |= *address->forward != NULL;
		address->asked |= named;
		load->config->sidecar.present |= named && !load->config->sidecar.external;

		if (address->check == ADDRESS_AUTO)
			address->check =
				address->asked || choice ? ADDRESS_CONNECT : ADDRESS_UNCHECKED;
	}
}

/* ---- texts that follow addresses ---- */

const char *load_text(struct load *load, const char *template)
{
	size_t references = address_text_references(load->book, template);
	size_t room = strlen(template) + 1 + references * ENDPOINT_SIZE;
	char *text = load_check(load, arena_alloc(load->arena, room));

	load->texts = load_grow(load, load->texts, load->text_count, &load->text_room,
				sizeof(*load->texts));
	load->texts[load->text_count++] = (struct address_text){template, text};
	address_text_fill(load->book, template, text, room);
	return text;
}

void load_address_texts(struct load *load)
{
	size_t size = load->text_count * sizeof(*load->texts);

	if (!size)
		return;
	load->book->texts = load_check(load, arena_alloc(load->arena, size));
	memcpy(load->book->texts, load->texts, size);
	load->book->text_count = load->text_count;
}

/* Notes that the service that is being read mentions the address. */
void load_mention(struct load *load, uint32_t index)
{
	for (uint32_t i = 0; i < load->mention_count; i++)
		if (load->mentions[i] == index)
			return;
	load->mentions = load_grow(load, load->mentions, load->mention_count, &load->mention_room,
				   sizeof(*load->mentions));
	load->mentions[load->mention_count++] = (uint16_t)index;
}

/* ---- ${address:...} ---- */

const char *load_no_address(struct load *load, const char *name)
{
	struct suggestion suggestion = suggest_begin(name);
	char hint[SUGGEST_SIZE], q[QUOTE_SIZE];

	for (uint32_t i = 0; i < load->config->addresses->count; i++)
		suggest_offer(&suggestion, load->config->addresses->entries[i].name);
	return load_format(load, "there is no address %s%s", quote(q, name),
			   suggest_text(&suggestion, hint));
}

static const char *part_text(struct load *load, uint32_t index, enum address_part part)
{
	char reference[ADDRESS_REFERENCE], text[ENDPOINT_SIZE];

	address_reference(reference, part, index);
	load_mention(load, index);
	if (load->keeps)
		return load_format(load, "${address:%s%s}", load->book->entries[index].name,
				   part == PART_WHOLE  ? ""
				   : part == PART_HOST ? ":host"
						       : ":port");
	if (load->follows)
		return load_strndup(load, reference, strlen(reference));
	address_text_fill(load->book, reference, text, sizeof(text));
	return load_strndup(load, text, strlen(text));
}

const char *load_address(struct load *load, const char *text, size_t len, const char **error)
{
	char *name = load_strndup(load, text, len), *part = strchr(name, ':');
	const struct table_entry *found;
	const struct address_entry *address;

	if (!load->config->addresses) {
		*error = "${address:...} cannot be used here";
		return NULL;
	}
	if (part)
		*part++ = '\0';
	found = table_find(load->by_address, name, strlen(name));
	address = found ? &load->config->addresses->entries[found->value] : NULL;
	if (!address)
		*error = load_no_address(load, name);
	else if (address->count == 0)
		*error = load_format(load, "address %s has none in mode %s; tried: %s", name,
				     mode_name(load->config->mode), address->tried);
	else if (!part)
		return part_text(load, found->value, PART_WHOLE);
	else if (strcmp(part, "host") == 0)
		return part_text(load, found->value, PART_HOST);
	else if (strcmp(part, "port") == 0)
		return part_text(load, found->value, PART_PORT);
	else
		*error = load_format(load, "an address has :host and :port, but no :%s", part);
	return NULL;
}
