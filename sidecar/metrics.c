/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include "clock.h"
#include "handlers.h"
#include "sidecar.h"

const struct metric_family *const metric_tables[] = {
	muster_metrics, service_metrics, probe_metrics, address_metrics,
	peer_metrics,   usage_metrics,   own_metrics,   NULL,
};

void metrics_report(struct request *request, struct reply *reply)
{
	struct metrics metrics = {
		.sidecar = request->sidecar,
		.view = snapshot_refresh(request->sidecar->snapshot),
		.begin = clock_monotonic(),
		.out = &reply->body,
		.format = &metric_text,
	};

	for (size_t i = 0; metric_tables[i]; i++)
		for (const struct metric_family *family = metric_tables[i]; family->name; family++)
			metric_put_family(&metrics, family);
	metric_put_end(&metrics);
	reply->type = "text/plain; version=0.0.4; charset=utf-8";
}
