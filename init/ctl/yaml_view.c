/* SPDX-License-Identifier: MIT */
#include "yaml_view.h"

#include <stdio.h>
#include <string.h>

bool yaml_view_open(struct yaml_view *view, const char *text, size_t size, char *why,
		    size_t why_size)
{
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser)) {
		snprintf(why, why_size, "no memory");
		return false;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	view->open = yaml_parser_load(&parser, &view->document) != 0;
	if (!view->open)
		snprintf(why, why_size, "line %zu: %s", parser.problem_mark.line + 1,
			 parser.problem ? parser.problem : "no memory");
	yaml_parser_delete(&parser);
	return view->open;
}

void yaml_view_close(struct yaml_view *view)
{
	if (view->open)
		yaml_document_delete(&view->document);
	view->open = false;
}

yaml_node_t *yaml_root(struct yaml_view *view)
{
	return yaml_document_get_root_node(&view->document);
}

bool yaml_is_map(const yaml_node_t *node)
{
	return node && node->type == YAML_MAPPING_NODE;
}

bool yaml_is_list(const yaml_node_t *node)
{
	return node && node->type == YAML_SEQUENCE_NODE;
}

const char *yaml_text(const yaml_node_t *node)
{
	const char *text;

	if (!node || node->type != YAML_SCALAR_NODE)
		return NULL;
	text = (const char *)node->data.scalar.value;
	if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    (*text == '\0' || strcmp(text, "~") == 0 || strcmp(text, "null") == 0))
		return NULL;
	return text;
}

unsigned yaml_line(const yaml_node_t *node)
{
	return node ? (unsigned)node->start_mark.line + 1 : 0;
}

static yaml_node_t *own_value(struct yaml_view *view, const yaml_node_t *map, const char *key)
{
	yaml_node_pair_t *pair = map->data.mapping.pairs.start;

	for (; pair < map->data.mapping.pairs.top; pair++) {
		const char *name = yaml_text(yaml_document_get_node(&view->document, pair->key));

		if (name && strcmp(name, key) == 0)
			return yaml_document_get_node(&view->document, pair->value);
	}
	return NULL;
}

yaml_node_t *yaml_item(struct yaml_view *view, const yaml_node_t *list, size_t i)
{
	yaml_node_item_t *items;

	if (!yaml_is_list(list))
		return NULL;
	items = list->data.sequence.items.start;
	if (i >= (size_t)(list->data.sequence.items.top - items))
		return NULL;
	return yaml_document_get_node(&view->document, items[i]);
}

/* Puts a mapping into the list, unless it is there. Returns how many there are now. */
static size_t insert(yaml_node_t *list[MERGE_MAX], size_t count, size_t at, yaml_node_t *map)
{
	for (size_t i = 0; i < count; i++)
		if (list[i] == map)
			return count;
	if (!yaml_is_map(map) || count == MERGE_MAX)
		return count;
	memmove(list + at + 1, list + at, (count - at) * sizeof(*list));
	list[at] = map;
	return count + 1;
}

/*
 * The mapping, and behind it those that are merged into it (<<), in the order in which a key is
 * looked for. None is there twice, so that no alias can make this go in circles.
 */
static size_t layers_of(struct yaml_view *view, yaml_node_t *map, yaml_node_t *list[MERGE_MAX])
{
	size_t count = insert(list, 0, 0, map);

	for (size_t i = 0; i < count; i++) {
		yaml_node_t *merge = own_value(view, list[i], "<<"), *item;
		size_t left = count - i;

		count = insert(list, count, i + 1, merge);
		for (size_t n = 0; (item = yaml_item(view, merge, n)); n++)
			count = insert(list, count, count - left + 1, item);
	}
	return count;
}

yaml_node_t *yaml_get(struct yaml_view *view, yaml_node_t *map, const char *key)
{
	yaml_node_t *layers[MERGE_MAX], *value = NULL;
	size_t count = layers_of(view, map, layers);

	for (size_t i = 0; i < count && !value; i++)
		value = own_value(view, layers[i], key);
	return value;
}

/* Whether a key of the last of the mappings counts: it is no merge key, and no other has it. */
static bool is_seen(struct yaml_view *view, yaml_node_t *const *layers, size_t last,
		    const char *key)
{
	for (size_t i = 0; key && i < last; i++)
		if (own_value(view, layers[i], key))
			return false;
	return key && strcmp(key, "<<") != 0;
}

bool yaml_pair(struct yaml_view *view, yaml_node_t *map, size_t i, const char **key,
	       yaml_node_t **value)
{
	yaml_node_t *layers[MERGE_MAX];
	size_t count = layers_of(view, map, layers);

	for (size_t layer = 0; layer < count; layer++) {
		yaml_node_pair_t *pair = layers[layer]->data.mapping.pairs.start;

		for (; pair < layers[layer]->data.mapping.pairs.top; pair++) {
			*key = yaml_text(yaml_document_get_node(&view->document, pair->key));
			if (!is_seen(view, layers, layer, *key) || i-- > 0)
				continue;
			*value = yaml_document_get_node(&view->document, pair->value);
			return true;
		}
	}
	return false;
}
