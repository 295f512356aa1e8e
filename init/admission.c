/* SPDX-License-Identifier: MIT */
#include "admission.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "fd.h"
#include "process_stat.h"
#include "supervisor.h"

#define TRUSTED_PER_CORE 4    /* starts between two looks */
#define COMPUTES_PERCENT 25   /* of one processor, between two looks: more is computing */
#define PRESSURE_MAX     1000 /* hundredths of a percent of time in which memory was waited for */

/* A process's CPU clock, as clock_getcpuclockid(3) makes it of a pid. */
static uint64_t processor_time(pid_t pid)
{
	const clockid_t clock = (clockid_t)(~(unsigned)pid << 3 | 2U);
	struct timespec time;

	if (pid <= 0 || clock_gettime(clock, &time) < 0)
		return 0;
	return (uint64_t)time.tv_sec * NSEC_PER_SEC + (uint64_t)time.tv_nsec;
}

/* Whether it would run if it were let. */
static bool is_runnable(pid_t pid)
{
	struct process_stat process;
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return fd_read_file(path, text, sizeof(text)) > 0 && process_stat_read(&process, text) &&
	       process.state == 'R';
}

/*
 * Where many share a processor, one may wait for it from one look to the next: so who is new, or
 * computed before, and has used nothing is asked whether he would.
 */
static bool is_computing(struct service *service, uint64_t elapsed)
{
	pid_t pid = service->hook ? service->hook : service->pid;
	uint64_t now = processor_time(pid);
	uint64_t used = now > service->processor_time ? now - service->processor_time : 0;

	service->processor_time = now;
	service->computing =
		used * 100 > elapsed * COMPUTES_PERCENT || (service->computing && is_runnable(pid));
	return service->computing;
}

/* "some avg10=1.23 ..." of the whole machine, where the kernel tells. */
static bool is_short_of_memory(void)
{
	char text[256];
	const char *at;
	unsigned hundredths = 0;

	if (fd_read_file("/proc/pressure/memory", text, sizeof(text)) <= 0)
		return false;
	at = strstr(text, "avg10=");
	for (at = at ? at + 6 : ""; (*at >= '0' && *at <= '9') || *at == '.'; at++)
		if (*at != '.')
			hundredths = hundredths * 10 + (unsigned)(*at - '0');
	return hundredths > PRESSURE_MAX;
}

static void look(struct supervisor *sup)
{
	struct admission *admission = &sup->admission;
	uint64_t elapsed = sup->loop.now - admission->looked;

	admission->looked = sup->loop.now;
	admission->computing = admission->trusted = 0;
	for (uint32_t i = 0; i < sup->count; i++) {
		struct service *service = sup->services[i];

		if (machine_state(service->phase) == STATE_STARTING)
			admission->computing += is_computing(service, elapsed);
	}
	if (sup->starting && is_short_of_memory())
		admission->computing = UINT32_MAX / 2;
}

/* It is enough to be awake: schedule_run follows at the end of the turn, and asks again. */
static void wake(struct loop *loop, struct loop_timer *timer)
{
	(void)loop;
	(void)timer;
}

bool admission_takes(struct supervisor *sup)
{
	struct admission *admission = &sup->admission;
	uint32_t room = TRUSTED_PER_CORE * admission->cores;

	if (sup->loop.now - admission->looked >= msec(ADMISSION_TICK_MS))
		look(sup);
	/* of those that were started since the last look, some are ready by now */
	if (admission->trusted > sup->starting)
		admission->trusted = sup->starting;
	if (sup->starting == 0 ||
	    (admission->computing < admission->cores && admission->trusted < room)) {
		admission->trusted++;
		return true;
	}
	if (!admission->timer.slot) {
		admission->timer.expired = wake;
		loop_arm(&sup->loop, &admission->timer, sup->loop.now + msec(ADMISSION_TICK_MS));
	}
	return false;
}
