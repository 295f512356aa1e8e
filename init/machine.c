/* SPDX-License-Identifier: MIT */
#include "machine.h"

static const struct {
	char name[13];
	unsigned char state;
} phases[PH_COUNT] = {
	[PH_INACTIVE] = {"inactive", STATE_INACTIVE},
	[PH_WAITING] = {"waiting", STATE_WAITING},
	[PH_PRE_START] = {"pre_start", STATE_STARTING},
	[PH_STARTING] = {"starting", STATE_STARTING},
	[PH_RUNNING] = {"running", STATE_RUNNING},
	[PH_READY] = {"ready", STATE_READY},
	[PH_UNHEALTHY] = {"unhealthy", STATE_UNHEALTHY},
	[PH_STOP_COMMAND] = {"stop_command", STATE_STOPPING},
	[PH_STOPPING] = {"stopping", STATE_STOPPING},
	[PH_KILLING] = {"killing", STATE_STOPPING},
	[PH_POST_STOP] = {"post_stop", STATE_STOPPING},
	[PH_BACKOFF] = {"backoff", STATE_BACKOFF},
	[PH_COMPLETED] = {"completed", STATE_COMPLETED},
	[PH_FAILED] = {"failed", STATE_FAILED},
};

enum service_state machine_state(enum phase phase)
{
	return phases[phase].state;
}

bool machine_is_at_rest(enum phase phase)
{
	return phase == PH_INACTIVE || phase == PH_WAITING || phase == PH_BACKOFF ||
	       phase == PH_COMPLETED || phase == PH_FAILED;
}

const char *machine_phase_name(enum phase phase)
{
	return phases[phase].name;
}

/* ---- steps that several phases share ---- */

static struct machine_step go(enum phase phase, enum after after, unsigned effects)
{
	return (struct machine_step){.phase = phase, .after = after, .effects = effects};
}

static struct machine_step ignore(enum phase phase, enum after after)
{
	return (struct machine_step){.phase = phase, .after = after, .ignored = true};
}

/* Where a failure leads: another start when one is allowed. */
static enum after after_failure(const struct machine_facts *f)
{
	return f->may_restart ? AFTER_BACKOFF : AFTER_FAILED;
}

/* Where the end of the main process leads, when nobody asked for it. */
static enum after after_exit(enum phase phase, const struct machine_facts *f)
{
	bool well = f->ended_well;

	if (f->type == TYPE_ONESHOT)
		return well ? AFTER_COMPLETED : after_failure(f);
	if (phase == PH_STARTING)
		return after_failure(f); /* it never became ready, whatever it says */
	if (f->may_restart)
		return AFTER_BACKOFF;
	if (well && f->on_demand)
		return AFTER_INACTIVE;
	return well ? AFTER_COMPLETED : AFTER_FAILED;
}

/* The dependencies are met: the hook, or the program itself. */
static struct machine_step launch(enum after after, const struct machine_facts *f)
{
	bool at_once = f->type == TYPE_SERVICE && !f->has_readiness;

	return go(at_once ? PH_RUNNING : PH_STARTING, after,
		  FX_LAUNCH | FX_PROBES_ON | (at_once ? FX_DISARM : FX_ARM_READY));
}

static struct machine_step begin_start(const struct machine_facts *f)
{
	if (f->type == TYPE_EXTERNAL)
		return f->has_readiness
			       ? go(PH_STARTING, AFTER_INACTIVE, FX_PROBES_ON | FX_ARM_READY)
			       : go(PH_RUNNING, AFTER_INACTIVE, FX_PROBES_ON);
	if (f->has_pre_start)
		return go(PH_PRE_START, AFTER_INACTIVE, FX_PRE_START | FX_ARM_READY);
	return launch(AFTER_INACTIVE, f);
}

/* An ending has come to its end. */
static struct machine_step settle(enum after after)
{
	switch (after) {
	case AFTER_WAITING:
		return go(PH_WAITING, AFTER_INACTIVE, FX_DISARM);
	case AFTER_BACKOFF:
		return go(PH_BACKOFF, after, FX_ARM_BACKOFF);
	case AFTER_COMPLETED:
		return go(PH_COMPLETED, after, FX_DISARM);
	case AFTER_FAILED:
		return go(PH_FAILED, after, FX_DISARM);
	case AFTER_INACTIVE:
	case AFTER_OWN:
		break;
	}
	return go(PH_INACTIVE, AFTER_INACTIVE, FX_DISARM);
}

/* The main process runs and has to end. */
static struct machine_step begin_stop(enum after after, const struct machine_facts *f)
{
	if (f->type == TYPE_EXTERNAL) {
		struct machine_step step = settle(after);

		step.effects |= FX_PROBES_OFF;
		return step;
	}
	if (f->has_stop_command)
		return go(PH_STOP_COMMAND, after, FX_PROBES_OFF | FX_STOP_COMMAND | FX_ARM_GRACE);
	return go(PH_STOPPING, after, FX_PROBES_OFF | FX_STOP_SIGNAL | FX_ARM_GRACE);
}

/* The main process has ended by itself, or never was: only what it left behind remains. */
static struct machine_step begin_sweep(enum after after, unsigned effects)
{
	return go(PH_STOPPING, after, effects | FX_PROBES_OFF | FX_SWEEP | FX_ARM_GRACE);
}

static bool is_wish(enum event event)
{
	return event == EV_WANT || event == EV_UNWANT || event == EV_RESTART;
}

/* Wishes that arrive while an ending is under way only change where it leads. */
static struct machine_step redirect(enum phase phase, enum after after, enum event event)
{
	if (event == EV_UNWANT)
		return go(phase, AFTER_INACTIVE, 0);
	return go(phase, after == AFTER_BACKOFF && event == EV_WANT ? after : AFTER_WAITING, 0);
}

/* ---- one function for phases that answer alike ---- */

static struct machine_step in_rest(enum phase phase, enum after after, enum event event)
{
	switch (event) {
	case EV_DEADLINE:
		if (phase != PH_BACKOFF)
			return ignore(phase, after);
		/* fall through */
	case EV_WANT:
	case EV_RESTART:
		return go(PH_WAITING, AFTER_INACTIVE, FX_DISARM);
	case EV_UNWANT:
		return go(PH_INACTIVE, AFTER_INACTIVE, FX_DISARM);
	default:
		return ignore(phase, after);
	}
}

static struct machine_step in_waiting(enum after after, enum event event,
				      const struct machine_facts *f)
{
	switch (event) {
	case EV_DEPS_MET:
		return begin_start(f);
	case EV_DEPS_FAILED:
		return settle(AFTER_FAILED);
	case EV_UNWANT:
		return settle(AFTER_INACTIVE);
	default:
		return ignore(PH_WAITING, after);
	}
}

static struct machine_step in_pre_start(enum after after, enum event event,
					const struct machine_facts *f)
{
	switch (event) {
	case EV_HOOK_OK:
		return launch(after, f);
	case EV_HOOK_FAILED:
	case EV_LAUNCH_FAILED:
		return begin_sweep(after_failure(f), 0);
	case EV_DEADLINE:
		return begin_sweep(after_failure(f), FX_KILL_HOOK);
	case EV_UNWANT:
		return begin_sweep(AFTER_INACTIVE, FX_KILL_HOOK);
	case EV_RESTART:
		return begin_sweep(AFTER_WAITING, FX_KILL_HOOK);
	default:
		return ignore(PH_PRE_START, after);
	}
}

/* It ends by itself, has said so, and gets its grace for it. */
static struct machine_step begin_own_end(void)
{
	return go(PH_STOPPING, AFTER_OWN, FX_PROBES_OFF | FX_ARM_GRACE);
}

/* STARTING, RUNNING, READY and UNHEALTHY: its main process is there, or at least meant to be. */
static struct machine_step in_up(enum phase phase, enum after after, enum event event,
				 const struct machine_facts *f)
{
	switch (event) {
	case EV_READY:
		if (phase == PH_STARTING && f->type != TYPE_ONESHOT)
			return go(PH_READY, after, FX_DISARM);
		return phase == PH_UNHEALTHY ? go(PH_READY, after, 0) : ignore(phase, after);
	case EV_UNREADY:
		return phase == PH_READY ? go(PH_UNHEALTHY, after, 0) : ignore(phase, after);
	case EV_DEADLINE:
		return phase == PH_STARTING ? begin_stop(after_failure(f), f)
					    : ignore(phase, after);
	case EV_ENDING:
		return phase == PH_STARTING || f->type == TYPE_EXTERNAL ? ignore(phase, after)
									: begin_own_end();
	case EV_EXITED:
		return begin_sweep(after_exit(phase, f), 0);
	case EV_LAUNCH_FAILED:
		return begin_sweep(after_failure(f), 0);
	case EV_DEAD:
		return f->type == TYPE_EXTERNAL ? go(PH_UNHEALTHY, after, 0)
						: begin_stop(after_failure(f), f);
	case EV_UNWANT:
		return begin_stop(AFTER_INACTIVE, f);
	case EV_RESTART:
		return begin_stop(AFTER_WAITING, f);
	default:
		return ignore(phase, after);
	}
}

static struct machine_step in_stop_command(enum after after, enum event event)
{
	switch (event) {
	case EV_HOOK_OK: /* what it has not ended gets the signal, in what is left of the grace */
	case EV_HOOK_FAILED:
		return go(PH_STOPPING, after, FX_STOP_SIGNAL);
	case EV_EXITED:
		return go(PH_STOPPING, after, FX_KILL_HOOK | FX_SWEEP);
	case EV_DEADLINE:
		return go(PH_KILLING, after, FX_KILL_HOOK | FX_KILL_SIGNAL | FX_ARM_KILL);
	default:
		return ignore(PH_STOP_COMMAND, after);
	}
}

/* STOPPING, and KILLING, where a deadline means something in an uninterruptible call. */
static struct machine_step in_stopping(enum phase phase, enum after after, enum event event,
				       const struct machine_facts *f)
{
	switch (event) {
	case EV_EXITED:
		return go(phase, after == AFTER_OWN ? after_exit(PH_RUNNING, f) : after, FX_SWEEP);
	case EV_GONE:
		return f->has_post_stop ? go(PH_POST_STOP, after, FX_POST_STOP | FX_ARM_GRACE)
					: settle(after);
	case EV_DEADLINE:
		return go(PH_KILLING, after,
			  (phase == PH_KILLING ? FX_STUCK : 0) | FX_KILL_SIGNAL | FX_ARM_KILL);
	default:
		return ignore(phase, after);
	}
}

static struct machine_step in_post_stop(enum after after, enum event event)
{
	struct machine_step step;

	switch (event) {
	case EV_HOOK_OK:
	case EV_HOOK_FAILED:
		return settle(after);
	case EV_DEADLINE:
		step = settle(after);
		step.effects |= FX_KILL_HOOK;
		return step;
	default:
		return ignore(PH_POST_STOP, after);
	}
}

struct machine_step machine_next(enum phase phase, enum after after, enum event event,
				 const struct machine_facts *facts)
{
	if (machine_state(phase) == STATE_STOPPING && is_wish(event))
		return redirect(phase, after, event);
	switch (phase) {
	case PH_INACTIVE:
	case PH_BACKOFF:
	case PH_COMPLETED:
	case PH_FAILED:
		return in_rest(phase, after, event);
	case PH_WAITING:
		return in_waiting(after, event, facts);
	case PH_PRE_START:
		return in_pre_start(after, event, facts);
	case PH_STARTING:
	case PH_RUNNING:
	case PH_READY:
	case PH_UNHEALTHY:
		return in_up(phase, after, event, facts);
	case PH_STOP_COMMAND:
		return in_stop_command(after, event);
	case PH_STOPPING:
	case PH_KILLING:
		return in_stopping(phase, after, event, facts);
	case PH_POST_STOP:
		return in_post_stop(after, event);
	case PH_COUNT:
		break;
	}
	return ignore(phase, after);
}
