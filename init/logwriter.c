/* SPDX-License-Identifier: MIT */
#include "logwriter.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "supervisor.h"
#include "writer.h"
#include "writers.h"

/* A writer that does not live as long was none, and the next one is not started before. */
#define RETRY NSEC_PER_SEC

/* Meanwhile the output waits in the pipe; when that is full, the service waits, too. */
static void try_later(struct supervisor *sup, struct service *service, const char *why)
{
	struct logger *logger = service->logger;

	if (!logger->complained)
		log_warning("%s: no writer of %s: %s; trying again every second",
			    service->config->name, service->config->policy->log_path, why);
	logger->complained = true;
	loop_arm(&sup->loop, &logger->retry, sup->loop.now + RETRY);
}

static void start_writer(struct supervisor *sup, struct service *service)
{
	const struct policy_config *policy = service->config->policy;
	struct logger *logger = service->logger;
	char size[24], keep[12], slot[12];
	const char *const argv[] = {
		"muster-init", LOG_WRITER_OPTION, policy->log_path, size, keep, slot, NULL};
	pid_t pid;

	snprintf(size, sizeof(size), "%llu", (unsigned long long)policy->log_max_size);
	snprintf(keep, sizeof(keep), "%u", policy->log_keep);
	snprintf(slot, sizeof(slot), "%u", service->slot);
	pid = writer_start(sup, argv, logger->read_end, sup->reports_end, CHILD_LOGGER,
			   service->slot);
	if (pid < 0) {
		try_later(sup, service, strerror(-pid));
		return;
	}
	logger->pid = pid;
	logger->started = sup->loop.now;
}

static void retry_expired(struct loop *loop, struct loop_timer *timer)
{
	struct logger *logger = container_of(timer, struct logger, retry);

	start_writer(supervisor_of(loop), logger->service);
}

bool logger_open(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;
	int ends[2];

	if (!logger)
		return true;
	if (logger->read_end < 0) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return false;
		logger->read_end = ends[0];
		logger->write_end = ends[1];
	}
	logger->retry.expired = retry_expired;
	if (!logger->pid && !logger->retry.slot)
		start_writer(sup, service);
	return true;
}

void logger_ended(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;

	if (!logger)
		return;
	logger->pid = 0;
	if (logger->read_end < 0 || sup->killing)
		return; /* closed by us, or killed: this is the end that was asked for */
	if (sup->loop.now - logger->started < RETRY) {
		try_later(sup, service, "it has ended at once");
		return;
	}
	logger->complained = false;
	start_writer(sup, service);
}

void logger_close(struct supervisor *sup, struct service *service)
{
	struct logger *logger = service->logger;

	if (!logger || logger->read_end < 0)
		return;
	loop_disarm(&sup->loop, &logger->retry);
	close(logger->read_end);
	close(logger->write_end);
	logger->read_end = logger->write_end = -1;
}

/* ---- what writers tell ---- */

static void take_report(struct supervisor *sup, const struct logger_report *report)
{
	const struct service *service =
		report->slot < sup->slots ? sup->by_slot[report->slot] : NULL;
	char count[48] = "";

	if (report->dropped)
		snprintf(count, sizeof(count), "; %u line%s dropped", report->dropped,
			 report->dropped == 1 ? "" : "s");
	sup->output.files_dropped += report->dropped;
	if (!service || !service->logger)
		return;
	if (report->error)
		log_warning("%s: %s: %s%s", service->config->name,
			    service->config->policy->log_path, strerror(report->error), count);
	else
		log_info("%s: %s is written again%s", service->config->name,
			 service->config->policy->log_path, count);
}

static void reports_ready(struct loop *loop, struct loop_source *source, uint32_t events)
{
	struct logger_report reports[16];
	ssize_t n = read(source->fd, reports, sizeof(reports));

	(void)events;
	loop->failed |= n < 0;
	for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(*reports); i++)
		take_report(supervisor_of(loop), &reports[i]);
}

void logger_reports_open(struct supervisor *sup)
{
	sup->reports.ready = reports_ready;
	sup->reports.class = CLASS_FACT;
	sup->reports_end = loop_add_pipe(&sup->loop, &sup->reports);
	if (sup->reports_end < 0)
		sup->reports_end = sup->null_fd;
}
