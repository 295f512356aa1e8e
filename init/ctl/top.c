/* SPDX-License-Identifier: MIT */
#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "args.h"
#include "clock.h"
#include "fd.h"
#include "log.h"
#include "process_stat.h"
#include "summary.h"
#include "text.h"
#include "view.h"

/* Main processes only; the sidecar's metrics count whole process trees. */

/* What the kernel counts for a process. */
struct usage {
	int32_t pid; /* 0: none */
	uint64_t started;
	uint64_t ticks; /* of processor time, user and system */
	uint64_t pages; /* resident */
};

struct row {
	const struct status_record *record;
	struct usage usage;
	double percent; /* of one processor; negative: not known yet */
};

struct top {
	const struct ctl *ctl;
	struct view *view;
	struct usage *before; /* per record, of the round before */
	uint32_t count;       /* of before */
	uint64_t measured;    /* when that was */
	struct row *rows;
};

static struct usage measure(int32_t pid)
{
	struct usage usage = {0};
	struct process_stat stat;
	char path[40], text[1024];

	if (pid <= 0)
		return usage;
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	if (fd_read_file(path, text, sizeof(text)) > 0 && process_stat_read(&stat, text))
		usage = (struct usage){.pid = pid,
				       .started = stat.field[STAT_BEGIN],
				       .ticks = stat.field[STAT_USER] + stat.field[STAT_SYSTEM],
				       .pages = stat.field[STAT_PAGES]};
	return usage;
}

static double percent(const struct usage *before, const struct usage *now, uint64_t elapsed)
{
	double seconds;

	if (!now->pid || now->pid != before->pid || now->started != before->started || !elapsed)
		return -1;
	seconds = (double)(now->ticks - before->ticks) / (double)sysconf(_SC_CLK_TCK);
	return 100 * seconds / ((double)elapsed / NSEC_PER_SEC);
}

static int row_compare(const void *left, const void *right)
{
	const struct row *a = left, *b = right;

	if (a->percent > b->percent || a->percent < b->percent)
		return a->percent > b->percent ? -1 : 1;
	if (a->usage.pages != b->usage.pages)
		return a->usage.pages > b->usage.pages ? -1 : 1;
	return strcmp(a->record->name, b->record->name);
}

/* A reload may have changed how many there are; then there is nothing to compare with. */
static bool make_room(struct top *top)
{
	uint32_t count = top->view->header.record_count;

	if (count == top->count && top->before)
		return true;
	free(top->before);
	free(top->rows);
	top->before = calloc(count + (size_t)1, sizeof(*top->before));
	top->rows = calloc(count + (size_t)1, sizeof(*top->rows));
	top->count = count;
	return top->before && top->rows;
}

static void measure_all(struct top *top)
{
	bool here = view_sees_init(top->view); /* else these numbers are of other processes here */
	uint64_t now = clock_monotonic();
	uint32_t i;

	for (i = 0; i < top->count; i++) {
		struct row *row = &top->rows[i];

		row->record = &top->view->records[i];
		row->usage = measure(here ? row->record->pid : 0);
		row->percent = percent(&top->before[i], &row->usage, now - top->measured);
		top->before[i] = row->usage;
	}
	top->measured = now;
	qsort(top->rows, top->count, sizeof(*top->rows), row_compare);
}

static void add_row(struct grid *grid, const struct row *row)
{
	uint64_t kib = row->usage.pages * (uint64_t)sysconf(_SC_PAGESIZE) / 1024;

	grid_add(grid, COLOUR_NONE, "%s", row->record->name);
	grid_add(grid, colour_of_state(row->record->state), "%s", state_name(row->record->state));
	grid_add(grid, COLOUR_NONE, "%d", row->record->pid);
	if (row->percent < 0)
		grid_add(grid, COLOUR_DIM, "-");
	else
		grid_add(grid, COLOUR_NONE, "%.1f", row->percent);
	if (!row->usage.pid)
		grid_add(grid, COLOUR_DIM, "-");
	else if (kib < 10 * 1024)
		grid_add(grid, COLOUR_NONE, "%" PRIu64 "K", kib);
	else
		grid_add(grid, COLOUR_NONE, "%" PRIu64 "M", kib / 1024);
	grid_add(grid, COLOUR_NONE, "%u", row->record->restarts);
}

static void print(const struct top *top, bool redraws)
{
	static const char *const heads[] = {"NAME", "STATE", "PID", "CPU%", "RSS", "RESTARTS"};
	unsigned width = top->ctl->out_is_terminal ? terminal_width(STDOUT_FILENO) : 0;
	unsigned rows = summary_rows(redraws), hidden = 0;
	struct grid grid;
	uint32_t i;

	if (redraws) {
		fputs("\033[H\033[J", stdout);
		summary_print(top->ctl, top->view, false, width);
	}
	grid_begin(&grid, 6, 1U << 2 | 1U << 3 | 1U << 4 | 1U << 5);
	for (i = 0; i < 6; i++)
		grid_add(&grid, COLOUR_BOLD, "%s", heads[i]);
	for (i = 0; i < top->count; i++) {
		if (!top->rows[i].record->pid)
			continue;
		if (rows && rows--)
			add_row(&grid, &top->rows[i]);
		else
			hidden++;
	}
	grid_print(&grid, stdout, width, top->ctl->colour);
	summary_rest(hidden);
	fflush(stdout);
}

/* One round each interval, the first after one: processor time is a difference. */
static int run(struct top *top, uint32_t interval, bool once)
{
	struct follow follow;
	uint64_t next;
	bool redraws = top->ctl->out_is_terminal && !once;
	int outcome = 0, result = CTL_DONE;

	follow_begin(&follow, top->view);
	do {
		bool first = !top->measured;

		if (!make_room(top)) {
			log_error("no memory");
			result = CTL_FALSE;
			break;
		}
		measure_all(top);
		if (!first || redraws)
			print(top, redraws);
		if (!first && once)
			break;
		next = clock_monotonic() + msec(interval);
		do
			outcome = follow_wait(&follow, interval, next);
		while (outcome >= 0);
	} while (outcome == -ETIMEDOUT && !ferror(stdout));
	follow_end(&follow);
	if (outcome == -ECONNRESET)
		log_info("muster-init has ended");
	return result;
}

int verb_top(struct ctl *ctl, char **argv)
{
	uint32_t interval = 0;
	bool once = !ctl->out_is_terminal;
	const struct arg_option options[] = {{"interval", 0, ARG_DURATION, &interval},
					     {"once", 0, ARG_FLAG, &once}};
	struct view view;
	struct top top = {.ctl = ctl, .view = &view};
	int exit_code, count = args_parse(ctl, argv, options, 2, &exit_code);

	if (count < 0)
		return exit_code;
	if (count)
		return args_wrong(ctl, "'%s': top takes no names", argv[0]);
	if (!interval)
		interval = once ? 500 : 2000;
	exit_code = view_open_until(&view, ctl, 0);
	if (exit_code)
		return exit_code;
	exit_code = run(&top, interval, once);
	free(top.before);
	free(top.rows);
	view_close(&view);
	return exit_code;
}
