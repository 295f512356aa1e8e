/* SPDX-License-Identifier: MIT */
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "addresses.h"
#include "arena.h"
#include "clock.h"
#include "filters.h"
#include "learned.h"
#include "log.h"
#include "logwriter.h"
#include "notify.h"
#include "probes.h"
#include "sidecar_config.h"
#include "sockets.h"

/* The timers of one service besides those of its probes: its phase, its log's writer, its rest and
 * its watchdog; and those of the whole. */
#define TIMERS_PER_SERVICE 4
#define TIMERS_OF_INIT     13
#define MAX_SLOTS          65535
/* Descriptors of one service at most: two pipes, a notify socket, a main process, a readiness pipe;
 * and what it may store. */
#define FDS_PER_SERVICE 8
#define FDS_OF_INIT     128

/* ---- one service ---- */

static bool is_ready_by(const struct service_config *config, enum probe_kind kind)
{
	for (const struct probe_config *p = config->probes[ROLE_READINESS]; p; p = p->next)
		if (p->kind == kind)
			return true;
	return false;
}

static bool is_piped(const struct service_config *config)
{
	uint8_t log = config->policy->log;

	if (config->type == TYPE_EXTERNAL)
		return false;
	return log == LOG_PREFIX || log == LOG_JSON ||
	       (log == LOG_NONE && is_ready_by(config, PROBE_LOG));
}

static unsigned probe_count(const struct service_config *config)
{
	unsigned count = 0;

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (const struct probe_config *p = config->probes[role]; p; p = p->next)
			count++;
	return count;
}

static bool uses_notify(const struct service_config *config)
{
	return is_ready_by(config, PROBE_NOTIFY) || config->policy->watchdog;
}

/* Room for unfinished lines: reserved, and paid for only by a service that leaves one. */
static bool reserve_lines(struct service *service)
{
	char *room = mmap(NULL, 2 * LINE_MAX_BYTES, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (room == MAP_FAILED)
		return false;
	for (unsigned i = 0; i < 2; i++) {
		service->streams[i].service = service;
		service->streams[i].which = (uint8_t)(i + 1);
		service->streams[i].write_end = -1;
		service->streams[i].source.fd = -1;
		service->streams[i].partial = room + i * LINE_MAX_BYTES;
	}
	return true;
}

static void attach_probes(struct service *service, struct probe_run *runs)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		struct probe_run **tail = &service->probes[role];

		for (const struct probe_config *p = service->config->probes[role]; p; p = p->next) {
			struct probe_run *run = runs++;

			run->config = p;
			run->service = service;
			run->role = (uint8_t)role;
			run->source.fd = -1;
			run->write_end = -1;
			run->announced = true;
			*tail = run;
			tail = &run->next;
		}
	}
}

/* The service and whatever belongs to it in one block. */
static struct service *service_create(const struct service_config *config)
{
	unsigned probes = probe_count(config);
	size_t streams = is_piped(config) ? 2 * sizeof(struct stream) : 0;
	size_t notify = uses_notify(config) ? sizeof(struct notify_run) : 0;
	size_t logger = config->policy->log == LOG_FILE ? sizeof(struct logger) : 0;
	struct service *service = calloc(1, sizeof(*service) + probes * sizeof(struct probe_run) +
						    streams + notify + logger);
	char *next;

	if (!service)
		return NULL;
	service->config = config;
	supervisor_init_service(service);
	next = (char *)(service + 1);
	attach_probes(service, (struct probe_run *)(void *)next);
	next += probes * sizeof(struct probe_run);
	if (streams) {
		service->streams = (struct stream *)(void *)next;
		if (!reserve_lines(service)) {
			free(service);
			return NULL;
		}
	}
	next += streams;
	if (notify) {
		service->notify = (struct notify_run *)(void *)next;
		service->notify->service = service;
		service->notify->source.fd = service->notify->main.fd = -1;
	}
	next += notify;
	if (logger) {
		service->logger = (struct logger *)(void *)next;
		service->logger->service = service;
		service->logger->read_end = service->logger->write_end = -1;
	}
	return service;
}

static void service_destroy(struct supervisor *sup, struct service *service)
{
	supervisor_close_service(sup, service);
	stream_forget(sup, service);
	loop_disarm(&sup->loop, &service->timer);
	loop_disarm(&sup->loop, &service->demand_timer);
	if (service->streams)
		munmap(service->streams[0].partial, 2 * LINE_MAX_BYTES);
	free(service);
}

/* ---- the plan ---- */

static bool plan_arrays(struct plan *plan)
{
	plan->services = arena_array(plan->arena, plan->count, sizeof(struct service *));
	plan->remaining = arena_array(plan->arena, plan->count, sizeof(uint32_t));
	plan->runnable = arena_array(plan->arena, plan->count, sizeof(uint16_t));
	plan->changed = arena_array(plan->arena, plan->count, sizeof(uint16_t));
	plan->stack = arena_array(plan->arena, plan->count, sizeof(uint16_t));
	return plan->services && plan->remaining && plan->runnable && plan->changed && plan->stack;
}

/* All dependencies as the edges of one list; the internal service has none. */
static struct graph_edge *edges_of(const struct config *config, struct arena *arena,
				   uint32_t *count)
{
	struct graph_edge *edges;
	uint32_t n = 0;

	for (uint32_t i = 0; i < config->count; i++)
		n += config->services[i].dep_count;
	edges = arena_array(arena, n ? n : 1, sizeof(*edges));
	*count = n;
	n = 0;
	for (uint32_t i = 0; edges && i < config->count; i++) {
		const struct service_config *service = &config->services[i];

		for (unsigned d = 0; d < service->dep_count; d++)
			edges[n++] = (struct graph_edge){
				(uint16_t)i, service->deps[d].service, service->deps[d].condition,
				service->deps[d].optional, service->deps[d].restart};
	}
	return edges;
}

static bool plan_graph(const struct supervisor *sup, struct plan *plan)
{
	struct arena *scratch = arena_create();
	struct graph_edge *edges;
	uint32_t count, *weights;
	bool ok;

	if (!scratch)
		return false;
	edges = edges_of(plan->config, scratch, &count);
	weights = arena_array(scratch, plan->count, sizeof(*weights));
	if (weights)
		learned_weights(sup, plan->config, weights);
	ok = edges && weights &&
	     graph_build(&plan->graph, plan->arena, plan->count, edges, count) &&
	     graph_remaining(&plan->graph, scratch, weights, plan->remaining);
	arena_destroy(scratch);
	return ok;
}

/* What counts from the beginning goes on counting over a reload. */
static void continue_header(const struct supervisor *sup, struct status_header *header)
{
	struct status_header old;

	if (!sup->page.map || status_read_header(&sup->page, &old) < 0)
		return;
	header->changes = old.changes;
	header->startup_done = old.startup_done;
	header->reaped = old.reaped;
	header->log_dropped = old.log_dropped;
	header->beat = old.beat;
}

static void fill_header(const struct supervisor *sup, struct plan *plan)
{
	struct status_header *header = status_header_begin(&plan->page);

	continue_header(sup, header);
	header->pid = (int32_t)getpid();
	header->phase = sup->phase;
	header->sidecar = plan->sidecar != NULL;
	header->exit_code = -1;
	header->boot = sup->boot;
	header->boot_realtime = clock_realtime() - (clock_monotonic() - sup->boot);
	snprintf(header->host, sizeof(header->host), "%s", plan->config->name);
	snprintf(header->mode, sizeof(header->mode), "%s", mode_name(plan->config->mode));
	status_header_end(&plan->page);
}

static void fill_edges(struct plan *plan)
{
	struct status_edge *out = status_edges(&plan->page);
	const struct graph *graph = &plan->graph;

	for (uint32_t i = 0; i < graph->edge_count; i++)
		out[i] = (struct status_edge){.from = graph->deps[i].from,
					      .to = graph->deps[i].to,
					      .condition = graph->deps[i].condition,
					      .optional = graph->deps[i].optional,
					      .restart = graph->deps[i].restart};
}

static void fill_record(struct plan *plan, uint32_t index)
{
	const struct service_config *config = plan_service_config(plan, index);
	struct status_record *record = status_record_begin(&plan->page, index);

	record->type = config->type;
	record->flags = (uint8_t)((config->essential ? STATUS_ESSENTIAL : 0) |
				  (config->start == START_AUTO ? STATUS_AUTO : 0) |
				  (config->internal ? STATUS_INTERNAL : 0) |
				  (config->replica_of ? STATUS_REPLICA : 0));
	record->probe =
		config->probes[ROLE_READINESS] ? config->probes[ROLE_READINESS]->kind : PROBE_NONE;
	for (const struct probe_config *p = config->probes[ROLE_READINESS]; p; p = p->next)
		record->probes++;
	record->last_exit = -1;
	snprintf(record->name, sizeof(record->name), "%s", config->name);
	status_record_end(&plan->page, index);
}

const struct service_config *plan_service_config(const struct plan *plan, uint32_t index)
{
	return index < plan->config->count ? &plan->config->services[index] : plan->sidecar;
}

int plan_build(struct plan *plan, struct supervisor *sup, struct config *config)
{
	int rc;

	*plan = (struct plan){.config = config, .count = config->count};
	plan->arena = arena_create();
	if (!plan->arena)
		return -ENOMEM;
	if (config->sidecar.present && !config->sidecar.external) {
		plan->sidecar = sidecar_service(config, plan->arena, sup->sidecar_program,
						sup->run_fd >= 0 ? sup->run_dir : NULL);
		if (!plan->sidecar)
			return -ENOMEM;
		plan->count++;
	}
	if (!plan_arrays(plan) || !plan_graph(sup, plan))
		return -ENOMEM;
	rc = status_page_create(&plan->page, sup->run_fd, plan->count, plan->graph.edge_count);
	if (rc < 0)
		return rc;
	fill_header(sup, plan);
	fill_edges(plan);
	for (uint32_t i = 0; i < plan->count; i++)
		fill_record(plan, i);
	return 0;
}

void plan_discard(struct plan *plan)
{
	if (plan->page.map)
		status_page_retire(&plan->page);
	arena_destroy(plan->arena);
}

/* ---- slots ---- */

/* A table of pointers with room for twice as many as are needed, so that numbers are not used again
 * at once, and the old and the new ones of a reload fit side by side. NULL: no memory. */
static void *grow_table(void *table, uint32_t *have, uint32_t needed)
{
	uint32_t size = *have ? *have : 16;
	void *grown;

	while (size < 2 * needed && size < MAX_SLOTS)
		size = size * 2 > MAX_SLOTS ? MAX_SLOTS : size * 2;
	if (size == *have)
		return table;
	grown = realloc(table, size * sizeof(void *));
	if (!grown)
		return NULL;
	memset((char *)grown + *have * sizeof(void *), 0, (size - *have) * sizeof(void *));
	*have = size;
	return grown;
}

static uint32_t network_probes(const struct service_config *config)
{
	uint32_t count = 0;

	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (const struct probe_config *p = config->probes[role]; p; p = p->next)
			count += probe_is_network(p);
	return count;
}

static bool reserve_slots(struct supervisor *sup, const struct plan *plan)
{
	uint32_t probes = 0;
	void *table = grow_table(sup->by_slot, &sup->slots, plan->count);

	if (!table)
		return false;
	sup->by_slot = table;
	for (uint32_t i = 0; i < plan->count; i++)
		probes += network_probes(plan_service_config(plan, i));
	table = grow_table(sup->by_number, &sup->numbers, probes);
	if (!table)
		return false;
	sup->by_number = table;
	return true;
}

/* Numbers for what the sidecar is going to probe, which knows them by no other name; the
 * configuration has no more such probes than there are numbers. */
static void take_numbers(struct supervisor *sup, struct service *service)
{
	struct probe_run *run = (struct probe_run *)(void *)(service + 1);

	for (unsigned count = probe_count(service->config); count > 0; count--, run++) {
		if (!probe_is_network(run->config))
			continue;
		while (sup->by_number[sup->next_number % sup->numbers])
			sup->next_number++;
		run->number = sup->next_number++ % sup->numbers;
		sup->by_number[run->number] = run;
	}
}

static void take_slot(struct supervisor *sup, struct service *service)
{
	while (sup->by_slot[sup->next_slot % sup->slots])
		sup->next_slot++;
	service->slot = (uint16_t)(sup->next_slot++ % sup->slots);
	sup->by_slot[service->slot] = service;
	take_numbers(sup, service);
}

static void drop_numbers(struct supervisor *sup, const struct service *service)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		for (const struct probe_run *run = service->probes[role]; run; run = run->next)
			if (sup->numbers && sup->by_number[run->number] == run)
				sup->by_number[run->number] = NULL;
}

/* ---- putting it in force ---- */

static bool reserve_envp(struct supervisor *sup, struct plan *plan)
{
	size_t most = 0;

	for (uint32_t i = 0; i < plan->count; i++) {
		size_t need = config_environment(plan->config, plan_service_config(plan, i),
						 sup->environment, NULL, 0);

		if (need > most)
			most = need;
	}
	plan->envp_size = most + ENVP_EXTRA + 2;
	plan->envp = arena_array(plan->arena, plan->envp_size, sizeof(char *));
	return plan->envp != NULL;
}

void plan_raise_descriptors(struct supervisor *sup, const struct config *config)
{
	/* and its sockets, twice while one configuration follows another */
	rlim_t wanted = (rlim_t)(config->count + 1) * FDS_PER_SERVICE +
			(rlim_t)config->listen_count * 2 + FDS_OF_INIT;
	struct rlimit own;

	for (uint32_t i = 0; i < config->count; i++)
		wanted += uses_notify(&config->services[i]) ? FDSTORE_MAX : 0;

	if (getrlimit(RLIMIT_NOFILE, &own) < 0)
		return;
	if (own.rlim_cur < wanted) {
		own.rlim_cur = wanted < own.rlim_max ? wanted : own.rlim_max;
		setrlimit(RLIMIT_NOFILE, &own);
	}
	sup->nofile_differs = sup->nofile.rlim_cur != own.rlim_cur;
}

/* All memory the plan will need while it is in force, before anything changes. */
static bool reserve(struct supervisor *sup, struct plan *plan)
{
	uint32_t timers = plan->count * TIMERS_PER_SERVICE + TIMERS_OF_INIT;

	for (uint32_t i = 0; i < plan->count; i++)
		timers += probe_count(plan_service_config(plan, i));
	plan_raise_descriptors(sup, plan->config);
	return reserve_slots(sup, plan) && reserve_envp(sup, plan) &&
	       children_reserve(&sup->children, plan->count) &&
	       loop_reserve_timers(&sup->loop, timers);
}

static void adopt_record(const struct supervisor *sup, struct plan *plan,
			 const struct service *service, uint32_t index)
{
	struct status_record *record, old;
	int cause;

	if (status_read_record(&sup->page, service->index, &old) < 0)
		return;
	record = status_record_begin(&plan->page, index);
	old.generation = record->generation;
	old.type = record->type;
	old.flags = (uint8_t)(record->flags | (old.flags & (STATUS_WANTED | STATUS_DEP_CAUSE)));
	old.probe = record->probe;
	/* whom it waits for has another place now, or none */
	cause = old.flags & STATUS_DEP_CAUSE && old.cause < sup->count
			? config_find(plan->config, sup->services[old.cause]->config->name)
			: -1;
	old.cause = cause < 0 ? 0 : (uint16_t)cause;
	if (cause < 0)
		old.flags &= (uint8_t)~STATUS_DEP_CAUSE;
	old.probes = record->probes;
	*record = old;
	status_record_end(&plan->page, index);
}

/* A service that goes on: its configuration is equal, and now lies in the new plan. */
static void keep_service(struct service *service, const struct plan *plan, uint32_t index)
{
	const struct service_config *config = plan_service_config(plan, index);

	service->config = config;
	service->filter = filters_find(plan->config->filters, config->policy->identity);
	service->index = (uint16_t)index;
	for (unsigned role = 0; role < ROLE_COUNT; role++) {
		const struct probe_config *p = config->probes[role];

		for (struct probe_run *run = service->probes[role]; run; run = run->next) {
			run->config = p;
			p = p->next;
		}
	}
	service->fresh = service->noted = service->queued = false;
	service->waits = service->measured = false; /* on the sockets of the old plan */
	service->unready = service->unsettled = false;
}

static void release_old(struct supervisor *sup, const struct plan *plan)
{
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];
		bool kept =
			service->index < plan->count && plan->services[service->index] == service;

		if (kept)
			continue;
		sup->by_slot[service->slot] = NULL;
		drop_numbers(sup, service);
		service_destroy(sup, service);
	}
	if (sup->page.map)
		status_page_retire(&sup->page);
	arena_destroy(sup->arena);
	sockets_close_all(&sup->loop, sup->config, plan->config, NULL);
	config_free(sup->config);
}

static void put_in_force(struct supervisor *sup, struct plan *plan)
{
	sup->config = plan->config;
	sup->arena = plan->arena;
	sup->graph = plan->graph;
	sup->services = plan->services;
	sup->remaining = plan->remaining;
	sup->runnable = plan->runnable;
	sup->changed = plan->changed;
	sup->stack = plan->stack;
	sup->envp = plan->envp;
	sup->envp_size = plan->envp_size;
	sup->page = plan->page;
	sup->count = plan->count;
	sup->runnable_count = sup->changed_count = 0;
	sup->unready = sup->unsettled = 0;
	sup->output.name_width = 0;
	for (uint32_t i = 0; i < sup->count; i++) {
		size_t len = strlen(sup->services[i]->config->name);

		if (len > sup->output.name_width && len <= 24)
			sup->output.name_width = (uint32_t)len;
		if (sup->services[i]->config->internal)
			sup->link.slot = sup->services[i]->slot;
	}
}

static bool create_services(struct plan *plan)
{
	uint32_t i;

	for (i = 0; i < plan->count; i++) {
		if (plan->services[i])
			continue; /* goes on */
		plan->services[i] = service_create(plan_service_config(plan, i));
		if (!plan->services[i])
			break;
		plan->services[i]->fresh = true;
	}
	return i == plan->count;
}

static int give_back(struct supervisor *sup, struct plan *plan, int rc)
{
	for (uint32_t i = 0; i < plan->count && plan->services[i]; i++)
		if (plan->services[i]->fresh)
			service_destroy(sup, plan->services[i]);
	return rc;
}

int plan_install(struct supervisor *sup, struct plan *plan)
{
	int rc;

	if (!reserve(sup, plan))
		return -ENOMEM;
	if (!create_services(plan))
		return give_back(sup, plan, -ENOMEM);
	for (uint32_t i = 0; i < plan->count; i++)
		if (!plan->services[i]->fresh)
			adopt_record(sup, plan, plan->services[i], i);
	/* the last thing that may fail: a page that nobody finds must not be the one in force */
	rc = status_page_publish(&plan->page, sup->run_fd);
	if (rc < 0)
		return give_back(sup, plan, rc);
	for (uint32_t i = 0; i < plan->count; i++) {
		if (plan->services[i]->fresh)
			take_slot(sup, plan->services[i]);
		keep_service(plan->services[i], plan, i);
	}
	release_old(sup, plan);
	put_in_force(sup, plan);
	addresses_renew(sup);
	return 0;
}

int plan_create(struct supervisor *sup, struct config *config)
{
	struct plan plan;
	int rc = plan_build(&plan, sup, config);

	if (!rc)
		rc = plan_install(sup, &plan);
	if (rc)
		plan_discard(&plan);
	return rc;
}

void plan_destroy(struct supervisor *sup)
{
	for (uint32_t i = 0; i < sup->count; i++)
		service_destroy(sup, sup->services[i]);
	sup->count = 0;
	if (sup->page.map)
		status_page_retire(&sup->page);
	arena_destroy(sup->arena);
	sockets_close_all(&sup->loop, sup->config, NULL, NULL);
	sockets_close_all(&sup->loop, sup->pending, NULL, NULL);
	config_free(sup->config);
	config_free(sup->pending);
	durations_free(&sup->learned);
	free(sup->by_slot);
	free(sup->by_number);
	free(sup->children.table);
	free(sup->loop.heap);
}
