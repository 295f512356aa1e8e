/* SPDX-License-Identifier: MIT */
/* What is told of a page that changes while it is read. */
#include "snapshot.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#include "clock.h"

#define LOOKS 100000

static struct status_page page;
static atomic_bool over;

/* As muster-init: a state since now. */
static void *write_states(void *data)
{
	(void)data;
	while (!over) {
		struct status_record *record = status_record_begin(&page, 0);

		record->since = clock_monotonic();
		status_record_end(&page, 0);
	}
	return NULL;
}

static void nothing_is_later_than_now(void **state)
{
	struct snapshot *snapshot;
	pthread_t writer;
	unsigned later = 0;

	(void)state;
	assert_int_equal(status_page_create(&page, -1, 1, 0), 0);
	snapshot = snapshot_create_local(&page);
	assert_int_equal(pthread_create(&writer, NULL, write_states, NULL), 0);
	for (int i = 0; i < LOOKS; i++) {
		const struct view *view = snapshot_refresh(snapshot);

		later += view->present && view->records[0].since > view->now;
	}
	over = true;
	pthread_join(writer, NULL);
	assert_int_equal(later, 0);
	snapshot_destroy(snapshot);
	status_page_close(&page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_later_than_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
