/* SPDX-License-Identifier: MIT */
#include "summary.h"

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"
#include "ctl.h"
#include "text.h"
#include "view.h"

void summary_print(const struct ctl *ctl, const struct view *view, bool gone, unsigned width)
{
	const struct status_header *header = &view->header;
	struct view_counts counts = view_count(view);
	const char *phase = gone ? "ended" : phase_name(header->phase);
	enum colour colour = gone ? COLOUR_DIM : colour_of_phase(header->phase);
	uint64_t now = clock_monotonic();
	char line[256], clean[256], up[24];

	format_age(up, sizeof(up), now > header->boot ? now - header->boot : 0);
	snprintf(line, sizeof(line), "%s  %s  %u of %u ready  up %s  mode %s", header->host, phase,
		 counts.good, counts.total, up, header->mode);
	text_clean(clean, sizeof(clean), line, width);
	if (!ctl->colour)
		colour = COLOUR_NONE;
	printf("%s%s%s\n", colour_begin(colour), clean, colour_end(colour));
}

/* The summary, the table's head, the rest, and the line where the cursor is. */
#define OTHER_LINES 4

unsigned summary_rows(bool redraws)
{
	unsigned height = redraws ? terminal_height(STDOUT_FILENO) : 0;

	if (!height)
		return UINT32_MAX;
	return height > OTHER_LINES ? height - OTHER_LINES : 1;
}

void summary_rest(unsigned count)
{
	if (count)
		printf("... and %u more\n", count);
}
