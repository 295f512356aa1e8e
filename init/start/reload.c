/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "cgroup_root.h"
#include "clock.h"
#include "filters.h"
#include "guard.h"
#include "log.h"
#include "notify.h"
#include "plan.h"
#include "sidecar_config.h"
#include "sockets.h"

/*
 * A reload in two steps: what has to go is stopped under the plan in force; then the new plan takes
 * its place at once. A second reload meanwhile only replaces the plan that is waiting.
 */

struct text {
	char *at;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void append(struct text *text, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text->at + text->used, text->size - text->used, format, args);
	va_end(args);
	if (n < 0)
		return;
	text->used += (size_t)n < text->size - text->used ? (size_t)n : text->size - text->used - 1;
}

/* ---- the difference ---- */

static bool wants_sidecar(const struct config *config)
{
	return config->sidecar.present && !config->sidecar.external;
}

/* A profile may have changed where its path has not. */
static const struct sock_fprog *filter_of(const struct config *config,
					  const struct service_config *service)
{
	return filters_find(config->filters, service->policy->identity);
}

/* Most stay where they were: ten thousand are to be compared in a moment. */
static int find_near(const struct config *config, const char *name, uint32_t hint)
{
	if (hint < config->count && strcmp(config->services[hint].name, name) == 0)
		return (int)hint;
	return config_find(config, name);
}

/* Where the service is in the new configuration; config->count for the sidecar, -1: not there. */
static int place_in(const struct service *service, const struct config *config)
{
	if (service->config->internal)
		return wants_sidecar(config) ? (int)config->count : -1;
	return find_near(config, service->config->name, service->index);
}

/* Whether it would run the same way at that place. */
static bool is_same(const struct supervisor *sup, const struct service *service,
		    const struct config *config, int place)
{
	if (service->config->internal)
		return sidecar_same(sup->config, config);
	return service_config_equal(sup->config, service->config, config,
				    &config->services[place]) &&
	       filters_equal(filter_of(sup->config, service->config),
			     filter_of(config, &config->services[place]));
}

enum verdict { STAYS, CHANGED, FOLLOWS, REMOVED };

/* What the configuration means for each service: service->verdict. One that runs and asked to be
 * restarted with one that changed follows it. */
static void judge(struct supervisor *sup, const struct config *config)
{
	const struct graph *graph = &sup->graph;
	uint32_t todo = 0;

	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		int place = place_in(service, config);

		if (place < 0)
			service->verdict = REMOVED;
		else
			service->verdict = is_same(sup, service, config, place) ? STAYS : CHANGED;
		if (service->verdict == CHANGED && service->wanted)
			sup->stack[todo++] = (uint16_t)i;
	}
	while (todo) {
		const struct service *service = sup->services[sup->stack[--todo]];

		for (uint32_t i = graph->dependent_start[service->index];
		     i < graph->dependent_start[service->index + 1]; i++) {
			struct service *other = sup->services[graph->dependents[i]];

			if (other->verdict != STAYS || machine_is_at_rest(other->phase) ||
			    !schedule_restarts_with(other, service))
				continue;
			other->verdict = FOLLOWS;
			sup->stack[todo++] = other->index;
		}
	}
}

static void list(struct text *text, const char *title, unsigned *count, const char *name)
{
	append(text, *count ? ", %s" : "%s: %s", *count ? name : title, name);
	*count += 1;
}

static void list_old(const struct supervisor *sup, struct text *text, const char *title,
		     bool removed)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];

		if (service->verdict != STAYS && removed == (service->verdict == REMOVED))
			list(text, title, &count, service->config->name);
	}
	if (count)
		append(text, "\n");
}

static void describe(const struct supervisor *sup, const struct config *config, struct text *text)
{
	unsigned count = 0;

	list_old(sup, text, "removed", true);
	list_old(sup, text, "restarted", false);
	for (uint32_t i = 0; i < config->count; i++)
		if (find_near(sup->config, config->services[i].name, i) < 0)
			list(text, "added", &count, config->services[i].name);
	if (count)
		append(text, "\n");
	if (!text->used)
		append(text, "nothing changed\n");
}

/* ---- the same, before it is done ---- */

#define KEYS_MAX 64

/* The keys that make the difference, as KEY,KEY. */
static void write_keys(const struct supervisor *sup, const struct service *service,
		       const struct config *config, char *out, size_t size)
{
	struct text text = {out, size, 0};
	const char *keys[KEYS_MAX] = {"[sidecar]"};
	unsigned count = 1;

	if (!service->config->internal) {
		int index = config_find(config, service->config->name);

		count = service_config_compare(sup->config, service->config, config,
					       &config->services[index], keys, KEYS_MAX);
		if (!count) /* what the profile's file says */
			keys[count++] = "seccomp";
	}
	for (unsigned i = 0; i < count && i < KEYS_MAX; i++)
		append(&text, i ? ",%s" : "%s", keys[i]);
}

/* Which of its dependencies it restarts with. */
static const char *leader_of(const struct supervisor *sup, const struct service *service)
{
	for (unsigned i = 0; i < service->config->dep_count; i++) {
		const struct dep_config *dep = &service->config->deps[i];
		const struct service *other = sup->services[dep->service];

		if (dep->restart &&
		    (other->verdict == FOLLOWS || (other->verdict == CHANGED && other->wanted)))
			return other->config->name;
	}
	return "";
}

/* What changed starts again, unless it had been asked to be down. */
static bool starts_anew(const struct service *service, const struct service_config *config)
{
	return service->wanted ||
	       (service->config->start != START_AUTO && config->start == START_AUTO);
}

static const char *action_of(const struct service *service, const struct config *config)
{
	int index = find_near(config, service->config->name, service->index);

	switch ((enum verdict)service->verdict) {
	case STAYS:
		return "keep";
	case FOLLOWS:
		return "follow";
	case REMOVED:
		return machine_is_at_rest(service->phase) ? "remove" : "stop";
	case CHANGED:
		break;
	}
	if (service->wanted)
		return "restart";
	return index >= 0 && starts_anew(service, &config->services[index]) ? "start" : "change";
}

/* A page of lines; what comes before and behind it is left out. */
struct preview {
	struct text text;
	uint32_t skip;
	bool more;
};

static void preview_line(struct preview *preview, const char *action, const char *name,
			 const char *more)
{
	size_t left = preview->text.size - preview->text.used;

	if (preview->skip) {
		preview->skip--;
		return;
	}
	preview->more |= strlen(action) + strlen(name) + strlen(more) + 4 > left;
	if (!preview->more)
		append(&preview->text, "%s %s%s%s\n", action, name, *more ? " " : "", more);
}

static void preview_all(const struct supervisor *sup, const struct config *config,
			struct preview *preview)
{
	char keys[1024];

	for (uint32_t i = 0; i < sup->count && !preview->more; i++) {
		const struct service *service = sup->services[i];
		const char *more = service->verdict == CHANGED   ? keys
				   : service->verdict == FOLLOWS ? leader_of(sup, service)
								 : "";

		if (service->verdict == CHANGED)
			write_keys(sup, service, config, keys, sizeof(keys));
		preview_line(preview, action_of(service, config), service->config->name, more);
	}
	for (uint32_t i = 0; i < config->count && !preview->more; i++)
		if (find_near(sup->config, config->services[i].name, i) < 0)
			preview_line(preview,
				     config->services[i].start == START_AUTO ? "start" : "add",
				     config->services[i].name, "");
}

/* ---- asking for it ---- */

static void refuse(struct text *text, const struct config_errors *errors)
{
	append(text, "the new configuration is refused, the old one goes on:\n");
	for (unsigned i = 0; i < errors->kept; i++)
		append(text, "%s\n", errors->text[i]);
	if (errors->total > errors->kept)
		append(text, "and %u more\n", errors->total - errors->kept);
}

/* Notes what the new configuration does not have, or has otherwise; takes back an earlier wish. */
static void mark_leaving(struct supervisor *sup)
{
	judge(sup, sup->pending);
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		bool same = service->verdict == STAYS;

		if (same == !service->leaving)
			continue;
		service->leaving = !same;
		service->told = false;
		if (same && service->wanted)
			supervisor_event(sup, service, EV_WANT);
	}
}

static bool may_leave(const struct supervisor *sup, const struct service *service)
{
	const struct graph *graph = &sup->graph;

	for (uint32_t i = graph->dependent_start[service->index];
	     i < graph->dependent_start[service->index + 1]; i++) {
		const struct service *dependent = sup->services[graph->dependents[i]];

		if (dependent->leaving && !machine_is_at_rest(dependent->phase))
			return false;
	}
	return true;
}

/* Tells those that have to go, each after what depends on it and goes as well. */
static void stop_leaving(struct supervisor *sup)
{
	bool moved = true;

	while (moved) {
		moved = false;
		for (uint32_t i = 0; i < sup->count; i++) {
			struct service *service = sup->services[i];

			if (!service->leaving || service->told || !may_leave(sup, service))
				continue;
			service->told = moved = true;
			supervisor_event(sup, service, EV_UNWANT);
			schedule_changed(sup, service);
		}
	}
}

/* Why a configuration that was read cannot be taken; NULL: it can, and its sockets are open, unless
 * it is only looked at. */
static const char *misfit(struct supervisor *sup, struct config *config, bool only_look)
{
	static char text[FILTERS_TEXT_SIZE + SOCKETS_TEXT_SIZE];
	const char *name = guard_objects(sup, config);

	if (!config->count)
		return "it has no services";
	if (wants_sidecar(config) && !sidecar_find_program(config))
		return "[sidecar] program: there is no " SIDECAR_NAME;
	if (wants_sidecar(config) && sidecar_user_problem(config))
		return sidecar_user_problem(config);
	if (!name) {
		if (!filters_make_all(config, FILTERS_AT_RELOAD, text))
			return text;
		if (only_look)
			return NULL;
		plan_raise_descriptors(sup, config);
		return sockets_open_all(config, sup->config, sup->pending, text) ? NULL : text;
	}
	snprintf(text, sizeof(text),
		 "[service:%s] needs capabilities that muster-init gave up at its start, as no "
		 "service needed them: give it a user or cap_drop, or start muster-init anew",
		 name);
	return text;
}

/* The configuration as the files say now; NULL: refused, and text says why. */
static struct config *load_new(struct supervisor *sup, struct text *text, bool only_look)
{
	struct config_errors errors = {0};
	struct config *config;
	const char *why;

	text->at[0] = '\0';
	if (sup->stage != STAGE_RUN) {
		append(text, "muster-init is stopping");
		return NULL;
	}
	config = config_load(sup->source, &errors);
	if (!config)
		refuse(text, &errors);
	config_errors_free(&errors);
	why = config ? misfit(sup, config, only_look) : NULL;
	if (why) {
		append(text, "the new configuration is refused, the old one goes on: %s\n", why);
		config_free(config);
		return NULL;
	}
	if (config)
		address_adopt(config->addresses, sup->config->addresses);
	return config;
}

bool plan_preview(struct supervisor *sup, uint32_t skip, char *buffer, size_t size, bool *more)
{
	struct preview preview = {.text = {buffer, size, 0}, .skip = skip};
	struct config *config = load_new(sup, &preview.text, true);

	if (!config)
		return false;
	judge(sup, config);
	preview_all(sup, config, &preview);
	*more = preview.more;
	config_free(config);
	return true;
}

bool plan_reload(struct supervisor *sup, char *buffer, size_t size)
{
	struct text text = {buffer, size, 0};
	struct config *config;

	if (sup->stage == STAGE_RUN)
		control_renew(sup); /* somebody may have deleted it, and be told of this way back */
	config = load_new(sup, &text, false);
	if (!config)
		return false;
	sockets_close_all(&sup->loop, sup->pending, sup->config, config);
	config_free(sup->pending);
	sup->pending = config;
	if (sup->phase != PHASE_STARTING)
		notify_up_send(sup, "RELOADING=1\nMONOTONIC_USEC=%llu",
			       (unsigned long long)clock_monotonic() / 1000);
	mark_leaving(sup);
	describe(sup, config, &text);
	return true;
}

/* ---- doing it ---- */

static bool leaving_are_down(const struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++)
		if (sup->services[i]->leaving && !machine_is_at_rest(sup->services[i]->phase))
			return false;
	return true;
}

/* As it was judged, and not looked at again: what is not leaving stays. */
static void keep_those_that_stay(struct supervisor *sup, struct plan *plan)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (!service->leaving)
			plan->services[place_in(service, plan->config)] = service;
	}
}

/* What is wanted starts; those that went on are looked at in the light of the new graph. */
static void start_new(struct supervisor *sup, const bool *want)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (want[i])
			schedule_want(sup, service);
		schedule_changed(sup, service);
	}
}

/* Which services are to start: new ones that start by themselves, and those that this reload
 * restarts. What had been asked to be down stays down. */
static void decide_wanted(const struct supervisor *sup, const struct plan *plan, bool *want)
{
	for (uint32_t i = 0; i < plan->count; i++)
		want[i] = !plan->services[i] && plan_service_config(plan, i)->start == START_AUTO;
	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];
		int index = place_in(service, plan->config);

		if (index >= 0 && !plan->services[index])
			want[index] =
				starts_anew(service, plan_service_config(plan, (uint32_t)index));
	}
}

static void give_up(struct supervisor *sup, const char *why)
{
	log_error("reload: cannot take the new configuration: %s; the old one goes on", why);
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (service->leaving && service->wanted)
			supervisor_event(sup, service, EV_WANT);
		service->leaving = service->told = false;
		schedule_changed(sup, service);
	}
	hosts_changed(sup);
	schedule_tell_ready(sup);
	control_reload_done(sup, why);
}

static void discard(struct supervisor *sup, struct plan *plan)
{
	sockets_close_all(&sup->loop, plan->config, sup->config, NULL);
	plan_discard(plan);
	config_free(plan->config);
}

void reload_run(struct supervisor *sup)
{
	struct config *config = sup->pending;
	struct plan plan;
	bool *want;
	int rc;

	if (!config || sup->stage != STAGE_RUN)
		return;
	stop_leaving(sup);
	if (!leaving_are_down(sup))
		return;
	sup->pending = NULL;
	if (wants_sidecar(config))
		sup->sidecar_program = sidecar_find_program(config);
	rc = plan_build(&plan, sup, config);
	if (rc < 0) {
		discard(sup, &plan);
		give_up(sup, strerror(-rc));
		return;
	}
	want = arena_array(plan.arena, plan.count ? plan.count : 1, sizeof(*want));
	address_adopt(config->addresses, sup->config->addresses);
	if (want) {
		keep_those_that_stay(sup, &plan);
		decide_wanted(sup, &plan, want);
	}
	rc = want ? plan_install(sup, &plan) : -ENOMEM;
	if (rc < 0) {
		discard(sup, &plan);
		give_up(sup, strerror(-rc));
		return;
	}
	log_info("reloaded: %u services", sup->config->count);
	sidecar_link_update(sup);
	hosts_changed(sup);
	guard_renew(sup->config);
	cgroup_root_follow(sup);
	start_new(sup, want);
	schedule_tell_ready(sup);
	control_reload_done(sup, NULL);
}
