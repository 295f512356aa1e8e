/* SPDX-License-Identifier: MIT */
#include "notice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static char text[NOTICE_MAX + 16];
static struct notice notice;

static bool reads(const char *given)
{
	strcpy(text, given);
	return notice_read(text, strlen(given), &notice);
}

static void what_is_not_said_is_absent(void **state)
{
	(void)state;
	assert_true(
		reads("\n\nX_OWN=1\nREADY=0\nREADY\n=1\n READY=1\nready=1\nREADY=11\n=\nERRNO"));
	assert_null(notice.status);
	assert_null(notice.error);
	assert_null(notice.fd_name);
	assert_true(notice.main_pid == NOTICE_ABSENT && notice.error_number == NOTICE_ABSENT);
	assert_true(notice.watchdog_usec == NOTICE_ABSENT && notice.extend_usec == NOTICE_ABSENT);
	assert_int_equal(notice.state, NOTICE_NONE);
	assert_false(notice.ping || notice.trigger || notice.store || notice.remove ||
		     notice.unpolled);
}

static void each_assignment_is_read(void **state)
{
	(void)state;
	assert_true(reads("STATUS=a=b c\nMAINPID=42\nERRNO=2\nBUSERROR=org.x\nWATCHDOG=1\n"
			  "WATCHDOG_USEC=20\nEXTEND_TIMEOUT_USEC=30\nFDSTORE=1\nFDNAME=n-1\n"
			  "FDPOLL=0\nREADY=1"));
	assert_string_equal(notice.status, "a=b c");
	assert_string_equal(notice.error, "org.x");
	assert_string_equal(notice.fd_name, "n-1");
	assert_int_equal(notice.main_pid, 42);
	assert_int_equal(notice.error_number, 2);
	assert_int_equal(notice.watchdog_usec, 20);
	assert_int_equal(notice.extend_usec, 30);
	assert_int_equal(notice.state, NOTICE_READY);
	assert_true(notice.ping && notice.store && notice.unpolled);
	assert_false(notice.trigger || notice.remove);
	assert_true(reads("WATCHDOG=trigger\nFDSTOREREMOVE=1\nSTATUS="));
	assert_true(notice.trigger && notice.remove && !notice.ping && !notice.store);
	assert_string_equal(notice.status, "");
}

static void of_several_the_last_counts(void **state)
{
	(void)state;
	assert_true(reads("READY=1\nSTATUS=one\nRELOADING=1\nSTATUS=two\nMAINPID=1\nMAINPID=x"));
	assert_int_equal(notice.state, NOTICE_RELOADING);
	assert_string_equal(notice.status, "two");
	assert_int_equal(notice.main_pid, 1);
	assert_true(reads("RELOADING=1\nSTOPPING=1"));
	assert_int_equal(notice.state, NOTICE_STOPPING);
}

static void numbers_are_bounded(void **state)
{
	static const char *const wrong[] = {"MAINPID=",
					    "MAINPID=-1",
					    "MAINPID=2147483648",
					    "MAINPID=0x1",
					    "MAINPID= 1",
					    "ERRNO=+1",
					    "WATCHDOG_USEC=18446744073709551616",
					    "EXTEND_TIMEOUT_USEC=18446744073709551615",
					    "EXTEND_TIMEOUT_USEC=1s"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_true(reads(wrong[i]));
		assert_true(notice.main_pid == NOTICE_ABSENT &&
			    notice.error_number == NOTICE_ABSENT);
		assert_true(notice.watchdog_usec == NOTICE_ABSENT &&
			    notice.extend_usec == NOTICE_ABSENT);
	}
	assert_true(reads("WATCHDOG_USEC=0"));
	assert_int_equal(notice.watchdog_usec, 0);
}

static void names_separate_nothing(void **state)
{
	char longest[8 + NOTICE_NAME_MAX + 2] = "FDNAME=";

	(void)state;
	memset(longest + 7, 'n', NOTICE_NAME_MAX);
	assert_true(reads(longest));
	assert_int_equal(strlen(notice.fd_name), NOTICE_NAME_MAX);
	longest[7 + NOTICE_NAME_MAX] = 'n';
	assert_true(reads(longest));
	assert_null(notice.fd_name);
	assert_true(reads("FDNAME=a:b\nFDNAME=\nFDNAME=a\tb\nFDNAME=\xc3\xa9"));
	assert_null(notice.fd_name);
}

static void texts_that_are_none_are_refused(void **state)
{
	(void)state;
	memset(text, 'x', sizeof(text));
	assert_true(notice_read(text, NOTICE_MAX, &notice));
	memset(text, 'x', sizeof(text));
	assert_false(notice_read(text, NOTICE_MAX + 1, &notice));
	memcpy(text, "READY=1\0\n", 9);
	assert_false(notice_read(text, 9, &notice));
	memcpy(text, "READY=1", 8);
	assert_true(notice_read(text, 8, &notice)); /* with the NUL that ends the string */
	assert_int_equal(notice.state, NOTICE_READY);
	assert_true(notice_read(text, 0, &notice));
	assert_int_equal(notice.state, NOTICE_NONE);
}

static void what_cannot_be_shown_is_not(void **state)
{
	char out[8];

	(void)state;
	notice_clean(out, sizeof(out), "a\x1b\tb\x7f");
	assert_string_equal(out, "a??b?");
	notice_clean(out, sizeof(out), "\xc3\xa9\xff\xc3\xc2\x85");
	assert_string_equal(out, "\xc3\xa9???");
	notice_clean(out, sizeof(out), "123456\xc3\xa9");
	assert_string_equal(out, "123456"); /* not half of it */
	notice_clean(out, sizeof(out), "12345\xc3\xa9");
	assert_string_equal(out, "12345\xc3\xa9");
	notice_clean(out, sizeof(out), "");
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_said_is_absent),
		cmocka_unit_test(each_assignment_is_read),
		cmocka_unit_test(of_several_the_last_counts),
		cmocka_unit_test(numbers_are_bounded),
		cmocka_unit_test(names_separate_nothing),
		cmocka_unit_test(texts_that_are_none_are_refused),
		cmocka_unit_test(what_cannot_be_shown_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
