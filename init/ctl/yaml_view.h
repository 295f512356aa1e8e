/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_YAML_VIEW_H
#define MUSTER_YAML_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

/*
 * Looking into a YAML document that libyaml has read. Aliases are resolved by it; merge keys (<<)
 * are followed here, to at most MERGE_MAX mappings in all. A node may be NULL: then it holds
 * nothing.
 */
#define MERGE_MAX 64

struct yaml_view {
	yaml_document_t document;
	bool open;
};

/* The first document of the text. False: `why` says why not. */
bool yaml_view_open(struct yaml_view *view, const char *text, size_t size, char *why,
		    size_t why_size);
void yaml_view_close(struct yaml_view *view);

yaml_node_t *yaml_root(struct yaml_view *view);
bool yaml_is_map(const yaml_node_t *node);
bool yaml_is_list(const yaml_node_t *node);
/* The text of a scalar; NULL for anything else, and for an empty plain one (null). */
const char *yaml_text(const yaml_node_t *node);
/* Counted from 1; 0 for NULL. */
unsigned yaml_line(const yaml_node_t *node);

/* What stands at the key of a mapping, merged ones included; NULL. */
yaml_node_t *yaml_get(struct yaml_view *view, yaml_node_t *map, const char *key);
/* The i-th element of a list, or NULL behind the last. */
yaml_node_t *yaml_item(struct yaml_view *view, const yaml_node_t *list, size_t i);
/* The i-th pair of a mapping, those that are merged into it behind its own; false behind the last.
 */
bool yaml_pair(struct yaml_view *view, yaml_node_t *map, size_t i, const char **key,
	       yaml_node_t **value);

#endif
