/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "check.h"
#include "clock.h"
#include "mem.h"
#include "pace.h"
#include "states.h"
#include "tally.h"

#define DELAY_LEAST msec(5)
#define DELAY_SHARE 16 /* of the time it has been watched so far */

struct probe_list {
	struct probe *first, *last;
};

struct prober {
	struct loop *loop;
	struct checker *checker;
	struct pace *pace;     /* NULL: nothing is stretched */
	struct prober *beside; /* the other one that shares the checker */
	bool owns_checker;
	probe_report *report;
	void *data;
	struct probe **slots;
	uint32_t slot_count;
	struct probe_list queue; /* due, the longest waiting first */
	struct probe_list held;
	struct tallies tallies;
	bool filling;
	uint64_t random;
	uint32_t changes;
};

static const char fault_names[FAULT_COUNT][10] = {
	[FAULT_NONE] = "none",     [FAULT_RESOLVE] = "resolve", [FAULT_CONNECT] = "connect",
	[FAULT_TLS] = "tls",       [FAULT_TIMEOUT] = "timeout", [FAULT_RESPONSE] = "response",
	[FAULT_STATUS] = "status",
};

const char *fault_name(unsigned fault)
{
	return fault < FAULT_COUNT ? fault_names[fault] : "?";
}

static const char step_names[STEP_COUNT][12] = {
	[STEP_NONE] = "none", [STEP_RESOLVE] = "resolve",       [STEP_CONNECT] = "connect",
	[STEP_TLS] = "tls",   [STEP_FIRST_BYTE] = "first byte", [STEP_STATUS] = "status",
	[STEP_BODY] = "body",
};

const char *step_name(unsigned step)
{
	return step < STEP_COUNT ? step_names[step] : "?";
}

/* ---- lists ---- */

static void list_add(struct probe_list *list, struct probe *probe)
{
	probe->next = NULL;
	probe->previous = list->last;
	if (list->last)
		list->last->next = probe;
	else
		list->first = probe;
	list->last = probe;
}

static void list_remove(struct probe_list *list, struct probe *probe)
{
	if (probe->previous)
		probe->previous->next = probe->next;
	else
		list->first = probe->next;
	if (probe->next)
		probe->next->previous = probe->previous;
	else
		list->last = probe->previous;
	probe->next = probe->previous = NULL;
}

/* ---- when ---- */

static uint64_t random_below(struct prober *prober, uint64_t limit)
{
	prober->random ^= prober->random << 13;
	prober->random ^= prober->random >> 7;
	prober->random ^= prober->random << 17;
	return prober->random % limit;
}

/* A service that fails is not seen to fail any later for that: init counts failures, and they come
 * at the period that was configured. */
static double stretch_of(const struct probe *probe, uint64_t now)
{
	bool waits =
		probe->settled && probe->last.ok && probe->streak >= probe->spec.success_threshold;

	return waits && probe->prober->pace ? pace_ask(probe->prober->pace, now).stretch : 1;
}

/* A stretched period, give or take a tenth, and never more than PACE_MOST periods. */
static uint64_t period_about(struct probe *probe, uint64_t period, double stretch)
{
	uint64_t middle = (uint64_t)((double)period * stretch);
	uint64_t least = middle - middle / 10, most = middle + middle / 10;

	if (stretch > 1 && most > (uint64_t)PACE_MOST * period)
		most = (uint64_t)PACE_MOST * period;
	return least + random_below(probe->prober, most - least + 1);
}

/* When the next check is due, `now` being the end of the last one. */
static uint64_t next_time(struct probe *probe, uint64_t now)
{
	uint64_t period = msec(probe->spec.period_ms);
	uint64_t delay;

	if (period < DELAY_LEAST)
		period = DELAY_LEAST;
	/* a liveness probe has no fast start: its failures count against the service */
	if (probe->settled || probe->spec.role == ROLE_LIVENESS) {
		delay = period_about(probe, period, stretch_of(probe, now));
		return probe->check_time + delay > now + DELAY_LEAST ? probe->check_time + delay
								     : now + DELAY_LEAST;
	}
	delay = (now - probe->begin) / DELAY_SHARE;
	if (delay < DELAY_LEAST)
		delay = DELAY_LEAST;
	return now + (delay < period ? delay : period);
}

static void sleep_until(struct probe *probe, uint64_t at)
{
	probe->stage = PROBE_SLEEPING;
	loop_arm(probe->prober->loop, &probe->timer, at);
}

/* ---- checks ---- */

/* Begins what is due, as far as there is room. A check may end before check_begin returns. */
static void fill(struct prober *prober)
{
	struct probe *probe, *next;

	if (prober->filling)
		return;
	prober->filling = true;
	for (probe = prober->queue.first; probe && checker_has_room(prober->checker);
	     probe = next) {
		next = probe->next;
		if (probe->usable && !checker_has_room_to(prober->checker, &probe->target))
			continue;
		list_remove(&prober->queue, probe);
		probe->stage = PROBE_RUNNING;
		probe->check_time = clock_monotonic();
		if (prober->pace)
			pace_count_check(prober->pace);
		check_begin(prober->checker, probe);
	}
	prober->filling = false;
}

/* A check has ended: there is room for those who wait. */
static void fill_all(struct prober *prober)
{
	fill(prober);
	if (prober->beside)
		fill(prober->beside);
}

static void probe_due(void *data, uint64_t now)
{
	struct probe *probe = data;

	(void)now;
	probe->stage = PROBE_QUEUED;
	list_add(&probe->prober->queue, probe);
	fill(probe->prober);
}

static void remember(struct probe *probe, const struct outcome *outcome)
{
	struct failures *failures = probe->failures;
	struct failure *failure;

	if (!failures)
		probe->failures = failures = mem_alloc(sizeof(*failures));
	failure = &failures->list[(failures->total - 1) % FAILURES_KEPT];
	if (probe->streak || !failures->total || failure->step != outcome->step ||
	    strcmp(failure->reason, outcome->reason) != 0) {
		failure = &failures->list[failures->total++ % FAILURES_KEPT];
		*failure = (struct failure){.first = clock_realtime(), .step = outcome->step};
		memcpy(failure->reason, outcome->reason, sizeof(failure->reason));
	}
	failure->last = clock_realtime();
	failure->count++;
}

static void count(struct probe *probe, const struct outcome *outcome)
{
	tally_count(probe->tally, &probe->spec, &probe->last, outcome);
	probe->prober->changes++;
	probe->last = *outcome;
	probe->last_time = clock_monotonic();
	if (!outcome->ok) {
		remember(probe, outcome);
		probe->streak = 0;
		return;
	}
	if (probe->streak <= probe->spec.success_threshold)
		probe->streak++;
	if (probe->streak >= probe->spec.success_threshold)
		probe->settled = true;
}

static void hand_over(struct probe *probe)
{
	struct prober *prober = probe->prober;

	if (prober->report(prober->data, probe)) {
		sleep_until(probe, next_time(probe, probe->last_time));
		return;
	}
	probe->stage = PROBE_HELD;
	list_add(&prober->held, probe);
}

void probe_saw_certificate(struct probe *probe, int64_t expiry)
{
	tally_certificate(probe->tally, probe->tls_expiry, expiry);
	probe->tls_expiry = expiry;
}

void probe_done(struct probe *probe, const struct outcome *outcome)
{
	struct prober *prober = probe->prober;

	probe->check = NULL;
	count(probe, outcome);
	hand_over(probe);
	fill_all(prober);
}

void prober_resume(struct prober *prober)
{
	struct probe *last = prober->held.last;
	struct probe *probe;

	while ((probe = prober->held.first)) {
		list_remove(&prober->held, probe);
		hand_over(probe);
		if (probe == last || probe->stage == PROBE_HELD)
			break;
	}
}

/* ---- which ---- */

static void end(struct probe *probe)
{
	struct prober *prober = probe->prober;

	prober->changes++;
	if (probe->stage == PROBE_QUEUED)
		list_remove(&prober->queue, probe);
	else if (probe->stage == PROBE_HELD)
		list_remove(&prober->held, probe);
	else if (probe->stage == PROBE_RUNNING)
		check_cancel(probe->check);
	loop_disarm(prober->loop, &probe->timer);
	tally_end(probe->tally, &probe->last);
	if (probe->usable)
		target_free(&probe->target);
	prober->slots[probe->spec.slot] = NULL;
	free(probe->failures);
	free(probe);
}

static void slots_grow(struct prober *prober, uint32_t slot)
{
	uint32_t count = (slot + 64) & ~63u;

	if (slot < prober->slot_count)
		return;
	prober->slots = mem_resize(prober->slots, count, sizeof(*prober->slots));
	for (uint32_t i = prober->slot_count; i < count; i++)
		prober->slots[i] = NULL;
	prober->slot_count = count;
}

void prober_watch(struct prober *prober, const struct probe_spec *spec, const char *url)
{
	struct probe *probe = mem_alloc(sizeof(*probe));

	slots_grow(prober, spec->slot);
	if (prober->slots[spec->slot])
		end(prober->slots[spec->slot]);
	prober->slots[spec->slot] = probe;
	prober->changes++;
	probe->prober = prober;
	probe->spec = *spec;
	probe->tally = tally_begin(&prober->tallies, spec);
	probe->usable = target_parse(&probe->target, url);
	probe->timer.call = probe_due;
	probe->timer.data = probe;
	probe->begin = clock_monotonic() + msec(spec->initial_delay_ms);
	sleep_until(probe, probe->begin);
}

void prober_drop(struct prober *prober, uint16_t slot, uint32_t serial)
{
	struct probe *probe = slot < prober->slot_count ? prober->slots[slot] : NULL;

	if (!probe || probe->spec.serial != serial)
		return;
	end(probe);
	fill_all(prober); /* its check may have made room */
}

void prober_drop_all(struct prober *prober)
{
	for (uint32_t slot = 0; slot < prober->slot_count; slot++)
		if (prober->slots[slot])
			end(prober->slots[slot]);
	fill_all(prober);
}

uint32_t prober_changes(const struct prober *prober)
{
	return prober->changes;
}

const struct probe *prober_next(const struct prober *prober, const struct probe *probe)
{
	uint32_t slot = probe ? probe->spec.slot + 1u : 0;

	while (slot < prober->slot_count && !prober->slots[slot])
		slot++;
	return slot < prober->slot_count ? prober->slots[slot] : NULL;
}

/* One that was never done is the successor of one that a sidecar before this one did. */
static bool is_behind(const struct probe *probe, uint64_t since)
{
	if (!probe->last_time)
		return probe->begin <= clock_monotonic();
	return probe->last_time < since && probe->check_time + msec(probe->spec.period_ms) < since;
}

bool prober_is_behind(const struct prober *prober, uint32_t service, uint64_t since)
{
	const struct probe *probe = NULL;

	while ((probe = prober_next(prober, probe)))
		if (probe->spec.service == service && probe->spec.role == ROLE_READINESS &&
		    is_behind(probe, since))
			return true;
	return false;
}

struct tallies *prober_tallies(struct prober *prober)
{
	return &prober->tallies;
}

static bool any(const void *data, const char *name)
{
	(void)data;
	(void)name;
	return true;
}

struct prober *prober_create(struct loop *loop, struct resolver *resolver, probe_report *report,
			     void *data)
{
	struct prober *prober = mem_alloc(sizeof(*prober));

	prober->loop = loop;
	prober->checker = checker_create(loop, resolver);
	prober->owns_checker = true;
	prober->report = report;
	prober->data = data;
	if (getrandom(&prober->random, sizeof(prober->random), GRND_NONBLOCK) < 0 ||
	    !prober->random)
		prober->random = clock_realtime() | 1;
	return prober;
}

void prober_limit(struct prober *prober, unsigned all, unsigned per_host)
{
	checker_limit(prober->checker, all, per_host);
}

struct prober *prober_create_beside(struct prober *other, probe_report *report, void *data)
{
	struct prober *prober = mem_alloc(sizeof(*prober));

	prober->loop = other->loop;
	prober->checker = other->checker;
	prober->beside = other;
	other->beside = prober;
	prober->report = report;
	prober->data = data;
	prober->random = other->random ^ clock_monotonic();
	return prober;
}

void prober_set_pace(struct prober *prober, struct pace *pace)
{
	prober->pace = pace;
	if (prober->beside)
		prober->beside->pace = pace;
}

void prober_destroy(struct prober *prober)
{
	for (uint32_t slot = 0; slot < prober->slot_count; slot++)
		if (prober->slots[slot])
			end(prober->slots[slot]);
	tallies_forget(&prober->tallies, any, NULL);
	if (prober->beside)
		prober->beside->beside = NULL;
	if (prober->owns_checker)
		checker_destroy(prober->checker);
	free(prober->slots);
	free(prober);
}
