/* SPDX-License-Identifier: MIT */
#include "pace.h"

#include <stdlib.h>

#include "clock.h"
#include "mem.h"

struct pace {
	struct cgroup *cgroup;
	struct pace_look look; /* `at` 0: none yet */
	struct pace_verdict verdict;
	uint64_t checks;
};

static const char names[PACE_CAUSES][12] = {
	[PACE_FREE] = "none",
	[PACE_THROTTLED] = "throttled",
	[PACE_WAITED] = "pressure",
	[PACE_OVER_BUDGET] = "budget",
};

const char *pace_cause_name(unsigned cause)
{
	return cause < PACE_CAUSES ? names[cause] : "?";
}

/* ---- the decision ---- */

/* How much a counter has grown, as a share of `whole`; 0 when that cannot be told. */
static double share(uint64_t before, uint64_t now, double whole)
{
	if (!counter_is_number(before) || !counter_is_number(now) || now <= before || whole <= 0)
		return 0;
	return (double)(now - before) / whole;
}

/* From 1 where the load is `from` to PACE_MOST where it is `to`. */
static double between(double load, double from, double to)
{
	double stretch = 1 + (PACE_MOST - 1) * (load - from) / (to - from);

	return stretch < 1 ? 1 : stretch > PACE_MOST ? PACE_MOST : stretch;
}

static double for_throttling(const struct pace_look *before, const struct pace_look *now)
{
	double periods = share(before->load.periods, now->load.periods, 1);

	return between(share(before->load.throttled_periods, now->load.throttled_periods, periods),
		       PACE_THROTTLED_FROM, PACE_THROTTLED_TO);
}

static double for_waiting(const struct pace_look *before, const struct pace_look *now)
{
	return between(share(before->load.waited, now->load.waited, (double)(now->at - before->at)),
		       PACE_WAITED_FROM, PACE_WAITED_TO);
}

/* What was used with periods as they are says how much longer they would have to be. */
static double for_budget(double stretch, const struct pace_look *before,
			 const struct pace_look *now)
{
	double span = (double)(now->at - before->at);
	double used = share(before->own_cpu, now->own_cpu, span);
	double probing = share(before->checks, now->checks, span) * (double)PACE_CHECK_COSTS;
	double wanted = stretch * (used < probing ? used : probing) / PACE_BUDGET;

	return wanted < 1 ? 1 : wanted > PACE_MOST ? PACE_MOST : wanted;
}

struct pace_verdict pace_decide(struct pace_verdict last, const struct pace_look *before,
				const struct pace_look *now)
{
	const double wanted[PACE_CAUSES] = {
		[PACE_FREE] = 1,
		[PACE_THROTTLED] = for_throttling(before, now),
		[PACE_WAITED] = for_waiting(before, now),
		[PACE_OVER_BUDGET] = for_budget(last.stretch, before, now),
	};
	double span = (double)(now->at - before->at);
	struct pace_verdict verdict = {.cause = PACE_FREE};

	for (unsigned cause = 0; cause < PACE_CAUSES; cause++)
		if (wanted[cause] > wanted[verdict.cause])
			verdict.cause = (uint8_t)cause;
	verdict.stretch = last.stretch + (wanted[verdict.cause] - last.stretch) * span /
						 (span + (double)PACE_SETTLE);
	if (verdict.cause == PACE_FREE && verdict.stretch < 1.01)
		verdict.stretch = 1; /* the last bit of the way back has no end */
	return verdict;
}

/* ---- looking ---- */

static void look(struct pace *pace, struct pace_look *now, uint64_t at)
{
	now->at = at;
	now->own_cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	now->checks = pace->checks;
	cgroup_read_load(pace->cgroup, &now->load);
}

struct pace_verdict pace_ask(struct pace *pace, uint64_t now)
{
	struct pace_look next;

	if (pace->look.at && now < pace->look.at + PACE_LOOK)
		return pace->verdict;
	look(pace, &next, now);
	if (pace->look.at)
		pace->verdict = pace_decide(pace->verdict, &pace->look, &next);
	pace->look = next;
	return pace->verdict;
}

struct pace_verdict pace_last(const struct pace *pace)
{
	return pace->verdict;
}

void pace_count_check(struct pace *pace)
{
	pace->checks++;
}

struct pace *pace_create(struct cgroup *cgroup)
{
	struct pace *pace = mem_alloc(sizeof(*pace));

	pace->cgroup = cgroup;
	pace->verdict.stretch = 1;
	return pace;
}

void pace_destroy(struct pace *pace)
{
	free(pace);
}
