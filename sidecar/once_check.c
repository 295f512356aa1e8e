/* SPDX-License-Identifier: MIT */
#include "once_check.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "clock.h"
#include "config.h"
#include "endpoint.h"
#include "live.h"
#include "log.h"
#include "resolve.h"
#include "states.h"
#include "target.h"

#define ADDRESS "address:"

static bool is_address(const char *target)
{
	return strncmp(target, ADDRESS, strlen(ADDRESS)) == 0;
}

/* HOST:PORT is short for tcp://HOST:PORT; without a host it is this machine, as in muster.ini.
 * False, said: it is nothing that can be checked. */
static bool write_url(char url[1024], const char *text)
{
	const char *scheme = strstr(text, "://");
	const char *rest = scheme ? scheme + 3 : text;
	struct target target;

	snprintf(url, 1024, "%.*s%s%s", scheme ? (int)(rest - text) : 6, scheme ? text : "tcp://",
		 *rest == ':' ? "127.0.0.1" : "", rest);
	if (strlen(text) < 1000 && strncmp(url, "dns:", 4) != 0 && target_parse(&target, url)) {
		target_free(&target);
		return true;
	}
	log_error("\"%s\": expected tcp://host:port or host:port, http://..., https://..., "
		  "grpc://host:port/SERVICE, or address:NAME",
		  url_mask(url, 1024, text));
	return false;
}

static int open_config(struct checks *checks, const char *const *targets, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const char *name = targets[i] + strlen(ADDRESS);

		if (!is_address(targets[i]))
			continue;
		if (!checks->config)
			checks->config = once_read_config(checks->options);
		if (!checks->config)
			return ONCE_CONFIG;
		if (!address_find(checks->config->addresses, name)) {
			log_error("there is no [address:%s] in the configuration", name);
			return ONCE_NOT_FOUND;
		}
	}
	return 0;
}

static bool tell(void *data, struct probe *probe)
{
	struct checks *checks = data;

	checks->report(checks->data, probe->spec.slot, probe);
	return true;
}

static int watch(struct checks *checks, unsigned number, const char *target)
{
	struct probe_spec spec = {
		.serial = number + 1,
		.slot = (uint16_t)number,
		.service = (uint16_t)number,
		.role = ROLE_READINESS,
		.period_ms = checks->period_ms,
		.timeout_ms = checks->timeout_ms,
		.success_threshold = 1,
		.failure_threshold = 1,
		.body = checks->body,
	};
	char url[1024];

	if (is_address(target)) {
		live_watch(checks->live, &spec, target + strlen(ADDRESS), tell, checks);
		return 0;
	}
	if (!write_url(url, target))
		return ONCE_USAGE;
	prober_watch(checks->prober, &spec, url);
	return 0;
}

static void time_is_over(void *data, uint64_t now)
{
	struct checks *checks = data;

	(void)now;
	loop_stop(checks->loop, ONCE_TIMED_OUT);
}

static int run(struct checks *checks, const char *const *targets, unsigned count, uint32_t limit_ms)
{
	struct loop_timer timer = {.call = time_is_over, .data = checks};
	int code = 0;

	if (checks->config)
		live_set_book(checks->live, checks->config->addresses, 1, true);
	for (unsigned i = 0; i < count && !code; i++)
		code = watch(checks, i, targets[i]);
	if (code)
		return code;
	if (limit_ms)
		loop_arm(checks->loop, &timer, clock_monotonic() + msec(limit_ms));
	code = loop_run(checks->loop);
	loop_disarm(checks->loop, &timer);
	return code;
}

int checks_run(struct checks *checks, const char *const *targets, unsigned count, uint32_t limit_ms)
{
	int code = open_config(checks, targets, count);
	void (*old)(int) = signal(SIGPIPE, SIG_IGN); /* libcurl leaves it to us */

	checks->loop = code ? NULL : loop_create();
	if (checks->loop) {
		checks->resolver = resolver_create(checks->loop);
		checks->prober = prober_create(checks->loop, checks->resolver, tell, checks);
		checks->live =
			live_create(checks->loop, checks->resolver, checks->prober, NULL, NULL);
		code = run(checks, targets, count, limit_ms);
		live_destroy(checks->live);
		prober_destroy(checks->prober);
		resolver_destroy(checks->resolver);
		loop_destroy(checks->loop);
	} else if (!code) {
		log_error("cannot make an event loop");
		code = ONCE_FAULT;
	}
	config_free(checks->config);
	signal(SIGPIPE, old);
	return code;
}
