/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "facts.h"
#include "probe.h"
#include "sidecar.h"
#include "str.h"
#include "values.h"
#include "version.h"

/* page.html, as it lies beside this file; paths are those of the directory that make runs in. */
__asm__(".pushsection .rodata\n"
	".global page_template\n"
	"page_template:\n"
	".incbin \"sidecar/page.html\"\n"
	".byte 0\n"
	".popsection\n");
extern const char page_template[];

struct page {
	struct text *out;
	const struct sidecar *sidecar;
	const struct view *view;
	char nonce[33];
};

/* ---- what stands in the table ---- */

static const char *state_class(unsigned state)
{
	switch ((enum service_state)state) {
	case STATE_RUNNING:
	case STATE_READY:
	case STATE_COMPLETED:
		return "good";
	case STATE_WAITING:
	case STATE_STARTING:
	case STATE_STOPPING:
	case STATE_BACKOFF:
		return "wait";
	case STATE_UNHEALTHY:
	case STATE_FAILED:
		return "bad";
	case STATE_INACTIVE:
	case STATE_COUNT:
		break;
	}
	return "none";
}

static const char *phase_class(unsigned phase)
{
	static const char classes[PHASE_COUNT][6] = {
		[PHASE_STARTING] = "wait", [PHASE_READY] = "good",    [PHASE_DEGRADED] = "bad",
		[PHASE_DRAINING] = "wait", [PHASE_STOPPING] = "wait",
	};

	return phase < PHASE_COUNT ? classes[phase] : "none";
}

/* Whole seconds, as people say them: 12s, 2m05s, 3h04m, 5d06h. The script does the same. */
static void put_age(struct text *out, uint64_t ns)
{
	char buffer[24];

	if (ns < 60 * NSEC_PER_SEC)
		text_add(out, "%us", (unsigned)(ns / NSEC_PER_SEC));
	else
		text_put(out, format_duration(buffer, sizeof(buffer), ns));
}

static void put_row(struct page *page, uint32_t index, const struct probe *probe)
{
	const struct status_record *record = &page->view->records[index];
	struct text *out = page->out;
	char buffer[VIEW_WHY];

	text_put(out, "<tr><td><span>");
	text_put_html(out, record->name);
	text_add(out, "</span><small>%s</small><td class=\"state %s\">%s<td class=\"number\">",
		 record->flags & STATUS_ESSENTIAL ? "" : " optional", state_class(record->state),
		 state_name(record->state));
	if (record->since)
		put_age(out, page->view->now - record->since);
	text_put(out, "<td class=\"number less\">");
	if (record->start_begin && record->ready_at >= record->start_begin)
		text_put(out, format_duration(buffer, sizeof(buffer),
					      record->ready_at - record->start_begin));
	text_put(out, "<td class=\"number less\">");
	if (record->pid > 0)
		text_add(out, "%d", record->pid);
	text_add(out, "<td class=\"number less\">%u<td class=\"number less\">", record->restarts);
	if (probe && probe->last.ok)
		text_add(out, "%.1fms", (double)probe->last.latency / (double)NSEC_PER_MSEC);
	text_put(out, "<td class=\"why\">");
	if (!view_is_ready(page->view, index) &&
	    (record->state != STATE_INACTIVE || record->reason[0]))
		text_put_html(out, view_why(page->view, index, buffer));
	text_put(out, "</tr>\n");
}

/* ---- what stands in {{...}} ---- */

static void put_rows(struct page *page)
{
	const struct view *view = page->view;
	const struct probe **probes = facts_probes(page->sidecar->prober, view);

	for (uint32_t i = 0; view->present && i < view->header.record_count; i++)
		if (view_is_shown(view, i))
			put_row(page, i, probes[i]);
	free(probes);
}

static void put_host(struct page *page)
{
	text_put_html(page->out, sidecar_host(page->sidecar, page->view));
}

static void put_phase(struct page *page)
{
	text_put(page->out,
		 page->view->present ? phase_name(page->view->header.phase) : "no status page");
}

/* Degraded is half as bad when all that is essential is ready. */
static void put_phase_class(struct page *page)
{
	const struct view *view = page->view;

	if (!view->present)
		text_put(page->out, "bad");
	else if (view->header.phase == PHASE_DEGRADED && view_all_ready(view))
		text_put(page->out, "wait");
	else
		text_put(page->out, phase_class(view->header.phase));
}

static void put_facts(struct page *page)
{
	const struct view *view = page->view;
	unsigned shown = 0, ready = 0;

	if (!view->present)
		return;
	for (uint32_t i = 0; i < view->header.record_count; i++) {
		shown += view_is_shown(view, i);
		ready += view_is_shown(view, i) && view_is_ready(view, i);
	}
	text_add(page->out, "%u of %u ready · up ", ready, shown);
	put_age(page->out, view->now - view->header.boot);
	text_put(page->out, " · ");
	text_put_html(page->out, view->header.mode);
}

static void put_nonce(struct page *page)
{
	text_put(page->out, page->nonce);
}

static void put_version(struct page *page)
{
	text_put(page->out, MUSTER_VERSION);
}

/* The colours of states and phases, for the script: one table for both. */
static void put_classes(struct page *page)
{
	text_put(page->out, "{");
	for (unsigned i = 0; i < STATE_COUNT; i++)
		text_add(page->out, "\"%s\":\"%s\",", state_name(i), state_class(i));
	for (unsigned i = 0; i < PHASE_COUNT; i++)
		if (i != PHASE_STARTING && i != PHASE_READY && i != PHASE_STOPPING)
			text_add(page->out, "\"%s\":\"%s\",", phase_name(i), phase_class(i));
	text_put(page->out, "}");
}

static const struct field {
	char name[16];
	void (*put)(struct page *page);
} fields[] = {
	{"host", put_host},       {"phase", put_phase},     {"phase_class", put_phase_class},
	{"facts", put_facts},     {"rows", put_rows},       {"nonce", put_nonce},
	{"version", put_version}, {"classes", put_classes},
};

/* ---- the page ---- */

static void put_field(struct page *page, const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (strlen(fields[i].name) == len && memcmp(fields[i].name, name, len) == 0)
			fields[i].put(page);
}

static void put_template(struct page *page)
{
	const char *from = page_template, *open, *close;

	while ((open = strstr(from, "{{")) && (close = strstr(open, "}}"))) {
		text_put_bytes(page->out, from, (size_t)(open - from));
		put_field(page, open + 2, (size_t)(close - open - 2));
		from = close + 2;
	}
	text_put(page->out, from);
}

/* Only this page's own script and style run: whatever slips into it otherwise does not. */
static void set_policy(struct page *page, struct reply *reply)
{
	unsigned char random[16];

	if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		memset(random, 0, sizeof(random));
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(page->nonce + 2 * i, 3, "%02x", random[i]);
	snprintf(reply->policy, sizeof(reply->policy),
		 "default-src 'none'; img-src data:; connect-src 'self'; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'; script-src 'nonce-%s'; "
		 "style-src 'nonce-%s'",
		 page->nonce, page->nonce);
}

void page_report(struct request *request, struct reply *reply)
{
	struct page page = {
		.out = &reply->body,
		.sidecar = request->sidecar,
		.view = snapshot_refresh(request->sidecar->snapshot),
	};

	set_policy(&page, reply);
	put_template(&page);
	reply->type = "text/html; charset=utf-8";
}
