/* SPDX-License-Identifier: MIT */
#ifndef MUSTER_SUMMARY_H
#define MUSTER_SUMMARY_H

#include <stdbool.h>

/* The first line of what is shown of an init: its host and phase, and how many services are ready.
 */
struct ctl;
struct view;

/* `gone`: init has ended. Cut at `width` columns (0: no limit). */
void summary_print(const struct ctl *ctl, const struct view *view, bool gone, unsigned width);

/* How many rows of a table find room below the summary and its own head, with a line for
 * summary_rest; UINT32_MAX where the output is no terminal that is drawn again and again. */
unsigned summary_rows(bool redraws);
/* Says that so many are not shown; 0: nothing is said. */
void summary_rest(unsigned count);

#endif
