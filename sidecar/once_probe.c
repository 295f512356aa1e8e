/* SPDX-License-Identifier: MIT */
#include "once.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "endpoint.h"
#include "json_out.h"
#include "once_check.h"
#include "target.h"

#define TIMEOUT_MS 5000

static const uint8_t codes[FAULT_COUNT] = {
	[FAULT_RESOLVE] = ONCE_NOT_FOUND,
	[FAULT_CONNECT] = ONCE_UNREACHABLE,
	[FAULT_TLS] = ONCE_TLS,
	[FAULT_TIMEOUT] = ONCE_TIMED_OUT,
	[FAULT_RESPONSE] = ONCE_NO_ANSWER,
	[FAULT_STATUS] = ONCE_UNHEALTHY,
};

struct run {
	char target[URL_SHOWN]; /* as it may be shown */
	struct checks checks;
	int code;
};

static int code_of(const struct outcome *outcome)
{
	if (outcome->ok)
		return 0;
	return codes[outcome->fault] ? codes[outcome->fault] : ONCE_UNHEALTHY;
}

/* From the end of the last step that there was; 0: it was not made. */
static uint64_t step_ns(const struct outcome *outcome, unsigned step)
{
	uint32_t before = 0;

	for (unsigned i = STEP_NONE; i < step; i++)
		if (outcome->done[i])
			before = outcome->done[i];
	return outcome->done[step] ? (uint64_t)(outcome->done[step] - before) * 1000 : 0;
}

static void tell_json(const struct run *run, const struct probe *probe)
{
	const struct outcome *outcome = &probe->last;
	char address[ADDRESS_TEXT];
	struct json_out json;

	address_format(&probe->good, address);
	json_begin(&json, stdout, true);
	json_object_begin(&json, NULL);
	json_text(&json, "target", run->target);
	json_bool(&json, "ok", outcome->ok);
	json_text(&json, "reason", outcome->ok ? NULL : outcome->reason);
	json_text(&json, "phase", outcome->step ? step_name(outcome->step) : NULL);
	if (outcome->status)
		json_uint(&json, "status", outcome->status);
	else
		json_nothing(&json, "status");
	json_seconds(&json, "seconds", outcome->latency);
	json_object_begin(&json, "phases");
	for (unsigned step = STEP_NONE + 1; step < STEP_COUNT; step++)
		if (outcome->done[step])
			json_seconds(&json, step_name(step), step_ns(outcome, step));
	json_object_end(&json);
	json_text(&json, "address", probe->good.any.sa_family ? address : NULL);
	json_time(&json, "tls_expiry", (uint64_t)probe->tls_expiry * NSEC_PER_SEC);
	json_int(&json, "exit_code", run->code);
	json_object_end(&json);
	json_end(&json);
}

static void tell_text(const struct run *run, const struct probe *probe)
{
	const struct outcome *outcome = &probe->last;
	char address[ADDRESS_TEXT];

	if (!outcome->ok)
		printf("%s: %s\n", run->target, outcome->reason);
	else if (outcome->status)
		printf("%s: ok, status %u\n", run->target, outcome->status);
	else
		printf("%s: ok\n", run->target);
	for (unsigned step = STEP_NONE + 1; step < STEP_COUNT; step++) {
		if (outcome->done[step])
			printf("  %-10s %9.3f ms", step_name(step),
			       (double)step_ns(outcome, step) / 1e6);
		else if (step == outcome->step)
			printf("  %-10s    failed", step_name(step));
		else
			continue;
		address_format(&probe->good, address);
		printf(step == STEP_CONNECT && outcome->done[step] ? "  %s\n" : "\n", address);
	}
}

static void report(void *data, unsigned number, const struct probe *probe)
{
	struct run *run = data;

	(void)number;
	run->code = code_of(&probe->last);
	if (run->checks.options->json)
		tell_json(run, probe);
	else
		tell_text(run, probe);
	loop_stop(run->checks.loop, run->code);
}

int once_probe(const struct once_options *options)
{
	uint32_t timeout = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	struct run run = {
		.checks = {.options = options,
			   .report = report,
			   .period_ms = timeout,
			   .timeout_ms = timeout},
	};
	/* an address may have several places, each of which takes a timeout of its own */
	bool address = strncmp(options->words[0], "address:", 8) == 0;
	int code;

	url_mask(run.target, sizeof(run.target), options->words[0]);
	run.checks.data = &run;
	code = checks_run(&run.checks, options->words, 1, address ? timeout : 0);
	if (code == ONCE_TIMED_OUT && run.code != code)
		printf("%s: not known after %.3g s\n", run.target, timeout / 1000.0);
	return fflush(stdout) == 0 ? code : ONCE_FAULT;
}
