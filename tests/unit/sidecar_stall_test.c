/* SPDX-License-Identifier: MIT */
#include "../../sidecar/stall.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "../../sidecar/loop.h" /* init has one, too */
#include "clock.h"
#include "feed.h"
#include "log.h"
#include "tree.h"

/*
 * Urgent data on a connection stands for the kernel's trigger: both are EPOLLPRI. The hold is
 * awaited for real: there is no other clock in the loop.
 */
#define HOLD msec(400)

static int trigger, writer;

static void open_pair(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
				      .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	writer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	assert_int_equal(connect(writer, (struct sockaddr *)&address, size), 0);
	trigger = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(trigger >= 0);
	close(listener);
}

struct watch {
	struct loop *loop;
	struct feed *feed;
	struct feed_reader reader;
	struct stall *stall;
	uint32_t revision;
	struct loop_timer timer;
	uint64_t began;
};

static void fire(void)
{
	assert_int_equal(send(writer, "!", 1, MSG_OOB), 1);
}

static void wake_nobody(struct feed_reader *reader)
{
	(void)reader;
}

/* Again, while it warns: that makes it last, and is not told again. */
static void again(void *data, uint64_t now)
{
	struct watch *watch = data;

	(void)now;
	assert_true(stall_state(watch->stall).warns);
	fire();
}

static uint64_t stop_when_over(void *data, uint64_t now)
{
	struct watch *watch = data;

	if (watch->revision == 1 && !watch->began) {
		watch->began = now;
		loop_arm(watch->loop, &watch->timer, now + HOLD / 2);
	}
	if (watch->revision < 2)
		return NEVER;
	loop_stop(watch->loop, 0);
	return now;
}

static unsigned count_warnings(struct watch *watch, char *text, size_t size)
{
	ssize_t len = feed_read(watch->feed, &watch->reader, text, size - 1);
	unsigned count = 0;

	assert_true(len > 0);
	text[len] = '\0';
	for (const char *at = text; (at = strstr(at, "event: warn")); at++)
		count++;
	return count;
}

static void it_warns_until_it_has_been_quiet(void **state)
{
	struct watch watch = {.reader.wake = wake_nobody};
	char text[4096];
	struct stall_state last;

	(void)state;
	open_pair();
	watch.loop = loop_create();
	watch.feed = feed_create(1);
	feed_join(watch.feed, &watch.reader, 0);
	watch.timer.call = again;
	watch.timer.data = &watch;
	watch.stall = stall_create_on(watch.loop, watch.feed, &watch.revision, trigger, true, HOLD);
	assert_false(stall_state(watch.stall).warns);
	assert_true(stall_state(watch.stall).watched);
	fire();
	loop_before_sleep(watch.loop, stop_when_over, &watch);
	loop_run(watch.loop);
	last = stall_state(watch.stall);
	assert_false(last.warns);
	assert_int_equal(last.times, 1);
	/* not before the hold was over, counted from the second time */
	assert_true(loop_now(watch.loop) - watch.began >= HOLD + HOLD / 2);
	assert_int_equal(count_warnings(&watch, text, sizeof(text)), 2);
	assert_non_null(strstr(text, "\"active\":true"));
	assert_non_null(strstr(text, "\"active\":false"));
	feed_leave(watch.feed, &watch.reader);
	stall_destroy(watch.stall);
	feed_destroy(watch.feed);
	loop_destroy(watch.loop);
	close(writer);
}

/* A file that is not the kernel's is not written to, and there is no warning then. */
static void other_files_are_left_alone(void **state)
{
	struct loop *loop = loop_create();
	char root[PATH_MAX / 2], path[PATH_MAX], text[64] = "";
	uint32_t revision = 0;
	struct stall *stall;
	FILE *file;

	(void)state;
	tree_put("proc", "pressure/memory", "some\n");
	tree_put("cgroup", "memory.pressure", "some\n");
	snprintf(root, sizeof(root), "%s/proc", tree_root);
	snprintf(path, sizeof(path), "%s/cgroup", tree_root);
	stall = stall_create(loop, NULL, &revision, root, path);
	assert_false(stall_state(stall).watched);
	stall_destroy(stall);
	strcat(path, "/memory.pressure");
	file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	assert_string_equal(text, "some\n");
	fclose(file);
	loop_destroy(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_warns_until_it_has_been_quiet),
		cmocka_unit_test_setup_teardown(other_files_are_left_alone, tree_make, tree_remove),
	};

	log_open("sidecar_stall_test", LOG_ERROR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
