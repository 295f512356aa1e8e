/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "clock.h"
#include "notify.h"
#include "supervisor.h"

#define UP_RETRY_MS     100
#define IS_STATUS(text) (strncmp(text, "STATUS=", 7) == 0) /* and no change of state */

/* False: its socket is full; it does not read at the moment. */
static bool tell(const struct supervisor *sup, const char *text)
{
	return send(sup->notify_up, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS);
}

static void due(struct loop *loop, struct loop_timer *timer)
{
	struct supervisor *sup = supervisor_of(loop);
	uint64_t again = sup->up_interval;

	if (sup->up_owed[0] && tell(sup, sup->up_owed))
		sup->up_owed[0] = '\0';
	if (sup->up_interval)
		tell(sup, "WATCHDOG=1");
	if (sup->up_owed[0] && (!again || again > msec(UP_RETRY_MS)))
		again = msec(UP_RETRY_MS);
	if (again)
		loop_arm(loop, timer, loop->now + again);
}

void notify_up_watch(struct supervisor *sup, uint64_t interval)
{
	sup->up_interval = interval;
	sup->up_timer.expired = due;
	loop_arm(&sup->loop, &sup->up_timer, sup->loop.now + interval);
}

void notify_up_send(struct supervisor *sup, const char *format, ...)
{
	char text[sizeof(sup->up_owed)];
	va_list args;
	bool told;

	if (sup->notify_up < 0)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	told = tell(sup, text);
	if (sup->up_owed[0] && IS_STATUS(text) && !IS_STATUS(sup->up_owed))
		return; /* what is owed is more than that */
	snprintf(sup->up_owed, sizeof(text), "%s", told ? "" : text);
	sup->up_timer.expired = due;
	if (!told) /* tries once more, and says when again */
		due(&sup->loop, &sup->up_timer);
}
