/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <stdlib.h>
#include <strings.h>

#include "clock.h"
#include "exporter.h"
#include "handlers.h"
#include "ledger.h"
#include "loop.h"
#include "mem.h"
#include "metrics_accept.h"
#include "sidecar.h"

const struct metric_family *const metric_tables[] = {
	muster_metrics,  service_metrics, probe_metrics,
	address_metrics, peer_metrics,    usage_metrics,
	gpu_metrics,     own_metrics,     NULL,
};

/* An answer that is being sent, perhaps to several. */
struct body {
	unsigned users;
	struct text text;
};

/* The last answer in one format; kept only where more ask than are to be told news. */
struct kept {
	struct body *body; /* NULL: none */
	uint64_t time;
	uint64_t boot; /* of the page that it tells of */
	uint32_t changes;
};

struct exporter {
	struct sidecar *sidecar;
	struct ledger ledger;
	struct kept kept[2]; /* text, OpenMetrics */
	uint64_t second;     /* of CLOCK_MONOTONIC */
	unsigned made;       /* answers made in that second */
	struct loop_timer timer;
};

/* ---- answers ---- */

static void body_release(void *data)
{
	struct body *body = data;

	if (--body->users)
		return;
	free(body->text.data);
	free(body);
}

static struct body *body_make(struct exporter *exporter, const struct view *view, bool open)
{
	struct body *body = mem_alloc(sizeof(*body));
	struct metrics metrics = {
		.sidecar = exporter->sidecar,
		.view = view,
		.ledger = &exporter->ledger,
		.begin = clock_monotonic(),
		.out = &body->text,
		.format = open ? &metric_open : &metric_text,
	};

	body->users = 1;
	ledger_update(&exporter->ledger, view);
	for (size_t i = 0; metric_tables[i]; i++)
		for (const struct metric_family *family = metric_tables[i]; family->name; family++)
			metric_put_family(&metrics, family);
	metric_put_end(&metrics);
	return body;
}

/* ---- answers that are given again ---- */

static void drop(struct kept *kept)
{
	if (kept->body)
		body_release(kept->body);
	kept->body = NULL;
}

static void drop_all(void *data, uint64_t now)
{
	struct exporter *exporter = data;

	(void)now;
	drop(&exporter->kept[0]);
	drop(&exporter->kept[1]);
}

static bool is_crowded(struct exporter *exporter, uint64_t now)
{
	uint64_t second = now / NSEC_PER_SEC;

	if (second != exporter->second)
		exporter->made = 0;
	exporter->second = second;
	return exporter->made >= METRICS_MADE_MOST;
}

static bool is_good(const struct kept *kept, const struct view *view)
{
	return kept->body && view->now - kept->time < NSEC_PER_SEC && view->present &&
	       kept->boot == view->header.boot && kept->changes == view->header.changes;
}

static void keep(struct exporter *exporter, struct kept *kept, struct body *body,
		 const struct view *view)
{
	drop(kept);
	*kept = (struct kept){body, view->now, view->header.boot, view->header.changes};
	body->users++;
	loop_arm(exporter->sidecar->loop, &exporter->timer, view->now + NSEC_PER_SEC);
}

/* One user of it is the caller. */
static struct body *body_for(struct exporter *exporter, bool open)
{
	const struct view *view = snapshot_refresh(exporter->sidecar->snapshot);
	struct kept *kept = &exporter->kept[open];
	bool crowded = is_crowded(exporter, view->now);
	struct body *body;

	if (crowded && is_good(kept, view)) {
		kept->body->users++;
		return kept->body;
	}
	body = body_make(exporter, view, open);
	exporter->made++;
	if (crowded)
		keep(exporter, kept, body, view);
	else
		drop_all(exporter, view->now); /* nobody is to be told what is older than this */
	return body;
}

/* ---- the path ---- */

static enum MHD_Result read_header(void *accept, enum MHD_ValueKind kind, const char *name,
				   const char *value)
{
	(void)kind;
	if (value && strcasecmp(name, MHD_HTTP_HEADER_ACCEPT) == 0)
		metrics_accept_read(accept, value);
	return MHD_YES;
}

void metrics_report(struct request *request, struct reply *reply)
{
	struct metrics_accept accept;
	struct body *body;

	metrics_accept_begin(&accept);
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, read_header, &accept);
	reply->type = metrics_accept_type(&accept);
	reply->vary = true;
	body = body_for(request->sidecar->exporter, metrics_accept_open(&accept));
	reply->response = mem_check(MHD_create_response_from_buffer_with_free_callback_cls(
		body->text.len, body->text.data, body_release, body));
}

struct exporter *exporter_create(struct sidecar *sidecar)
{
	struct exporter *exporter = mem_alloc(sizeof(*exporter));

	exporter->sidecar = sidecar;
	exporter->timer.call = drop_all;
	exporter->timer.data = exporter;
	return exporter;
}

void exporter_destroy(struct exporter *exporter)
{
	drop_all(exporter, 0);
	loop_disarm(exporter->sidecar->loop, &exporter->timer);
	ledger_free(&exporter->ledger);
	free(exporter);
}
