/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "notify.h"
#include "supervisor.h"

static void ping(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);

	notify_up_send(sup, "WATCHDOG=1");
	loop_arm(loop, timer, loop->now + sup->up_interval);
}

void notify_up_watch(struct supervisor *sup, uint64_t interval)
{
	sup->up_interval = interval;
	sup->up_timer.expired = ping;
	loop_arm(&sup->loop, &sup->up_timer, sup->loop.now + interval);
}

void notify_up_send(const struct supervisor *sup, const char *format, ...)
{
	char text[256];
	va_list args;

	if (sup->notify_up < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	send(sup->notify_up, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT);
}
