/* SPDX-License-Identifier: MIT */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supervisor.h"

enum progress_state { PROGRESS_OFF, PROGRESS_QUIET, PROGRESS_DUE };

void progress_open(struct supervisor *sup)
{
	const char *term = getenv("TERM");

	if (isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0 &&
	    sup->config->log != LOG_JSON)
		sup->progress = PROGRESS_DUE;
}

void progress_changed(struct supervisor *sup)
{
	if (sup->progress != PROGRESS_OFF)
		sup->progress = PROGRESS_DUE;
}

/* "name, name, name ..." of those that start now, as far as the width allows. */
static int append_starting(const struct supervisor *sup, char *line, int len, int width)
{
	const char *separator = ": ";

	for (uint32_t i = 0; i < sup->count; i++) {
		const struct service *service = sup->services[i];

		if (service->config->internal || machine_state(service->phase) != STATE_STARTING)
			continue;
		if (len + (int)strlen(service->config->name) + 6 > width)
			return len + snprintf(line + len, 5, " ...");
		len += snprintf(line + len, (size_t)(width - len), "%s%s", separator,
				service->config->name);
		separator = ", ";
	}
	return len;
}

void progress_draw(struct supervisor *sup)
{
	struct winsize size = {.ws_col = 80};
	uint32_t wanted = 0;
	char line[256];
	int len, width;

	if (sup->progress != PROGRESS_DUE || sup->phase != PHASE_STARTING)
		return;
	sup->progress = PROGRESS_QUIET;
	ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	width = size.ws_col < 20 ? 80 : size.ws_col;
	if (width > (int)sizeof(line) - 8)
		width = (int)sizeof(line) - 8;
	for (uint32_t i = 0; i < sup->count; i++)
		wanted += sup->services[i]->wanted && !sup->services[i]->config->internal;
	len = snprintf(line, sizeof(line), "[%u/%u ready] starting", wanted - sup->unready, wanted);
	len = append_starting(sup, line, len, width);
	output_own_line(line, (size_t)len);
	sup->output.progress = true;
}

void progress_end(struct supervisor *sup)
{
	if (sup->output.progress)
		output_own_line("", 0);
	sup->progress = PROGRESS_OFF;
}
