/* SPDX-License-Identifier: MIT */
#include "sig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void all_forms_of_a_name(void **state)
{
	static const struct {
		const char *text;
		int signal;
	} table[] = {
		{"TERM", SIGTERM},    {"SIGTERM", SIGTERM},
		{"sigterm", SIGTERM}, {"15", 15},
		{"Hup", SIGHUP},      {"KILL", SIGKILL},
		{"usr1", SIGUSR1},    {"1", 1},
		{"64", 64},           {"CLD", SIGCHLD},
		{"SIGPOLL", SIGIO},   {"IOT", SIGABRT},
		{"RTMIN", 34},        {"SIGRTMIN", 34},
		{"RTMIN+3", 37},      {"SIGRTMIN+30", 64},
		{"rtmin+0", 34},      {"RTMAX", 64},
		{"RTMAX-1", 63},      {"sigrtmax-30", 34},
		{"WINCH", SIGWINCH},  {"STKFLT", 16},
		{"SYS", SIGSYS},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (sig_parse(table[i].text) != table[i].signal)
			fail_msg("%s is %d, not %d", table[i].text, sig_parse(table[i].text),
				 table[i].signal);
}

static void what_is_no_signal(void **state)
{
	static const char *const wrong[] = {
		"",         "0",       "65",      "-1",       "+15",
		"15 ",      " TERM",   "TERMS",   "SIG",      "SIGSIGTERM",
		"RTMIN+31", "RTMIN-1", "RTMAX+1", "RTMAX-31", "RTMIN+",
		"RTMIN+-1", "RTMIN3",  "0x0f",    "1e1",      "99999999999999999999",
		"SIG15",    "RT",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		if (sig_parse(wrong[i]) != -1)
			fail_msg("'%s' is taken as %d", wrong[i], sig_parse(wrong[i]));
}

static void every_name_leads_back(void **state)
{
	char buffer[12];
	int signal;

	(void)state;
	for (signal = 1; signal <= 64; signal++)
		assert_int_equal(sig_parse(sig_name(signal, buffer, sizeof(buffer))), signal);
	assert_string_equal(sig_name(SIGTERM, buffer, sizeof(buffer)), "TERM");
	assert_string_equal(sig_name(34, buffer, sizeof(buffer)), "RTMIN");
	assert_string_equal(sig_name(37, buffer, sizeof(buffer)), "RTMIN+3");
	assert_string_equal(sig_name(63, buffer, sizeof(buffer)), "RTMIN+29");
	assert_string_equal(sig_name(0, buffer, sizeof(buffer)), "?");
	assert_string_equal(sig_name(65, buffer, sizeof(buffer)), "?");
	assert_string_equal(sig_name(-1, buffer, sizeof(buffer)), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_forms_of_a_name),
		cmocka_unit_test(what_is_no_signal),
		cmocka_unit_test(every_name_leads_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
