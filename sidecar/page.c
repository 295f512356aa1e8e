/* SPDX-License-Identifier: MIT */
#include "handlers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "clock.h"
#include "facts.h"
#include "mem.h"
#include "probe.h"
#include "processes.h"
#include "sidecar.h"
#include "str.h"
#include "values.h"
#include "version.h"

/* The files of page/, as they lie there; paths are those of the directory that make runs in. */
__asm__(".pushsection .rodata\n"
	".global page_template, page_style, page_script\n"
	"page_template: .incbin \"sidecar/page/page.html\"\n"
	".byte 0\n"
	"page_style: .incbin \"sidecar/page/page.css\"\n"
	".byte 0\n"
	"page_script: .incbin \"sidecar/page/table.js\"\n"
	".incbin \"sidecar/page/graph.js\"\n"
	".incbin \"sidecar/page/panels.js\"\n"
	".incbin \"sidecar/page/live.js\"\n"
	".byte 0\n"
	".popsection\n");
extern const char page_template[], page_style[], page_script[];

struct page {
	struct text *out;
	const struct sidecar *sidecar;
	const struct view *view;
	bool used; /* what services use can be told */
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

/* A size as musterctl's readers write it, with one digit behind the point: 1.2M. */
static void put_size(struct text *out, uint64_t bytes)
{
	static const char units[] = " KMGT";
	double value = (double)bytes;
	unsigned i = 0;

	for (; value >= 1023.95 && i < 4; i++)
		value /= 1024;
	if (i)
		text_add(out, "%.1f%c", value, units[i]);
	else
		text_add(out, "%.0f", value);
}

/* Time on the processor, and memory, of all its processes. */
static void put_usage(struct page *page, uint32_t index)
{
	const struct tree *tree;
	struct text *out = page->out;

	text_put(out, "<td class=\"number\">");
	tree = page->used ? processes_tree(page->sidecar->processes, index) : NULL;
	if (tree && counter_is_number(tree->cpu)) {
		if (tree->cpu < 60 * NSEC_PER_SEC)
			text_add(out, "%.1fs", (double)tree->cpu / (double)NSEC_PER_SEC);
		else
			put_age(out, tree->cpu);
	}
	text_put(out, "<td class=\"number\">");
	if (tree && counter_is_number(tree->memory))
		put_size(out, tree->memory);
}

static void put_row(struct page *page, uint32_t index, const struct probe *probe)
{
	const struct status_record *record = &page->view->records[index];
	struct text *out = page->out;
	char buffer[VIEW_WHY];

	text_put(out, "<tr class=\"row\"><td class=\"name\"><span>");
	text_put_html(out, record->name);
	text_add(out, "</span><small>%s</small><td class=\"state sign %s\">%s<td class=\"number\">",
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
	text_add(out, "<td class=\"number less\">%u", record->restarts);
	put_usage(page, index);
	text_put(out, "<td class=\"number less\">");
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

/* ---- what is wrong ---- */

/* Where the chain of causes that this service is part of begins. */
static uint32_t find_root(const struct view *view, uint32_t index)
{
	const struct status_record *record = &view->records[index];

	for (uint32_t steps = 0; steps < view->header.record_count; steps++) {
		if (!(record->flags & STATUS_DEP_CAUSE) ||
		    record->cause >= view->header.record_count ||
		    view_is_ready(view, record->cause))
			break;
		index = record->cause;
		record = &view->records[index];
	}
	return index;
}

struct blame {
	uint32_t root, waiting; /* the service that explains most, and how many wait for it */
	uint32_t roots;         /* of all that is not ready; 0: all is well */
};

/* What is bad comes before what is only not there yet, and then what many wait for. */
static struct blame find_blame(const struct view *view)
{
	uint32_t count = view->present ? view->header.record_count : 0;
	uint32_t *behind = mem_alloc((count + 1) * sizeof(*behind));
	struct blame blame = {0};
	uint32_t most = 0;

	for (uint32_t i = 0; i < count; i++)
		if (view_is_shown(view, i) && !view_is_ready(view, i) &&
		    view->records[i].state != STATE_INACTIVE)
			behind[find_root(view, i)]++;
	for (uint32_t i = 0; i < count; i++) {
		bool bad = state_class(view->records[i].state)[0] == 'b';
		uint32_t weight = behind[i] + (bad ? count + 1 : 0);

		if (!behind[i])
			continue;
		blame.roots++;
		if (weight > most) {
			most = weight;
			blame.root = i;
			blame.waiting = behind[i] - 1;
		}
	}
	free(behind);
	return blame;
}

/* The script says the same. */
static void put_wrong(struct page *page)
{
	struct blame blame = find_blame(page->view);
	const struct status_record *record;
	char why[VIEW_WHY];

	if (!blame.roots) {
		text_put(page->out, page->view->present ? "Nothing is wrong." : "");
		return;
	}
	record = &page->view->records[blame.root];
	view_why(page->view, blame.root, why);
	text_put_html(page->out, record->name);
	text_add(page->out, " %s", state_name(record->state));
	if (strcmp(why, state_name(record->state)) != 0) {
		text_put(page->out, ": ");
		text_put_html(page->out, why);
	}
	if (blame.waiting)
		text_add(page->out, " · %u %s for it", blame.waiting,
			 blame.waiting == 1 ? "waits" : "wait");
	if (blame.roots > 1)
		text_add(page->out, " · %u other cause%s", blame.roots - 1,
			 blame.roots == 2 ? "" : "s");
}

static void put_wrong_class(struct page *page)
{
	struct blame blame = find_blame(page->view);

	text_put(page->out,
		 blame.roots ? state_class(page->view->records[blame.root].state) : "quiet");
}

/* ---- what is the same for all ---- */

static void put_style(struct page *page)
{
	text_put(page->out, page_style);
}

static void put_script(struct page *page)
{
	text_put(page->out, page_script);
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
	{"host", put_host},
	{"phase", put_phase},
	{"phase_class", put_phase_class},
	{"facts", put_facts},
	{"rows", put_rows},
	{"nonce", put_nonce},
	{"version", put_version},
	{"classes", put_classes},
	{"wrong", put_wrong},
	{"wrong_class", put_wrong_class},
	{"style", put_style},
	{"script", put_script},
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
		 "default-src 'none'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; "
		 "form-action 'none'; frame-ancestors 'none'; script-src 'nonce-%s'; "
		 "style-src 'nonce-%s'; require-trusted-types-for 'script'",
		 page->nonce, page->nonce);
}

void page_report(struct request *request, struct reply *reply)
{
	struct page page = {
		.out = &reply->body,
		.sidecar = request->sidecar,
		.view = snapshot_refresh(request->sidecar->snapshot),
	};

	page.used = page.view->present && facts_same_processes(request->sidecar);
	if (page.used)
		processes_refresh(request->sidecar->processes, page.view, false);
	set_policy(&page, reply);
	put_template(&page);
	reply->type = "text/html; charset=utf-8";
}
