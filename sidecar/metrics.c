/* SPDX-License-Identifier: MIT */
#include "metrics.h"

#include <strings.h>

#include "clock.h"
#include "handlers.h"
#include "metrics_accept.h"
#include "sidecar.h"

const struct metric_family *const metric_tables[] = {
	muster_metrics, service_metrics, probe_metrics, address_metrics,
	usage_metrics,  own_metrics,     NULL,
};

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
	struct metrics metrics = {
		.sidecar = request->sidecar,
		.view = snapshot_refresh(request->sidecar->snapshot),
		.begin = clock_monotonic(),
		.out = &reply->body,
	};

	metrics_accept_begin(&accept);
	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, read_header, &accept);
	metrics.format = metrics_accept_open(&accept) ? &metric_open : &metric_text;

	for (size_t i = 0; metric_tables[i]; i++)
		for (const struct metric_family *family = metric_tables[i]; family->name; family++)
			metric_put_family(&metrics, family);
	metric_put_end(&metrics);
	reply->type = metrics_accept_type(&accept);
}
