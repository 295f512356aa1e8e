/* SPDX-License-Identifier: MIT */
#include "peer_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "config.h"
#include "json.h"
#include "mem.h"
#include "states.h"
#include "str.h"

struct reading {
	struct peer_report *report;
	uint32_t text_room, dep_room;
	const char *error;
};

static bool refuse(struct reading *reading, const char *error)
{
	reading->error = error;
	return false;
}

/* ---- members ---- */

/* The member of this kind, NULL when there is none or it is null. False: another kind, or twice. */
static bool member(struct reading *reading, const struct json *object, const char *key,
		   enum json_kind kind, const struct json **out)
{
	const struct json *found = NULL;

	*out = NULL;
	for (const struct json *at = object->first; at; at = at->next) {
		if (strcmp(at->key, key) != 0)
			continue;
		if (found)
			return refuse(reading, "a key stands twice in it");
		found = at;
	}
	if (!found || found->kind == JSON_NULL)
		return true;
	if (found->kind != kind)
		return refuse(reading, "a value is not of its kind");
	*out = found;
	return true;
}

static bool truth(struct reading *reading, const struct json *object, const char *key, bool *out)
{
	const struct json *value;

	if (!member(reading, object, key, JSON_BOOL, &value))
		return false;
	*out = value && value->truth;
	return true;
}

/* The number of the word among names; `count` when there is none or it is not known. */
static bool word(struct reading *reading, const struct json *object, const char *key,
		 const char *(*name)(unsigned), unsigned count, uint8_t *out)
{
	const struct json *value;
	unsigned i = 0;

	if (!member(reading, object, key, JSON_STRING, &value))
		return false;
	while (value && i < count && strcmp(value->text, name(i)) != 0)
		i++;
	*out = (uint8_t)(value ? i : count);
	return true;
}

/* ---- names ---- */

static bool is_name(const char *text, size_t len)
{
	return len > 0 && len <= CONFIG_NAME_MAX && strspn(text, CONFIG_NAME_CHARS) >= len;
}

/* Of what is not a service of that host: address:NAME, PEER/NAME. */
static bool is_outside(const char *text)
{
	return strpbrk(text, ":/") && strlen(text) <= 2 * CONFIG_NAME_MAX + 16 &&
	       strspn(text, CONFIG_NAME_CHARS ":/") == strlen(text);
}

static uint32_t keep(struct reading *reading, const char *name)
{
	struct peer_report *report = reading->report;
	uint32_t size = (uint32_t)strlen(name) + 1, at = report->text_len;

	if (at + size > reading->text_room) {
		reading->text_room = (at + size) * 2 + 256;
		report->text = mem_resize(report->text, reading->text_room, 1);
	}
	memcpy(report->text + at, name, size);
	report->text_len += size;
	return at;
}

/* ---- services ---- */

static bool read_dep(struct reading *reading, struct peer_service *service, const struct json *dep)
{
	struct peer_report *report = reading->report;
	const struct json *name;

	if (dep->kind != JSON_OBJECT)
		return refuse(reading, "a dependency is not an object");
	if (!member(reading, dep, "name", JSON_STRING, &name))
		return false;
	if (!name || (!is_name(name->text, strlen(name->text)) && !is_outside(name->text)))
		return refuse(reading, "a dependency has no name that could be one");
	if (report->dep_count == PEER_DEPS_MAX)
		return refuse(reading, "more than 8192 dependencies");
	if (report->dep_count == reading->dep_room) {
		reading->dep_room = reading->dep_room ? reading->dep_room * 2 : 16;
		report->deps = mem_resize(report->deps, reading->dep_room, sizeof(*report->deps));
	}
	report->deps[report->dep_count++] = keep(reading, name->text);
	service->dep_count++;
	return true;
}

static bool read_deps(struct reading *reading, struct peer_service *service,
		      const struct json *value)
{
	const struct json *list;

	if (!member(reading, value, "depends_on", JSON_ARRAY, &list))
		return false;
	service->first_dep = reading->report->dep_count;
	for (const struct json *dep = list ? list->first : NULL; dep; dep = dep->next)
		if (!read_dep(reading, service, dep))
			return false;
	return true;
}

static bool read_service(struct reading *reading, const struct json *value)
{
	struct peer_report *report = reading->report;
	struct peer_service *service = &report->services[report->service_count];
	const struct json *name, *pid;

	if (value->kind != JSON_OBJECT)
		return refuse(reading, "a service is not an object");
	if (!member(reading, value, "name", JSON_STRING, &name) ||
	    !member(reading, value, "pid", JSON_NUMBER, &pid))
		return false;
	if (name && is_outside(name->text))
		return true; /* what stands there for an address or a third host */
	if (!name || !is_name(name->text, strlen(name->text)))
		return refuse(reading, "a service has no name that could be one");
	if (!word(reading, value, "state", state_name, STATE_COUNT, &service->state) ||
	    !word(reading, value, "type", type_name, TYPE_COUNT, &service->type) ||
	    !truth(reading, value, "ready", &service->ready) || !read_deps(reading, service, value))
		return false;
	service->running = pid != NULL;
	service->name = keep(reading, name->text);
	report->service_count++;
	return true;
}

/* Names are looked for by their order, and stand there once. */
static int compare_names(const void *a, const void *b, void *text)
{
	const struct peer_service *x = a, *y = b;

	return strcmp((char *)text + x->name, (char *)text + y->name);
}

static bool sort_services(struct reading *reading)
{
	struct peer_report *report = reading->report;

	if (report->service_count)
		qsort_r(report->services, report->service_count, sizeof(*report->services),
			compare_names, report->text);
	for (uint32_t i = 1; i < report->service_count; i++)
		if (strcmp(peer_service_name(report, i - 1), peer_service_name(report, i)) == 0)
			return refuse(reading, "two services have one name");
	return true;
}

static bool read_services(struct reading *reading, const struct json *root)
{
	const struct json *list;

	if (!member(reading, root, "services", JSON_ARRAY, &list))
		return false;
	if (!list)
		return refuse(reading, "it has no list of services: not a status of muster");
	if (list->count > PEER_SERVICES_ALL)
		return refuse(reading, "more than 1024 services");
	reading->report->services =
		mem_alloc((list->count + 1) * sizeof(*reading->report->services));
	for (const struct json *value = list->first; value; value = value->next)
		if (!read_service(reading, value))
			return false;
	return sort_services(reading);
}

/* ---- the whole ---- */

static bool read_host(struct reading *reading, const struct json *root)
{
	struct peer_report *report = reading->report;
	const struct json *host, *mode;

	if (!member(reading, root, "host", JSON_STRING, &host) ||
	    !member(reading, root, "mode", JSON_STRING, &mode))
		return false;
	if (!host || !is_name(host->text, strlen(host->text)))
		return refuse(reading, "it does not say whose status it is");
	snprintf(report->host, sizeof(report->host), "%s", host->text);
	if (mode && is_name(mode->text, strlen(mode->text)))
		snprintf(report->mode, sizeof(report->mode), "%.15s", mode->text);
	return true;
}

static bool read_numbers(struct reading *reading, const struct json *root)
{
	const struct json *schema, *score;
	uint64_t number;

	if (!member(reading, root, "schema", JSON_NUMBER, &schema) ||
	    !member(reading, root, "score", JSON_NUMBER, &score))
		return false;
	if (!schema || !parse_uint(schema->text, UINT32_MAX, &number))
		return refuse(reading, "it has no number of its schema: not a status of muster");
	if (number != PEER_SCHEMA)
		return refuse(reading, "its schema is of another version of muster");
	reading->report->score = -1;
	if (!score)
		return true;
	if (!parse_uint(score->text, 100, &number))
		return refuse(reading, "its score is not a number from 0 to 100");
	reading->report->score = (int)number;
	return true;
}

static bool read_all(struct reading *reading, const struct json *root)
{
	if (root->kind != JSON_OBJECT)
		return refuse(reading, "it is not an object");
	return read_numbers(reading, root) && read_host(reading, root) &&
	       truth(reading, root, "ready", &reading->report->ready) &&
	       word(reading, root, "phase", phase_name, PHASE_COUNT, &reading->report->phase) &&
	       read_services(reading, root);
}

/* At least as many as there are values: what a value takes is a multiple of its bytes. */
static size_t count_values(const char *body, size_t len)
{
	size_t count = 1;

	for (size_t i = 0; i < len; i++)
		count += body[i] == ',' || body[i] == '[' || body[i] == '{';
	return count;
}

struct peer_report *peer_report_read(const char *body, size_t len, const char **error)
{
	struct reading reading = {0};
	struct json_error where;
	const struct json *root;
	struct arena *arena;

	*error = "it has more than 131072 values";
	if (count_values(body, len) > PEER_VALUES_MAX)
		return NULL;
	arena = mem_check(arena_create());
	root = json_parse(arena, body, len, &where);
	*error = root ? NULL : "it is not JSON";
	if (root) {
		reading.report = mem_alloc(sizeof(*reading.report));
		if (!read_all(&reading, root)) {
			*error = reading.error;
			peer_report_free(reading.report);
			reading.report = NULL;
		}
	}
	arena_destroy(arena);
	return reading.report;
}

void peer_report_free(struct peer_report *report)
{
	if (!report)
		return;
	free(report->services);
	free(report->deps);
	free(report->text);
	free(report);
}

bool peer_report_same(const struct peer_report *a, const struct peer_report *b)
{
	if (strcmp(a->host, b->host) != 0 || strcmp(a->mode, b->mode) != 0 ||
	    a->phase != b->phase || a->ready != b->ready || a->score != b->score ||
	    a->service_count != b->service_count || a->dep_count != b->dep_count)
		return false;
	for (uint32_t i = 0; i < a->service_count; i++)
		if (a->services[i].state != b->services[i].state ||
		    a->services[i].ready != b->services[i].ready ||
		    strcmp(peer_service_name(a, i), peer_service_name(b, i)) != 0)
			return false;
	return true;
}

int peer_report_find(const struct peer_report *report, const char *name)
{
	uint32_t low = 0, high = report->service_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		int order = strcmp(name, peer_service_name(report, middle));

		if (order == 0)
			return (int)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}
