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

/*
 * Of a map that is merged, or of a list of such maps, the one that has the key; else the next to
 * look into, so that no alias can make this go in circles.
 */
static yaml_node_t *merged_value(struct yaml_view *view, yaml_node_t **merge, const char *key)
{
	yaml_node_t *value = NULL, *item;

	if (yaml_is_map(*merge)) {
		value = own_value(view, *merge, key);
		*merge = own_value(view, *merge, "<<");
		return value;
	}
	for (size_t i = 0; !value && (item = yaml_item(view, *merge, i)); i++)
		value = yaml_is_map(item) ? own_value(view, item, key) : NULL;
	*merge = NULL;
	return value;
}

yaml_node_t *yaml_get(struct yaml_view *view, yaml_node_t *map, const char *key)
{
	yaml_node_t *value, *merge;

	if (!yaml_is_map(map))
		return NULL;
	value = own_value(view, map, key);
	merge = own_value(view, map, "<<");
	for (int depth = 0; !value && merge && depth < MERGE_DEPTH; depth++)
		value = merged_value(view, &merge, key);
	return value;
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

bool yaml_pair(struct yaml_view *view, const yaml_node_t *map, size_t i, const char **key,
	       yaml_node_t **value)
{
	yaml_node_pair_t *pair = map->data.mapping.pairs.start;

	for (; pair < map->data.mapping.pairs.top; pair++) {
		const char *name = yaml_text(yaml_document_get_node(&view->document, pair->key));

		if (!name || strcmp(name, "<<") == 0 || i-- > 0)
			continue;
		*key = name;
		*value = yaml_document_get_node(&view->document, pair->value);
		return true;
	}
	return false;
}
