/* SPDX-License-Identifier: MIT */
#include "once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "endpoint.h"
#include "log.h"
#include "once_check.h"
#include "text.h"

#define SIDECAR    "http://127.0.0.1:9180"
#define TIMEOUT_MS 5000

struct run {
	struct checks checks;
	struct text body;
	const char *url;
};

/* What a sidecar says is text; what answers at its place may be anything. */
static void put_body(const struct text *body)
{
	for (size_t i = 0; i < body->len; i++) {
		unsigned char byte = (unsigned char)body->data[i];

		putchar(byte == '\n' || (byte >= ' ' && byte != 0x7f) ? byte : '?');
	}
	if (body->len && body->data[body->len - 1] != '\n')
		putchar('\n');
}

static void report(void *data, unsigned number, const struct probe *probe)
{
	struct run *run = data;
	char shown[URL_SHOWN];

	(void)number;
	put_body(&run->body);
	if (!probe->last.ok && !run->body.len)
		log_error("%s: %s", url_mask(shown, sizeof(shown), run->url), probe->last.reason);
	loop_stop(run->checks.loop, probe->last.ok ? 0 : ONCE_UNHEALTHY);
}

/* A URL with a path is taken as it is. */
static void write_url(char url[1024], const struct once_options *options)
{
	const char *base = options->word_count ? options->words[0] : SIDECAR;
	const char *scheme = strstr(base, "://") ? "" : "http://";
	const char *host = strstr(base, "://") ? strstr(base, "://") + 3 : base;
	size_t len = strcspn(host, "/");

	if (host[len] && host[len + 1])
		snprintf(url, 1024, "%s%s", scheme, base);
	else
		snprintf(url, 1024, "%s%.*s/%s", scheme, (int)(host - base + (ptrdiff_t)len), base,
			 options->question ? options->question : "readyz");
}

/* Docker knows 0 and 1, and keeps what was printed. */
int once_health(const struct once_options *options)
{
	uint32_t timeout = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
	char url[1024];
	struct run run = {
		.checks = {.options = options,
			   .report = report,
			   .period_ms = timeout,
			   .timeout_ms = timeout},
		.url = url,
	};
	const char *target = url;
	int code;

	write_url(url, options);
	if (strncmp(url, "http", 4) != 0 || strlen(url) > 1000) {
		log_error("\"%s\": expected http://host:port of a sidecar",
			  url_mask(url, sizeof(url), options->words[0]));
		return ONCE_USAGE;
	}
	run.checks.data = &run;
	run.checks.body = &run.body;
	code = checks_run(&run.checks, &target, 1, 0);
	free(run.body.data);
	return fflush(stdout) == 0 ? code : ONCE_UNHEALTHY;
}
