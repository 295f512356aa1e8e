/* SPDX-License-Identifier: MIT */
#include "srv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const unsigned char question[] = "\0\1\x81\x80\0\1\0\0\0\0\0\0" /* the head, */
					"\3_db\4_tcp\0"                /* _db._tcp, */
					"\0\x21\0\1";                  /* SRV, IN */

/* A record of that name: priority and port, of the host `h`. */
static size_t put_record(unsigned char *out, unsigned char priority)
{
	const unsigned char record[] = {0xc0, 12, 0,        33, 0, 1, 0,        0, 0,   60, 0,
					9,    0,  priority, 0,  0, 0, priority, 1, 'h', 0};

	memcpy(out, record, sizeof(record));
	return sizeof(record);
}

/* As they come, and of more than there is room for the best. */
static void the_best_are_kept_in_order(void **state)
{
	static const unsigned char orders[][12] = {
		{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		{12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1},
		{9, 3, 12, 4, 5, 11, 6, 7, 2, 10, 8, 1},
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		unsigned char message[512];
		size_t size = sizeof(question) - 1;
		struct srv_answer answer;

		memcpy(message, question, size);
		message[7] = 12;
		for (size_t n = 0; n < 12; n++)
			size += put_record(message + size, orders[i][n]);
		srv_read(&answer, message, (int)size);
		assert_null(answer.error);
		assert_int_equal(answer.count, SRV_MAX);
		assert_int_equal(answer.ttl, 60);
		for (unsigned n = 0; n < SRV_MAX; n++) {
			assert_int_equal(answer.targets[n].priority, n + 1);
			assert_int_equal(answer.targets[n].port, n + 1);
			assert_string_equal(answer.targets[n].host, "h");
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_are_kept_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
