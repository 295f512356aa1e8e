/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "config.h"
#include "http.h"
#include "mem.h"

struct checker {
	struct loop *loop;
	struct resolver *resolver;
	struct http *http; /* NULL until the first HTTP check */
	unsigned running;
	unsigned most, most_to_one; /* at a time */
	struct check checks[CONNECTIONS_MAX];
};

struct loop *check_loop(const struct check *check)
{
	return check->checker->loop;
}

struct http *check_http(struct check *check)
{
	struct checker *checker = check->checker;

	if (!checker->http)
		checker->http = http_create(checker->loop, (long)checker->most);
	return checker->http;
}

bool checker_has_room(const struct checker *checker)
{
	return checker->running < checker->most;
}

bool checker_has_room_to(const struct checker *checker, const struct target *target)
{
	unsigned same = 0;

	for (unsigned i = 0; i < checker->most; i++) {
		const struct check *check = &checker->checks[i];

		if (check->phase != CHECK_FREE && target_same_host(&check->probe->target, target))
			same++;
	}
	return same < checker->most_to_one;
}

/* ---- the end ---- */

static void release(struct check *check)
{
	lookup_cancel(&check->lookup);
	if (check->phase == CHECK_CONNECT)
		tcp_cancel(check);
	else if (check->phase == CHECK_HTTP)
		http_cancel(check);
	if (check->fd >= 0)
		close(check->fd);
	check->fd = -1;
	loop_disarm(check->checker->loop, &check->timer);
	check->phase = CHECK_FREE;
	check->probe = NULL;
	check->checker->running--;
}

void check_cancel(struct check *check)
{
	release(check);
}

static void take_times(struct outcome *outcome, const struct check *check)
{
	for (unsigned step = 0; step < STEP_COUNT; step++)
		if (check->done[step])
			outcome->done[step] =
				(uint32_t)((check->done[step] - check->begin) / 1000 + 1);
}

void check_succeed(struct check *check, unsigned status, uint64_t at)
{
	struct outcome outcome = {
		.ok = true, .status = (uint16_t)status, .latency = at - check->begin};
	struct probe *probe = check->probe;

	take_times(&outcome, check);
	release(check);
	probe_done(probe, &outcome);
}

void check_fail(struct check *check, enum fault fault, enum step step, unsigned status,
		const char *format, ...)
{
	struct outcome outcome = {
		.fault = (uint8_t)fault, .step = (uint8_t)step, .status = (uint16_t)status};
	struct probe *probe = check->probe;
	va_list args;

	outcome.latency = clock_monotonic() - check->begin;
	va_start(args, format);
	vsnprintf(outcome.reason, sizeof(outcome.reason), format, args);
	va_end(args);
	take_times(&outcome, check);
	release(check);
	probe_done(probe, &outcome);
}

void check_time_out(struct check *check, enum step step)
{
	unsigned limit = check->probe->spec.timeout_ms;

	if (limit % 1000 == 0)
		check_fail(check, FAULT_TIMEOUT, step, 0, "timed out after %us (%s)", limit / 1000,
			   step_name(step));
	else
		check_fail(check, FAULT_TIMEOUT, step, 0, "timed out after %ums (%s)", limit,
			   step_name(step));
}

const char *check_error_text(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return "connection refused";
	case ECONNRESET:
	case EPIPE:
		return "connection reset";
	case EHOSTUNREACH:
		return "host unreachable";
	case ENETUNREACH:
		return "network unreachable";
	case ETIMEDOUT:
		return "timed out (connect)";
	case EADDRNOTAVAIL:
		return "no local address or port is free";
	case EMFILE:
	case ENFILE:
		return "too many open files here";
	default:
		return strerror(error);
	}
}

static void check_expired(void *data, uint64_t now)
{
	struct check *check = data;

	(void)now;
	if (check->phase == CHECK_HTTP)
		http_expire(check);
	else
		check_time_out(check, check->phase == CHECK_RESOLVE ? STEP_RESOLVE : STEP_CONNECT);
}

/* ---- the way there ---- */

void check_connected(struct check *check)
{
	check->probe->good = check->answer.list[check->attempt];
	check->done[STEP_CONNECT] = clock_monotonic();
	if (!check->probe->target.http) {
		check_succeed(check, 0, check->done[STEP_CONNECT]);
		return;
	}
	check->phase = CHECK_HTTP;
	check->direct = false;
	http_begin(check);
}

/* The address that worked last comes first. */
static void prefer_good(struct check *check)
{
	const union address *good = &check->probe->good;

	for (unsigned i = 1; i < check->answer.count; i++) {
		union address *address = &check->answer.list[i];

		if (memcmp(address, good, sizeof(*good)) == 0) {
			*address = check->answer.list[0];
			check->answer.list[0] = *good;
			return;
		}
	}
}

static void check_resolved(void *data, const struct answer *answer)
{
	struct check *check = data;
	struct probe *probe = check->probe;

	if (answer != &check->answer)
		check->answer = *answer;
	if (answer->error) {
		check_fail(check, FAULT_RESOLVE, STEP_RESOLVE, 0, "resolve: %s", answer->error);
		return;
	}
	check->done[STEP_RESOLVE] = clock_monotonic();
	probe->good_time = answer->time;
	for (unsigned i = 0; i < check->answer.count; i++)
		address_set_port(&check->answer.list[i], probe->target.port);
	prefer_good(check);
	if (probe->target.name_only) {
		probe->good = check->answer.list[0];
		check_succeed(check, 0, check->done[STEP_RESOLVE]);
		return;
	}
	/* it answered the last time; a connection of gRPC is never used again */
	if (probe->target.http && !probe->target.grpc && probe->last.status) {
		check->phase = CHECK_HTTP;
		check->direct = true;
		http_begin(check);
		return;
	}
	check->phase = CHECK_CONNECT;
	tcp_begin(check);
}

static struct check *free_check(struct checker *checker)
{
	struct check *check = checker->checks;

	while (check->phase != CHECK_FREE)
		check++;
	return check;
}

/* Why nothing can be connected to; NULL: nothing is known against it. */
static const char *objection(const struct probe *probe)
{
	if (!probe->usable)
		return "not a target that can be probed";
	if (probe->target.misspelt)
		return "resolve: an IPv4 address is written as four numbers";
	if (probe->target.numeric && address_is_refused(&probe->target.address))
		return "resolve: an address of a link or of metadata";
	return NULL;
}

void check_begin(struct checker *checker, struct probe *probe)
{
	struct check *check = free_check(checker);
	uint64_t now = clock_monotonic();
	const char *problem = objection(probe);

	checker->running++;
	check->probe = probe;
	probe->check = check;
	check->phase = CHECK_RESOLVE;
	check->begin = now;
	check->deadline = now + msec(probe->spec.timeout_ms);
	check->answer = (struct answer){.error = NULL};
	memset(check->done, 0, sizeof(check->done));
	if (problem) {
		check_fail(check, FAULT_RESOLVE, STEP_RESOLVE, 0, "%s", problem);
		return;
	}
	loop_arm(checker->loop, &check->timer, check->deadline);
	if (probe->target.numeric) {
		check->answer.count = 1;
		check->answer.list[0] = probe->target.address;
		check_resolved(check, &check->answer);
	} else if (lookup_begin(checker->resolver, &check->lookup, probe->target.host,
				&check->answer)) {
		check_resolved(check, &check->answer);
	}
}

struct checker *checker_create(struct loop *loop, struct resolver *resolver)
{
	struct checker *checker = mem_alloc(sizeof(*checker));

	checker->loop = loop;
	checker->resolver = resolver;
	checker->most = CONNECTIONS_DEFAULT;
	checker->most_to_one = CONNECTIONS_HOST_DEFAULT;
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
		struct check *check = &checker->checks[i];

		check->checker = checker;
		check->fd = -1;
		check->timer.call = check_expired;
		check->timer.data = check;
		check->lookup.call = check_resolved;
		check->lookup.data = check;
	}
	return checker;
}

void checker_limit(struct checker *checker, unsigned all, unsigned per_host)
{
	if (all)
		checker->most = all;
	if (per_host)
		checker->most_to_one = per_host;
}

void checker_destroy(struct checker *checker)
{
	for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
		http_exchange_free(checker->checks[i].exchange);
	if (checker->http)
		http_destroy(checker->http);
	free(checker);
}
