/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "arena.h"
#include "filters.h"
#include "guard.h"
#include "log.h"
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

static bool sidecar_equal(const struct config *a, const struct config *b)
{
	char *const *x = a->sidecar.listen, *const *y = b->sidecar.listen;
	const char *user_a = a->sidecar.user ? a->sidecar.user : "";
	const char *user_b = b->sidecar.user ? b->sidecar.user : "";

	while (*x && *y && strcmp(*x, *y) == 0) {
		x++;
		y++;
	}
	return !*x && !*y && strcmp(a->name, b->name) == 0 && a->log == b->log &&
	       strcmp(user_a, user_b) == 0;
}

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

/* Where the service is in the new configuration: its index when it is there and runs the same way
 * (*same), config->count for the sidecar, -1 when it is not there. */
static int place_in(const struct supervisor *sup, const struct service *service,
		    const struct config *config, bool *same)
{
	int index;

	if (service->config->internal) {
		*same = wants_sidecar(config) && sidecar_equal(sup->config, config);
		return wants_sidecar(config) ? (int)config->count : -1;
	}
	index = config_find(config, service->config->name);
	*same = index >= 0 &&
		service_config_equal(sup->config, service->config, config,
				     &config->services[index]) &&
		filters_equal(filter_of(sup->config, service->config),
			      filter_of(config, &config->services[index]));
	return index;
}

static bool is_at_rest(const struct service *service)
{
	switch (machine_state(service->phase)) {
	case STATE_INACTIVE:
	case STATE_WAITING:
	case STATE_BACKOFF:
	case STATE_COMPLETED:
	case STATE_FAILED:
		return true;
	default:
		return false;
	}
}

static void list(struct text *text, const char *title, unsigned *count, const char *name)
{
	append(text, *count ? ", %s" : "%s: %s", *count ? name : title, name);
	*count += 1;
}

static void list_old(const struct supervisor *sup, const struct config *config, struct text *text,
		     const char *title, bool removed)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];
		bool same;
		int index = place_in(sup, service, config, &same);

		if (!same && removed == (index < 0))
			list(text, title, &count, service->config->name);
	}
	if (count)
		append(text, "\n");
}

static void describe(const struct supervisor *sup, const struct config *config, struct text *text)
{
	unsigned count = 0;

	list_old(sup, config, text, "removed", true);
	list_old(sup, config, text, "restarted", false);
	for (uint32_t i = 0; i < config->count; i++)
		if (config_find(sup->config, config->services[i].name) < 0)
			list(text, "added", &count, config->services[i].name);
	if (count)
		append(text, "\n");
	if (!text->used)
		append(text, "nothing changed\n");
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
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		bool same;

		place_in(sup, service, sup->pending, &same);
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

		if (dependent->leaving && !is_at_rest(dependent))
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

/* Why a configuration that was read cannot be taken; NULL: it can, and its sockets are open. */
static const char *misfit(struct supervisor *sup, struct config *config)
{
	static char text[FILTERS_TEXT_SIZE + SOCKETS_TEXT_SIZE];
	const char *name = guard_objects(sup, config);

	if (!config->count)
		return "it has no services";
	if (wants_sidecar(config) && !sidecar_find_program(config))
		return "[sidecar] program: there is no " SIDECAR_NAME;
	plan_raise_descriptors(sup, config);
	if (!name)
		return filters_make_all(config, text) &&
				       sockets_open_all(config, sup->config, sup->pending, text)
			       ? NULL
			       : text;
	snprintf(text, sizeof(text),
		 "[service:%s] needs capabilities that muster-init gave up at its start, as no "
		 "service needed them: give it a user or cap_drop, or start muster-init anew",
		 name);
	return text;
}

bool plan_reload(struct supervisor *sup, char *buffer, size_t size)
{
	struct text text = {buffer, size, 0};
	struct config_errors errors = {0};
	const char *why = NULL;
	struct config *config;

	buffer[0] = '\0';
	if (sup->stage != STAGE_RUN) {
		append(&text, "muster-init is stopping");
		return false;
	}
	control_renew(sup); /* somebody may have deleted it, and be told of this way back */
	config = config_load(sup->source, &errors);
	if (config)
		why = misfit(sup, config);
	if (!config) {
		refuse(&text, &errors);
	} else if (why) {
		append(&text, "the new configuration is refused, the old one goes on: %s\n", why);
		config_free(config);
		config = NULL;
	}
	config_errors_free(&errors);
	if (!config)
		return false;
	address_adopt(config->addresses, sup->config->addresses);
	describe(sup, config, &text);
	sockets_close_all(&sup->loop, sup->pending, sup->config, config);
	config_free(sup->pending);
	sup->pending = config;
	mark_leaving(sup);
	return true;
}

/* ---- doing it ---- */

static bool leaving_are_down(const struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++)
		if (sup->services[i]->leaving && !is_at_rest(sup->services[i]))
			return false;
	return true;
}

static void keep_those_that_stay(struct supervisor *sup, struct plan *plan)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		bool same;
		int index = place_in(sup, service, plan->config, &same);

		if (same && !service->leaving)
			plan->services[index] = service;
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
		bool same;
		int index = place_in(sup, service, plan->config, &same);

		if (index >= 0 && !plan->services[index])
			want[index] = service->wanted ||
				      (service->config->start != START_AUTO && want[index]);
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
	if (!want || !plan_install(sup, &plan)) {
		discard(sup, &plan);
		give_up(sup, "not enough memory");
		return;
	}
	log_info("reloaded: %u services", sup->config->count);
	sidecar_link_update(sup);
	hosts_changed(sup);
	guard_renew(sup->config);
	start_new(sup, want);
	control_reload_done(sup, NULL);
}
