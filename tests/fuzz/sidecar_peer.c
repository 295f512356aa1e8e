/* SPDX-License-Identifier: MIT */
/* The bytes are what another host answers. What is taken of it is within its bounds, and can be
 * found again. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "peer_json.h"
#include "states.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_service(const struct peer_report *report, uint32_t index)
{
	const struct peer_service *service = &report->services[index];
	const char *name = peer_service_name(report, index);

	if (service->name >= report->text_len || !*name || strlen(name) > 63 ||
	    strpbrk(name, "<>&\"':/ \n\x1b"))
		abort();
	if (peer_report_find(report, name) != (int)index)
		abort();
	if (service->state > STATE_COUNT || service->type > TYPE_COUNT ||
	    service->first_dep + service->dep_count > report->dep_count)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *error = NULL;
	struct peer_report *report;
	char *body = malloc(size + 1);

	if (!body)
		abort();
	memcpy(body, data, size);
	body[size] = '\0';
	report = peer_report_read(body, size, &error);
	free(body);
	if (!report != (error != NULL))
		abort();
	if (!report)
		return 0;
	if (strlen(report->host) > 63 || !report->host[0] || report->score < -1 ||
	    report->score > 100 || report->service_count > PEER_SERVICES_ALL ||
	    report->dep_count > PEER_DEPS_MAX || !peer_report_same(report, report))
		abort();
	for (uint32_t i = 0; i < report->service_count; i++)
		check_service(report, i);
	for (uint32_t i = 0; i < report->dep_count; i++)
		if (report->deps[i] >= report->text_len)
			abort();
	peer_report_free(report);
	return 0;
}
