/* SPDX-License-Identifier: MIT */
#include "local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "feed.h"
#include "live.h"
#include "log.h"
#include "loop.h"
#include "mem.h"
#include "peers.h"
#include "probe.h"
#include "status.h"

#define NO_RECORD UINT16_MAX

struct local {
	struct loop *loop;
	const struct config *config;
	struct feed *feed;
	struct status_page page;
	uint32_t count;         /* records */
	uint16_t *config_of;    /* per record: index in the configuration */
	uint16_t *record_of;    /* per service of the configuration: its record, or NO_RECORD */
	struct loop_timer late; /* start_timeout */
};

/* ---- what is to be done ---- */

/* The configuration sees to it that an external service has a readiness probe. */
static const struct probe_config *probe_of(const struct service_config *service)
{
	return service->probes[ROLE_READINESS];
}

static bool is_served(const struct service_config *service)
{
	return service->type == TYPE_EXTERNAL && !service->internal && probe_of(service);
}

/* Nobody is here to restart a service, nor to wait with its other probes. */
static void tell_idle_probes(const struct service_config *service)
{
	for (unsigned role = 0; role < ROLE_COUNT; role++)
		if (role != ROLE_READINESS && service->probes[role])
			log_warning("[service:%s] %s_probe: without muster-init it is not made",
				    service->name, role_name(role));
}

bool local_check(const struct config *config)
{
	bool good = true;

	for (uint32_t i = 0; i < config->count; i++) {
		const struct service_config *service = &config->services[i];

		if (service->internal)
			continue;
		if (!is_served(service)) {
			log_warning("[service:%s] is of type %s: without muster-init nobody starts "
				    "it, it is left out",
				    service->name, type_name(service->type));
		} else if (!probe_is_network(probe_of(service))) {
			log_error("[service:%s] readiness_probe: kind %s needs muster-init; alone, "
				  "muster-sidecar probes tcp://, http(s):// and grpc(s)://",
				  service->name, probe_kind_name(probe_of(service)->kind));
			good = false;
		} else if (probe_of(service)->next) {
			log_error("[service:%s] readiness_probe: several probes need muster-init; "
				  "alone, muster-sidecar makes one for each service",
				  service->name);
			good = false;
		} else {
			tell_idle_probes(service);
		}
	}
	return good;
}

static void number_services(struct local *local)
{
	const struct config *config = local->config;

	local->config_of = mem_resize(NULL, config->count, sizeof(*local->config_of));
	local->record_of = mem_resize(NULL, config->count, sizeof(*local->record_of));
	for (uint32_t i = 0; i < config->count; i++) {
		local->record_of[i] = NO_RECORD;
		if (is_served(&config->services[i])) {
			local->record_of[i] = (uint16_t)local->count;
			local->config_of[local->count++] = (uint16_t)i;
		}
	}
}

static const struct service_config *service_of(const struct local *local, uint32_t record)
{
	return &local->config->services[local->config_of[record]];
}

/* Writes the edges between services that are served, or only counts them when `edges` is NULL. */
static uint32_t collect_edges(const struct local *local, struct status_edge *edges)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < local->count; i++) {
		const struct service_config *service = service_of(local, i);

		for (uint16_t d = 0; d < service->dep_count; d++) {
			const struct dep_config *dep = &service->deps[d];

			if (local->record_of[dep->service] == NO_RECORD)
				continue;
			if (edges)
				edges[count] = (struct status_edge){
					.from = (uint16_t)i,
					.to = local->record_of[dep->service],
					.condition = dep->condition,
					.optional = dep->optional,
					.restart = dep->restart,
				};
			count++;
		}
	}
	return count;
}

/* ---- the page ---- */

/* This program writes the page and reads it in the same thread: no copy is needed. */
static const struct status_header *header_of(const struct local *local)
{
	return local->page.map;
}

static const struct status_record *record_at(const struct local *local, uint32_t index)
{
	const char *first = (const char *)local->page.map + sizeof(struct status_header);

	return (const struct status_record *)(const void *)first + index;
}

static bool record_is_ready(const struct local *local, uint32_t index)
{
	return state_is_ready(record_at(local, index)->state);
}

static void write_header(struct local *local)
{
	struct status_header *header = status_header_begin(&local->page);

	header->pid = getpid();
	header->phase = PHASE_STARTING;
	header->boot = clock_monotonic();
	header->boot_realtime = clock_realtime();
	snprintf(header->host, sizeof(header->host), "%s", local->config->name);
	snprintf(header->mode, sizeof(header->mode), "%s", mode_name(local->config->mode));
	status_header_end(&local->page);
}

static void write_record(struct local *local, uint32_t index)
{
	const struct service_config *service = service_of(local, index);
	struct status_record *record = status_record_begin(&local->page, index);
	uint64_t now = header_of(local)->boot;
	record->type = TYPE_EXTERNAL;
	record->flags = STATUS_WANTED | STATUS_AUTO;
	if (service->essential)
		record->flags |= STATUS_ESSENTIAL;
	record->probe = probe_of(service)->kind;
	record->probes = 1;
	record->state = STATE_STARTING;
	record->last_exit = -1;
	record->since = record->wait_begin = record->start_begin = now;
	snprintf(record->name, sizeof(record->name), "%s", service->name);
	status_record_end(&local->page, index);
}

/* The first of its dependencies that is not ready; NO_RECORD: all are. */
static uint16_t cause_of(const struct local *local, uint32_t index)
{
	const struct status_header *header = header_of(local);
	const char *base = local->page.map;
	const struct status_edge *edges = (const void *)(base + header->edge_offset);

	for (uint32_t i = 0; i < header->edge_count; i++)
		if (edges[i].from == index && !edges[i].optional &&
		    !record_is_ready(local, edges[i].to))
			return edges[i].to;
	return NO_RECORD;
}

/* Says of each service that is not ready whether another one is the cause. */
static void update_causes(struct local *local)
{
	for (uint32_t i = 0; i < local->count; i++) {
		const struct status_record *old = record_at(local, i);
		uint16_t cause = record_is_ready(local, i) ? NO_RECORD : cause_of(local, i);
		bool had = old->flags & STATUS_DEP_CAUSE;
		struct status_record *record;

		if (had == (cause != NO_RECORD) && (!had || old->cause == cause))
			continue;
		record = status_record_begin(&local->page, i);
		record->flags &= (uint8_t)~STATUS_DEP_CAUSE;
		if (cause != NO_RECORD)
			record->flags |= STATUS_DEP_CAUSE;
		record->cause = cause == NO_RECORD ? 0 : cause;
		status_record_end(&local->page, i);
	}
}

static bool all_ready(const struct local *local)
{
	for (uint32_t i = 0; i < local->count; i++)
		if (!record_is_ready(local, i))
			return false;
	return true;
}

static void set_phase(struct local *local, enum system_phase phase)
{
	struct status_header *header;

	if (header_of(local)->phase == phase)
		return;
	header = status_header_begin(&local->page);
	header->phase = (uint8_t)phase;
	if (!header->startup_done)
		header->startup_done = clock_monotonic();
	status_header_end(&local->page);
	feed_publish_phase(local->feed, phase, clock_realtime());
	loop_disarm(local->loop, &local->late);
}

static void update_phase(struct local *local)
{
	if (all_ready(local))
		set_phase(local, PHASE_READY);
	else if (header_of(local)->startup_done)
		set_phase(local, PHASE_DEGRADED);
}

static void start_is_late(void *data, uint64_t now)
{
	(void)now;
	set_phase(data, PHASE_DEGRADED);
}

/* ---- outcomes ---- */

/* The state that follows: towards ready at success_threshold, away from it at failure_threshold. */
static uint8_t next_state(const struct status_record *record, const struct probe *probe,
			  uint32_t failures)
{
	if (probe->last.ok)
		return probe->streak >= probe->spec.success_threshold ? STATE_READY : record->state;
	if (record->state == STATE_READY && failures >= probe->spec.failure_threshold)
		return STATE_UNHEALTHY;
	return record->state;
}

bool local_report(void *data, struct probe *probe)
{
	struct local *local = data;
	uint32_t index = probe->spec.service;
	const struct status_record *old = record_at(local, index);
	uint32_t failures = probe->last.ok ? 0 : old->failures + 1;
	uint8_t state = next_state(old, probe, failures);
	struct status_record *record;
	bool changed;

	if (state == old->state && !failures && !old->failures)
		return true;
	record = status_record_begin(&local->page, index);
	record->failures = failures;
	snprintf(record->reason, sizeof(record->reason), "%s", probe->last.reason);
	changed = state != record->state;
	if (changed) {
		record->state = state;
		record->passed = state == STATE_READY;
		record->since = clock_monotonic();
		if (state == STATE_READY && !record->ready_at)
			record->ready_at = record->since;
	}
	status_record_end(&local->page, index);
	if (changed) {
		feed_publish_state(local->feed, record->name, state, record->reason,
				   clock_realtime());
		update_causes(local);
		update_phase(local);
	}
	return true;
}

/* ---- life ---- */

struct local *local_create(struct loop *loop, const struct config *config, struct feed *feed)
{
	struct local *local = mem_alloc(sizeof(*local));

	local->loop = loop;
	local->config = config;
	local->feed = feed;
	local->late.call = start_is_late;
	local->late.data = local;
	number_services(local);
	if (status_page_create(&local->page, -1, local->count, collect_edges(local, NULL)) < 0) {
		log_error("out of memory");
		exit(70);
	}
	collect_edges(local, status_edges(&local->page));
	write_header(local);
	for (uint32_t i = 0; i < local->count; i++)
		write_record(local, i);
	update_causes(local);
	return local;
}

void local_start(struct local *local, struct prober *prober, struct live *live, struct peers *peers)
{
	for (uint32_t i = 0; i < local->count; i++) {
		struct probe_spec spec = {
			.slot = (uint16_t)i, .service = (uint16_t)i, .role = ROLE_READINESS};
		const struct probe_config *probe = probe_of(service_of(local, i));

		snprintf(spec.name, sizeof(spec.name), "%s", service_of(local, i)->name);
		spec.kind = probe->kind;
		spec.period_ms = probe->period;
		spec.timeout_ms = probe->timeout;
		spec.initial_delay_ms = probe->initial_delay;
		spec.success_threshold = probe->success_threshold;
		spec.failure_threshold = probe->failure_threshold;
		if (strncmp(probe->target, ADDRESS_PREFIX, strlen(ADDRESS_PREFIX)) == 0)
			live_watch(live, &spec, probe->target + strlen(ADDRESS_PREFIX),
				   local_report, local);
		else if (strncmp(probe->target, PEER_PREFIX, strlen(PEER_PREFIX)) == 0)
			peers_watch(peers, &spec, probe->target + strlen(PEER_PREFIX), local_report,
				    local);
		else
			prober_watch(prober, &spec, probe->target);
	}
	if (local->config->start_timeout)
		loop_arm(local->loop, &local->late,
			 clock_monotonic() + msec(local->config->start_timeout));
	update_phase(local);
}

const struct status_page *local_page(const struct local *local)
{
	return &local->page;
}

void local_destroy(struct local *local)
{
	loop_disarm(local->loop, &local->late);
	status_page_close(&local->page);
	free(local->config_of);
	free(local->record_of);
	free(local);
}
